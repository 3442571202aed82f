"""Resume positions in the PostgreSQL table `resume_position` (user_id, movie_id, event_time_ms, position_ms).

A write is a prepared upsert in one round trip, on disk when `record` returns. What arrives while one is under way shares the
next (a group commit: no wait for anybody, one flush to disk and one statement for many). The newest (event_time_ms,
position_ms) wins inside the statement, whatever the order of arrival. A forgotten position leaves a row without a position
at its event time, so that a late older write cannot bring it back. With PostgreSQL gone a write is tried again for some
seconds (twice does no harm), then `StoreUnavailable`: the client sends its next position soon.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from marquee.errors import InputInvalid, MarqueeError, StoreUnavailable
from marquee.stores.postgres import Database
from marquee.stores.resume_positions.contract import ResumePosition

STATEMENTS_UNDER_WAY: Final = 4
"""Of one process; fewer than the pool has connections, so that reads are never behind writes."""
BATCH_POSITIONS: Final = 500
MOST_WAITING: Final = 20_000
"""Past this many positions that wait for PostgreSQL, more are refused at once."""

# A row whose position is null (forgotten) wins at equal times: comparing it with a number is not true.
_NEWER = "(excluded.event_time_ms, excluded.position_ms) > (kept.event_time_ms, kept.position_ms)"

# One row a key, as one statement may touch a row once; in key order, so that two batches cannot deadlock.
_RECORD_MANY = text(
    f"""
    INSERT INTO resume_position AS kept (user_id, movie_id, event_time_ms, position_ms)
    SELECT DISTINCT ON (user_id, movie_id) user_id, movie_id, event_time_ms, position_ms
    FROM unnest(CAST(:user_ids AS text[]), CAST(:movie_ids AS text[]),
                CAST(:event_times_ms AS bigint[]), CAST(:positions_ms AS bigint[]))
         AS batch (user_id, movie_id, event_time_ms, position_ms)
    ORDER BY user_id, movie_id, event_time_ms DESC, position_ms DESC
    ON CONFLICT (user_id, movie_id) DO UPDATE
    SET event_time_ms = excluded.event_time_ms, position_ms = excluded.position_ms
    WHERE {_NEWER}
    """  # noqa: S608
)

_FORGET = text(
    """
    INSERT INTO resume_position AS kept (user_id, movie_id, event_time_ms, position_ms)
    VALUES (:user_id, :movie_id, CAST(:event_time_ms AS bigint), NULL)
    ON CONFLICT (user_id, movie_id) DO UPDATE
    SET event_time_ms = excluded.event_time_ms, position_ms = NULL
    WHERE excluded.event_time_ms >= kept.event_time_ms
    """
)

_GET = text(
    """
    SELECT user_id, movie_id, position_ms, event_time_ms FROM resume_position
    WHERE user_id = :user_id AND movie_id = :movie_id AND position_ms IS NOT NULL
    """
)

# A viewer's rows lie in one index range; sorting a few hundred is cheaper than an index that every write would touch.
_CONTINUE = text(
    """
    SELECT user_id, movie_id, position_ms, event_time_ms FROM resume_position
    WHERE user_id = :user_id AND position_ms IS NOT NULL
    ORDER BY event_time_ms DESC, movie_id LIMIT :limit
    """
)


class PostgresResumePositions:
    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._waiting: list[tuple[ResumePosition, asyncio.Future[None]]] = []
        self._writers: set[asyncio.Task[None]] = set()

    async def record(self, position: ResumePosition) -> None:
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailable("Too many positions wait to be written; send the next one in a moment.")
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((position, written))
        if len(self._writers) < STATEMENTS_UNDER_WAY:
            writer = asyncio.create_task(self._write_waiting())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        await written

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_POSITIONS], self._waiting[BATCH_POSITIONS:]
            try:
                await self._write(batch)
            except Exception as error:
                for _, written in batch:
                    if not written.done():
                        written.set_exception(error)

    async def _write(self, batch: list[tuple[ResumePosition, asyncio.Future[None]]]) -> None:
        try:
            await self.record_many([position for position, _ in batch])
        except InputInvalid:
            if len(batch) == 1:
                raise
            # One of them cannot be stored: find out which, so that the others are.
            for one in batch:
                try:
                    await self._write([one])
                except MarqueeError as error:
                    if not one[1].done():  # its caller may be gone
                        one[1].set_exception(error)
        for _, written in batch:
            if not written.done():
                written.set_result(None)

    async def record_many(self, positions: Sequence[ResumePosition]) -> None:
        if not positions:
            return
        await self._database.statement(
            _RECORD_MANY,
            {
                "user_ids": [position.user_id for position in positions],
                "movie_ids": [position.movie_id for position in positions],
                "event_times_ms": [position.event_time_ms for position in positions],
                "positions_ms": [position.position_ms for position in positions],
            },
        )

    async def get(self, user_id: str, movie_id: str) -> ResumePosition | None:
        rows = await self._database.statement(_GET, {"user_id": user_id, "movie_id": movie_id})
        return ResumePosition(**rows[0]) if rows else None

    async def continue_watching(self, user_id: str, *, limit: int = 50) -> Sequence[ResumePosition]:
        rows = await self._database.statement(_CONTINUE, {"user_id": user_id, "limit": limit})
        return [ResumePosition(**row) for row in rows]

    async def forget(self, user_id: str, movie_id: str, *, event_time_ms: int | None = None) -> None:
        moment = time.time_ns() // 1_000_000 if event_time_ms is None else event_time_ms
        await self._database.statement(_FORGET, {"user_id": user_id, "movie_id": movie_id, "event_time_ms": moment})

    async def ping(self) -> None:
        await self._database.ping()

    async def close(self) -> None:
        await self._database.close()
