"""Watch history in the PostgreSQL table `watched_title`, one row a profile and title; a page is one index range.

With PostgreSQL down, a call is repeated for some seconds, then raises `StoreUnavailable`.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from marquee.stores.connections.postgres import Database
from marquee.stores.history.contract import WatchedTitle

# The condition leaves a row that would not change: a repeat writes no WAL.
_RECORD = text(
    """
    INSERT INTO watched_title AS kept (profile_id, movie_id, first_watched_at, last_watched_at)
    VALUES (:profile_id, :movie_id, CAST(:watched_at AS timestamptz), CAST(:watched_at AS timestamptz))
    ON CONFLICT (profile_id, movie_id) DO UPDATE
    SET first_watched_at = least(kept.first_watched_at, excluded.first_watched_at),
        last_watched_at = greatest(kept.last_watched_at, excluded.last_watched_at)
    WHERE excluded.first_watched_at < kept.first_watched_at OR excluded.last_watched_at > kept.last_watched_at
    """
)

_PAGE = text(
    """
    SELECT profile_id, movie_id, first_watched_at, last_watched_at FROM watched_title
    WHERE profile_id = :profile_id
      AND (CAST(:last_watched_at AS timestamptz) IS NULL
           OR (last_watched_at, movie_id) < (CAST(:last_watched_at AS timestamptz), CAST(:movie_id AS text)))
    ORDER BY last_watched_at DESC, movie_id DESC LIMIT :limit
    """
)

_FORGET = text("DELETE FROM watched_title WHERE profile_id = :profile_id AND movie_id = :movie_id")


class PostgresHistory:
    def __init__(self, url: str) -> None:
        self._database = Database(url)

    async def record(self, profile_id: str, movie_id: str, watched_at: datetime) -> None:
        await self._database.statement(
            _RECORD, {"profile_id": profile_id, "movie_id": movie_id, "watched_at": watched_at}
        )

    async def page(self, profile_id: str, *, limit: int, before: tuple[datetime, str] | None) -> Sequence[WatchedTitle]:
        last_watched_at, movie_id = before or (None, None)
        rows = await self._database.statement(
            _PAGE,
            {"profile_id": profile_id, "limit": limit, "last_watched_at": last_watched_at, "movie_id": movie_id},
        )
        return [WatchedTitle(**row) for row in rows]

    async def forget(self, profile_id: str, movie_id: str) -> None:
        await self._database.statement(_FORGET, {"profile_id": profile_id, "movie_id": movie_id})

    async def ping(self) -> None:
        await self._database.ping()

    async def close(self) -> None:
        await self._database.close()
