"""Resume positions in the PostgreSQL table `resume_position` (user_id, movie_id, event_time_ms, position_ms).

A write is a prepared upsert in one round trip, on disk when `record` returns. What arrives while one is under way shares the
next (a group commit: no wait for anybody, one flush to disk and one statement for many). The event that goes before wins
inside the statement, whatever the order of arrival. A forgotten position leaves a row without a position at its event time,
so that a late older write cannot bring it back. With PostgreSQL gone a write is tried again for some seconds (twice does no
harm), then `StoreUnavailable`: the client sends its next position soon.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import RowMapping, text

from marquee.errors import InputInvalid, StoreUnavailable
from marquee.stores.connections.postgres import Database
from marquee.stores.resume_positions.contract import (
    Event,
    Forgotten,
    Key,
    Page,
    ResumePosition,
    key_of,
    require_storable,
)

MAX_CONCURRENT_STATEMENTS: Final = 4
"""Of one process; fewer than the pool has connections, so that reads are never behind writes."""
BATCH_EVENTS: Final = 500
MAX_WAITING_EVENTS: Final = 20_000
"""Past this many events that wait for PostgreSQL, more are refused at once."""
PAGE_EVENTS: Final = 5000

# `precedence` of the contract; a row whose position is null is a forgotten one.
_PRECEDENCE = "({row}.event_time_ms, coalesce({row}.position_ms, 9223372036854775807))"
_WINS = f"{_PRECEDENCE.format(row='excluded')} > {_PRECEDENCE.format(row='kept')}"

# One row a key, as one statement may touch a row once; in key order, so that two batches cannot deadlock.
_RECORD_MANY = text(
    f"""
    INSERT INTO resume_position AS kept (user_id, movie_id, event_time_ms, position_ms)
    SELECT DISTINCT ON (user_id, movie_id) user_id, movie_id, event_time_ms, position_ms
    FROM unnest(CAST(:user_ids AS text[]), CAST(:movie_ids AS text[]),
                CAST(:event_times_ms AS bigint[]), CAST(:positions_ms AS bigint[]))
         AS batch (user_id, movie_id, event_time_ms, position_ms)
    ORDER BY user_id, movie_id, event_time_ms DESC, position_ms DESC NULLS FIRST
    ON CONFLICT (user_id, movie_id) DO UPDATE
    SET event_time_ms = excluded.event_time_ms, position_ms = excluded.position_ms
    WHERE {_WINS}
    """  # noqa: S608
)

_EVENT = "SELECT kept.user_id, kept.movie_id, kept.event_time_ms, kept.position_ms FROM resume_position AS kept"

_GET = text(f"{_EVENT} WHERE user_id = :user_id AND movie_id = :movie_id AND position_ms IS NOT NULL")

# A viewer's rows lie in one index range; sorting a few hundred is cheaper than an index that every write would touch.
_CONTINUE = text(
    f"{_EVENT} WHERE user_id = :user_id AND position_ms IS NOT NULL ORDER BY event_time_ms DESC, movie_id LIMIT :limit"
)

_EVENTS = text(
    f"""
    {_EVENT} JOIN unnest(CAST(:user_ids AS text[]), CAST(:movie_ids AS text[])) AS asked (user_id, movie_id)
        ON kept.user_id = asked.user_id AND kept.movie_id = asked.movie_id
    """
)

_EVENTS_OF = text(f"{_EVENT} WHERE user_id = :user_id")

# In the order of the primary key, each page a range of it.
_SCAN = text(f"{_EVENT} WHERE (user_id, movie_id) > (:user_id, :movie_id) ORDER BY user_id, movie_id LIMIT :limit")


class PostgresResumePositions:
    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._waiting: list[tuple[Event, asyncio.Future[None]]] = []
        self._writers: set[asyncio.Task[None]] = set()

    async def record(self, event: Event) -> None:
        require_storable(event)
        if len(self._waiting) >= MAX_WAITING_EVENTS:
            raise StoreUnavailable("Too many positions wait to be written; send the next one in a moment.")
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, written))
        if len(self._writers) < MAX_CONCURRENT_STATEMENTS:
            writer = asyncio.create_task(self._write_waiting())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        await written

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_EVENTS], self._waiting[BATCH_EVENTS:]
            error: Exception | None = None
            try:
                await self._write([event for event, _ in batch])
            except Exception as reason:
                error = reason
            for _, written in batch:
                if written.done():  # its caller is gone
                    continue
                if error is None:
                    written.set_result(None)
                else:
                    written.set_exception(error)

    async def record_many(self, events: Sequence[Event]) -> None:
        for event in events:
            require_storable(event)
        if events:
            await self._write(events)

    async def _write(self, events: Sequence[Event]) -> None:
        positions = [event.position_ms if isinstance(event, ResumePosition) else None for event in events]
        await self._database.statement(
            _RECORD_MANY,
            {
                "user_ids": [event.user_id for event in events],
                "movie_ids": [event.movie_id for event in events],
                "event_times_ms": [event.event_time_ms for event in events],
                "positions_ms": positions,
            },
        )

    async def get(self, user_id: str, movie_id: str) -> ResumePosition | None:
        rows = await self._database.statement(_GET, {"user_id": user_id, "movie_id": movie_id})
        return ResumePosition(**rows[0]) if rows else None

    async def continue_watching(self, user_id: str, *, limit: int = 50) -> Sequence[ResumePosition]:
        rows = await self._database.statement(_CONTINUE, {"user_id": user_id, "limit": limit})
        return [ResumePosition(**row) for row in rows]

    async def events(self, keys: Sequence[Key]) -> Mapping[Key, Event]:
        users, movies = [user_id for user_id, _ in keys], [movie_id for _, movie_id in keys]
        rows = await self._database.statement(_EVENTS, {"user_ids": users, "movie_ids": movies})
        return {key_of(event): event for event in map(_event, rows)}

    async def events_of_viewer(self, user_id: str) -> Sequence[Event]:
        return [_event(row) for row in await self._database.statement(_EVENTS_OF, {"user_id": user_id})]

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
    if row["position_ms"] is None:
        return Forgotten(row["user_id"], row["movie_id"], row["event_time_ms"])
    return ResumePosition(**row)


def _read_cursor(cursor: str) -> Key:
    try:
        user_id, movie_id = msgspec.json.decode(cursor, type=tuple[str, str])
    except msgspec.MsgspecError as error:
        raise InputInvalid("The cursor is not one of PostgreSQL's.", field="after") from error
    return user_id, movie_id
