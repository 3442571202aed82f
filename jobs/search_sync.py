"""`python -m jobs.search_sync`: the writer of the search index, fed by `metadata-changes`.

Consumes the group `search-sync`. What one poll returns is one batch and one commit. Records are acknowledged after the commit: a
kill applies them again, and the index refuses what is not newer. While a batch is committed the next one gathers, so that
batches grow with the load. A record that is no change of a title, or that the index cannot hold, goes to `metadata-changes.dead`
with its reason. While the index or the log is away the job waits, however long, and buries nothing. An empty index (new, lost or
unreadable) is first rebuilt from the catalogue, by this process or by a newer rebuild. Logs the lag from commit to searchable.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import msgspec

from marquee.documents import SearchDocument
from marquee.errors import InputInvalid, MarqueeError, RebuildOvertaken, StoreUnavailable
from marquee.events import METADATA_CHANGES, SEARCH_SYNC_GROUP, TitleDocumentChange
from marquee.logs import get_logger
from marquee.processes.repeating import until_answered
from marquee.processes.runner import Process, run_process
from marquee.processes.stopping import wait_for_stop
from marquee.stores.event_log.contract import Consumer, Record
from marquee.stores.search.contract import Deletion, SearchIndex

MAX_BATCH_RECORDS: Final = 500
POLL_SECONDS: Final = 2.0
OVERTAKEN_SECONDS: Final = 30.0
"""How long a newer rebuild is waited for at first; it may need longer, so each wait is twice the last."""
LOOK_SECONDS: Final = 1.0

log = get_logger()


class _Row(msgspec.Struct):
    """A row of `title_document` in Debezium's envelope: jsonb comes as a string of JSON."""

    movie_id: str
    revision: int
    document: str | dict[str, object] | None = None


class ChangeUnreadable(ValueError):
    """The record is not a change of a title's document."""


def read_change(value: bytes) -> tuple[SearchDocument | Deletion, int | None]:
    """The change that a Debezium record tells, and when it was committed (Unix milliseconds).

    The envelope may be bare or, with the converter's schemas on, inside `payload`. Raises `ChangeUnreadable`.
    """
    try:
        envelope = msgspec.json.decode(value)
        if isinstance(envelope, dict) and "payload" in envelope:
            envelope = envelope["payload"]
        change = msgspec.convert(envelope, TitleDocumentChange)
        row = msgspec.convert(change.before if change.op == "d" else change.after, _Row)
        committed = (change.source or {}).get("ts_ms")
        committed_at_ms = committed if isinstance(committed, int) else None
        if change.op == "d" or row.document is None:
            return Deletion(row.movie_id, row.revision), committed_at_ms
        if isinstance(row.document, str):
            document = msgspec.json.decode(row.document, type=SearchDocument)
        else:
            document = msgspec.convert(row.document, SearchDocument)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ChangeUnreadable(f"Not a change of a title's document: {error}") from error
    if (document.movie_id, document.revision) != (row.movie_id, row.revision):
        raise ChangeUnreadable(f"The document of {row.movie_id} states another id or revision than its row.")
    return document, committed_at_ms


class IndexFailed(MarqueeError):
    """The index cannot be written any more. This process ends; the next one opens the index, and rebuilds it where it is lost."""


class SearchSync:
    def __init__(self, consumer: Consumer, index: SearchIndex) -> None:
        self._consumer = consumer
        self._index = index
        self._owed = False
        """Whether records were polled that may be neither applied nor acknowledged: they come again before any other."""

    async def step(self) -> int:
        """Poll once, apply, acknowledge; returns how many changes the index accepted.

        Raises `StoreUnavailable` where the index or the log does not answer for now: the next step has the same records
        again. Raises `IndexFailed` where it is the index that is lost.
        """
        if self._owed:
            await self._consumer.rewind()
            self._owed = False
        records = await self._consumer.poll(limit=MAX_BATCH_RECORDS, timeout_seconds=POLL_SECONDS)
        if not records:
            return 0
        self._owed = True
        try:
            accepted = await self._handle(records)
        except StoreUnavailable as error:
            await self._ask_index(error)
            raise
        self._owed = False
        return accepted

    async def _ask_index(self, error: StoreUnavailable) -> None:
        try:
            await self._index.ping()
        except StoreUnavailable as unwell:
            raise IndexFailed(unwell.detail) from error

    async def _handle(self, records: Sequence[Record]) -> int:
        readable: list[tuple[Record, SearchDocument | Deletion]] = []
        commits: list[int] = []
        for record in records:
            try:
                change, committed_at_ms = read_change(record.value)
            except ChangeUnreadable as error:
                await self._bury(record, str(error))
                continue
            readable.append((record, change))
            commits += [] if committed_at_ms is None else [committed_at_ms]
        changes = [change for _, change in readable]
        try:
            accepted = await self._index.apply(changes) if changes else 0
        except InputInvalid as error:
            log.error("batch not applied", changes=len(changes), reason=error.detail)
            return await self._apply_singly(readable)
        await self._consumer.acknowledge([record for record, _ in readable])
        if commits:
            lag_ms = int(time.time() * 1000) - min(commits)
            log.info("changes searchable", changes=len(changes), accepted=accepted, lag_ms=lag_ms)
        return accepted

    async def _apply_singly(self, readable: Sequence[tuple[Record, SearchDocument | Deletion]]) -> int:
        """After a batch that the index cannot hold: what it can is applied, the rest is buried."""
        accepted = 0
        for record, change in readable:
            try:
                accepted += await self._index.apply([change])
            except InputInvalid as error:
                await self._bury(record, error.detail)
            else:
                await self._consumer.acknowledge([record])
        return accepted

    async def _bury(self, record: Record, reason: str) -> None:
        log.error("change buried", key=record.key, position=record.position, reason=reason)
        await self._consumer.dead_letter(record, reason)


async def fill_empty(
    index: SearchIndex, documents: Callable[[], AsyncIterator[SearchDocument]], stop: asyncio.Event
) -> None:
    """Rebuild the index while it is empty; where a newer rebuild overtakes this one, wait for what that one leaves.

    A newer one that was killed leaves nothing, and is overtaken in its turn. Each wait is twice the last, so that of two
    that overtake each other one at last has the time that it needs.
    """
    patience = OVERTAKEN_SECONDS
    while not stop.is_set() and await until_answered(stop, index.count) == 0:
        try:
            titles = await until_answered(stop, lambda: index.rebuild(documents()))
        except RebuildOvertaken as error:
            log.warning("index not rebuilt here", reason=error.detail, wait_seconds=patience)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline and not stop.is_set() and await until_answered(stop, index.count) == 0:
                await wait_for_stop(stop, LOOK_SECONDS)
            patience *= 2
        else:
            log.info("index rebuilt from the catalogue", titles=titles)
            return


async def run(process: Process) -> None:
    stop, stores = process.stop, process.stores
    consumer = await until_answered(stop, lambda: stores.event_log.subscribe(METADATA_CHANGES, SEARCH_SYNC_GROUP))
    await fill_empty(stores.search, stores.catalogue.titles.documents, stop)
    await process.ready(stores.catalogue)
    sync = SearchSync(consumer, stores.search)
    while not stop.is_set():
        # A batch under way when the stop comes is finished. A wait for records ends within POLL_SECONDS.
        await until_answered(stop, sync.step)


if __name__ == "__main__":
    raise SystemExit(run_process("search-sync", run, search_writer=True))
