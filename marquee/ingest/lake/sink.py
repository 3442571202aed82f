"""The event sink: what is on the topic becomes immutable files of the lake, each event exactly once.

    step: (flush what an outage has left) ─► read from the cursor ─► columns by hour, in memory ─► (full, or old enough) flush
    flush: bury what cannot be read ─► store a file for each hour ─► one transaction: list the files, move the cursor

The cursor is kept in PostgreSQL beside the list, not in the log. A kill before the transaction leaves files that no list names,
and the next sink reads the same records again; after it, everything is done. Memory is bounded by `Limits`: columns of what is
not flushed, and one read. An outage changes nothing: the same step or flush may be repeated, and a step reads nothing further
while a full batch waits for its flush.
"""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from marquee.concurrency import gather_bounded
from marquee.errors import CursorInvalid
from marquee.ingest.lake import figures
from marquee.ingest.lake.batch import read_batch, written
from marquee.logs import get_logger
from marquee.stores.event_log.contract import EventLog, Record
from marquee.stores.event_log.records import DEAD_SUFFIX, dead_headers
from marquee.stores.lake.contract import EVENTS, Lake, NewFile, Position
from marquee.stores.lake.errors import ErasuresChanged
from marquee.stores.lake.paths import new_path

MAX_READ_RECORDS: Final = 5_000
MIN_READ_RECORDS: Final = 100
READ_BYTES: Final = 8 * 1024**2
"""A read that brings more halves the next one."""
MAX_CONCURRENT_FILES: Final = 4
MAX_CONCURRENT_DEAD: Final = 16
RENEW_SECONDS: Final = 30.0
"""How often a sink with nothing to write says that it lives."""

log = get_logger()


@dataclass(frozen=True)
class Limits:
    """When a batch is flushed: at so many rows or bytes in memory, or so long after its first record was read."""

    rows: int
    size_bytes: int
    seconds: float


class EventSink:
    """For one task. `begin` first; then `step` again and again; `flush` at the end."""

    def __init__(self, event_log: EventLog, lake: Lake, topic: str, limits: Limits) -> None:
        self._event_log, self._lake, self._topic, self._limits = event_log, lake, topic, limits
        self._position: Position | None = None
        self._cursor: str | None = None
        self._read_records = MIN_READ_RECORDS
        self._renewed_at = 0.0
        self._forget_batch()

    def _forget_batch(self) -> None:
        self._by_hour: dict[datetime, list[Any]] = defaultdict(list)
        self._dead: list[tuple[Record, str]] = []
        self._rows = self._size_bytes = 0
        self._began_at: float | None = None
        self._oldest_ms: int | None = None

    async def begin(self) -> None:
        """Take the topic over from any earlier sink, at the place where the lake is."""
        self._position = await self._lake.take_over(self._topic)
        self._cursor = self._position.cursor
        self._forget_batch()
        self._renewed_at = time.monotonic()
        log.info("sink began", topic=self._topic, cursor=self._cursor, generation=self._position.generation)

    async def step(self) -> int:
        """Read once; flush if the batch is full or old enough. Returns how many records were read.

        Raises `StoreUnavailable`, after which the same step may be repeated, and `SinkOvertaken`.
        """
        if self._is_due():
            # The last step read this batch, and its flush failed. To read on would let memory grow through the outage.
            figures.LAG.set(self.lag_seconds())
            await self.flush()
        records = await self._read()
        if records:
            await self._add(records)
        figures.LAG.set(self.lag_seconds())
        if self._is_due():
            await self.flush()
        elif time.monotonic() - self._renewed_at > RENEW_SECONDS:
            await self._renew()
        return len(records)

    def lag_seconds(self) -> float:
        """Age of the oldest record that was read and is not in the lake; 0: none."""
        return max(0.0, time.time() - self._oldest_ms / 1000) if self._oldest_ms is not None else 0.0

    async def _read(self) -> list[Record]:
        try:
            found, cursor = await self._event_log.read(
                self._topic, self._cursor, limit=self._read_records, by_time=False
            )
        except CursorInvalid:
            log.error(
                "the position is not one of this event log: the sink reads it from its beginning", cursor=self._cursor
            )
            found, cursor = await self._event_log.read(self._topic, None, limit=self._read_records, by_time=False)
        self._cursor = cursor
        many = sum(len(record.value) for record in found) > READ_BYTES
        grown = self._read_records // 2 if many else self._read_records * 2
        self._read_records = max(MIN_READ_RECORDS, min(MAX_READ_RECORDS, grown))
        return list(found)

    async def _add(self, records: list[Record]) -> None:
        if self._began_at is None:
            self._began_at, self._oldest_ms = time.monotonic(), min(record.published_at_ms for record in records)
        batch = await asyncio.to_thread(read_batch, records)
        for hour, columns in batch.by_hour.items():
            self._by_hour[hour].append(columns)
        self._dead += batch.dead
        self._rows += len(records)
        self._size_bytes += batch.size_bytes + sum(len(record.value) for record, _ in batch.dead)

    def _is_due(self) -> bool:
        limits = self._limits
        if self._began_at is None:
            return False
        is_old = time.monotonic() - self._began_at >= limits.seconds
        return is_old or self._rows >= limits.rows or self._size_bytes >= limits.size_bytes

    async def flush(self) -> None:
        """Write what was read, and move the position past it. Raises as `step` does; may be repeated."""
        position = self._position
        if position is None or self._began_at is None:
            return
        began = time.monotonic()
        await self._bury()
        while True:
            erased = await self._lake.erased()
            files = await self._store(erased.profile_ids)
            try:
                await self._lake.append(files, self._topic, position, self._cursor or "", erased=erased.number)
                break
            except ErasuresChanged:
                continue  # the files of this round are nobody's: the sweep removes them
        self._position = Position(self._cursor, position.generation, position.written_at)
        figures.count_flush(self._rows, files, time.monotonic() - began)
        log.info(
            "events written",
            records=self._rows,
            rows=sum(file.rows for file in files),
            files=len(files),
            lag_ms=round(1000 * self.lag_seconds()),
        )
        self._forget_batch()
        self._renewed_at = time.monotonic()
        figures.LAG.set(0)

    async def _bury(self) -> None:
        """Publish what cannot be kept to `{topic}.dead`. A kill before the position moves publishes it again."""

        async def bury(each: tuple[Record, str]) -> None:
            record, reason = each
            headers = dead_headers(record, reason)
            await self._event_log.publish(self._topic + DEAD_SUFFIX, record.key, record.value, headers=headers)

        while self._dead:
            some = self._dead[:MAX_CONCURRENT_DEAD]
            await gather_bounded(bury, some, max_concurrent=MAX_CONCURRENT_DEAD)
            del self._dead[: len(some)]
            figures.DEAD.inc(len(some))
            log.error("events buried", records=len(some), reason=some[0][1], topic=self._topic + DEAD_SUFFIX)

    async def _store(self, erased: frozenset[str]) -> list[NewFile]:
        async def store(hour: datetime) -> NewFile | None:
            made = await asyncio.to_thread(written, self._by_hour[hour], erased)
            if made is None:
                return None
            rows, body = made
            path = new_path(EVENTS, hour)
            await self._lake.files.put(path, body)
            return NewFile(path, EVENTS, hour, rows, len(body))

        stored = await gather_bounded(store, sorted(self._by_hour), max_concurrent=MAX_CONCURRENT_FILES)
        return [file for file in stored if file is not None]

    async def _renew(self) -> None:
        if self._position is not None:
            await self._lake.renew(self._topic, self._position.generation)
            self._renewed_at = time.monotonic()
