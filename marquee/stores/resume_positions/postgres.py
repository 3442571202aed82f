"""Resume positions in the PostgreSQL table `resume_position` (user_id, movie_id, event_time_ms, position_ms).

A write is a prepared upsert in one round trip, and on disk when `record` returns. Events that arrive during a statement share
the next one (group commit): no event waits for a timer, and one statement and one flush to disk serve many. The statement
itself decides by `precedence` which event wins. A hidden position is stored as -2 - position. A forgotten one keeps its row with
a null position, so that a late older write cannot bring it back. With PostgreSQL down a write is repeated for
`connections.postgres.RETRY_SECONDS`, or until the deadline of its callers, as writing twice does no harm, then
`StoreUnavailable`: the client sends its next position soon.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import RowMapping, text

from marquee import deadlines
from marquee.errors import InputInvalid, StoreUnavailable
from marquee.stores.connections.postgres import Database
from marquee.stores.resume_positions.contract import (
    Event,
    Key,
    Page,
    ResumePosition,
    event_of,
    key_of,
    require_storable,
    resumable,
    stored_value,
)

MAX_CONCURRENT_STATEMENTS: Final = 4
"""Write statements of one process at once: fewer than the pool's connections, so that reads do not wait for writes."""
MAX_BATCH_EVENTS: Final = 500
"""Maximum events of one statement."""
MAX_WAITING_EVENTS: Final = 20_000
"""With this many events waiting for PostgreSQL, another one is refused at once."""
PAGE_EVENTS: Final = 5000

# The contract's `precedence` in SQL, of its `stored_value`: 2**62 is added to a hidden position.
_RANK = """CASE WHEN {row}.position_ms IS NULL THEN 9223372036854775807
                WHEN {row}.position_ms < 0 THEN {row}.position_ms + 4611686018427387904 ELSE {row}.position_ms END"""
_PRECEDENCE = f"({{row}}.event_time_ms, {_RANK})"
_NEW_EVENT_WINS = f"{_PRECEDENCE.format(row='excluded')} > {_PRECEDENCE.format(row='kept')}"

# One row for each key, because a statement may change a row only once. In key order, so that two batches cannot deadlock.
_RECORD_MANY = text(
    f"""
    INSERT INTO resume_position AS kept (user_id, movie_id, event_time_ms, position_ms)
    SELECT DISTINCT ON (user_id, movie_id) user_id, movie_id, event_time_ms, position_ms
    FROM unnest(CAST(:user_ids AS text[]), CAST(:movie_ids AS text[]),
                CAST(:event_times_ms AS bigint[]), CAST(:positions_ms AS bigint[]))
         AS batch (user_id, movie_id, event_time_ms, position_ms)
    ORDER BY user_id, movie_id, event_time_ms DESC, {_RANK.format(row="batch")} DESC
    ON CONFLICT (user_id, movie_id) DO UPDATE
    SET event_time_ms = excluded.event_time_ms, position_ms = excluded.position_ms
    WHERE {_NEW_EVENT_WINS}
    """  # noqa: S608
)

_EVENT = "SELECT kept.user_id, kept.movie_id, kept.event_time_ms, kept.position_ms FROM resume_position AS kept"

_GET = text(f"{_EVENT} WHERE user_id = :user_id AND movie_id = :movie_id AND position_ms IS NOT NULL")

# A viewer's rows are one range of the primary key. Sorting some hundred rows is cheaper than an index that every write updates.
_CONTINUE_WATCHING = text(
    f"{_EVENT} WHERE user_id = :user_id AND position_ms >= 0 ORDER BY event_time_ms DESC, movie_id LIMIT :limit"
)

_EVENTS = text(
    f"""
    {_EVENT} JOIN unnest(CAST(:user_ids AS text[]), CAST(:movie_ids AS text[])) AS asked (user_id, movie_id)
        ON kept.user_id = asked.user_id AND kept.movie_id = asked.movie_id
    """
)

_EVENTS_OF_VIEWER = text(f"{_EVENT} WHERE user_id = :user_id")

_ERASE = text("DELETE FROM resume_position WHERE user_id = :user_id")

# In the order of the primary key: each page is a range of it.
_SCAN = text(f"{_EVENT} WHERE (user_id, movie_id) > (:user_id, :movie_id) ORDER BY user_id, movie_id LIMIT :limit")


class _Waiting(NamedTuple):
    """An event that waits to be written, and when its caller gives up (monotonic seconds; None: never)."""

    event: Event
    written: asyncio.Future[None]
    ends_at: float | None


class PostgresResumePositions:
    """`MovableResumePositions` on PostgreSQL. Connects at the first call."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._waiting_events: list[_Waiting] = []
        self._writers: set[asyncio.Task[None]] = set()

    async def record(self, event: Event) -> None:
        require_storable(event)
        if len(self._waiting_events) >= MAX_WAITING_EVENTS:
            raise StoreUnavailable(
                f"{len(self._waiting_events)} positions wait to be written; send the next one in a moment."
            )
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        remaining = deadlines.remaining_seconds()
        self._waiting_events.append(
            _Waiting(event, written, None if remaining is None else time.monotonic() + remaining)
        )
        if len(self._writers) < MAX_CONCURRENT_STATEMENTS:
            # Detached: a writer serves many callers, each with a deadline of its own.
            writer = asyncio.create_task(self._write_waiting(), context=deadlines.detached())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        try:
            async with asyncio.timeout(remaining):
                await written
        except TimeoutError as error:
            raise StoreUnavailable(
                "PostgreSQL did not confirm the position in time; it may be stored or not: send it again."
            ) from error

    async def _write_waiting(self) -> None:
        while self._waiting_events:
            batch, self._waiting_events = (
                self._waiting_events[:MAX_BATCH_EVENTS],
                self._waiting_events[MAX_BATCH_EVENTS:],
            )
            # A caller that gave up was told so, and sends its position again.
            batch = [one for one in batch if not one.written.done()]
            if batch:
                await self._write_batch(batch)

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        error: Exception | None = None
        try:
            # For as long as any caller waits; without a time-out if one of them has none.
            ends = [one.ends_at for one in batch]
            seconds = None if None in ends else max(end for end in ends if end is not None) - time.monotonic()
            with deadlines.limited(seconds) if seconds is not None else contextlib.nullcontext():
                await self._write([one.event for one in batch])
        except Exception as reason:
            error = reason
        for one in batch:
            if one.written.done():  # its caller gave up meanwhile
                continue
            if error is None:
                one.written.set_result(None)
            else:
                one.written.set_exception(error)

    async def record_many(self, events: Sequence[Event]) -> None:
        for event in events:
            require_storable(event)
        if events:
            await self._write(events)

    async def _write(self, events: Sequence[Event]) -> None:
        await self._database.statement(
            _RECORD_MANY,
            {
                "user_ids": [event.user_id for event in events],
                "movie_ids": [event.movie_id for event in events],
                "event_times_ms": [event.event_time_ms for event in events],
                "positions_ms": [stored_value(event) for event in events],
            },
        )

    async def get(self, user_id: str, movie_id: str) -> ResumePosition | None:
        rows = await self._database.statement(_GET, {"user_id": user_id, "movie_id": movie_id})
        return resumable(_event(rows[0])) if rows else None

    async def continue_watching(self, user_id: str, *, limit: int = 50) -> Sequence[ResumePosition]:
        rows = await self._database.statement(_CONTINUE_WATCHING, {"user_id": user_id, "limit": limit})
        return [ResumePosition(**row) for row in rows]

    async def events(self, keys: Sequence[Key]) -> Mapping[Key, Event]:
        users, movies = [user_id for user_id, _ in keys], [movie_id for _, movie_id in keys]
        rows = await self._database.statement(_EVENTS, {"user_ids": users, "movie_ids": movies})
        return {key_of(event): event for event in map(_event, rows)}

    async def events_of_viewer(self, user_id: str) -> Sequence[Event]:
        return [_event(row) for row in await self._database.statement(_EVENTS_OF_VIEWER, {"user_id": user_id})]

    async def erase(self, user_id: str) -> None:
        await self._database.statement(_ERASE, {"user_id": user_id})

    async def scan(self, *, after: str | None = None) -> AsyncIterator[Page]:
        user_id, movie_id = ("", "") if after is None else _read_cursor(after)
        while True:
            place = {"user_id": user_id, "movie_id": movie_id, "limit": PAGE_EVENTS}
            events = [_event(row) for row in await self._database.statement(_SCAN, place)]
            if not events:
                return
            user_id, movie_id = key_of(events[-1])
            yield Page(events, msgspec.json.encode(key_of(events[-1])).decode())

    async def ping(self) -> None:
        await self._database.ping()

    async def close(self) -> None:
        await self._database.close()


def _event(row: RowMapping) -> Event:
    return event_of(row["user_id"], row["movie_id"], row["event_time_ms"], row["position_ms"])


def _read_cursor(cursor: str) -> Key:
    try:
        user_id, movie_id = msgspec.json.decode(cursor, type=tuple[str, str])
    except msgspec.MsgspecError as error:
        raise InputInvalid(
            f"The cursor {cursor!r} is not one of PostgreSQL's; give one of this engine, or begin without.",
            field="after",
        ) from error
    return user_id, movie_id
