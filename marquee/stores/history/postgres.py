"""Watch history in the PostgreSQL table `watched_title`, one row a profile and title; a page is one index range.

A forgotten title keeps its row with the moment and no older one, so that a late older write cannot bring it back.
With PostgreSQL down, a call is repeated for some seconds, then raises `StoreUnavailable`.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from marquee.stores.connections.postgres import Database
from marquee.stores.history.contract import WatchedTitle

# The conditions leave a row that would not change (a repeat writes no WAL), and one that was forgotten later. In a row that was
# forgotten before, both moments are that of the forgetting: the first one watched after it replaces them.
_RECORD = text(
    """
    INSERT INTO watched_title AS kept (profile_id, movie_id, first_watched_at, last_watched_at)
    VALUES (:profile_id, :movie_id, CAST(:watched_at AS timestamptz), CAST(:watched_at AS timestamptz))
    ON CONFLICT (profile_id, movie_id) DO UPDATE
    SET first_watched_at = CASE WHEN kept.last_watched_at = kept.forgotten_at THEN excluded.first_watched_at
                                ELSE least(kept.first_watched_at, excluded.first_watched_at) END,
        last_watched_at = greatest(kept.last_watched_at, excluded.last_watched_at)
    WHERE (excluded.first_watched_at < kept.first_watched_at OR excluded.last_watched_at > kept.last_watched_at)
      AND (kept.forgotten_at IS NULL OR excluded.last_watched_at > kept.forgotten_at)
    """
)

_SHOWN = "(forgotten_at IS NULL OR last_watched_at > forgotten_at)"

_GET = text(
    f"""
    SELECT profile_id, movie_id, first_watched_at, last_watched_at FROM watched_title
    WHERE profile_id = :profile_id AND movie_id = :movie_id AND {_SHOWN}
    """  # noqa: S608 - no value is formatted in
)

_PAGE = text(
    f"""
    SELECT profile_id, movie_id, first_watched_at, last_watched_at FROM watched_title
    WHERE profile_id = :profile_id AND {_SHOWN}
      AND (CAST(:last_watched_at AS timestamptz) IS NULL
           OR (last_watched_at, movie_id) < (CAST(:last_watched_at AS timestamptz), CAST(:movie_id AS text)))
    ORDER BY last_watched_at DESC, movie_id DESC LIMIT :limit
    """  # noqa: S608
)

# A title that was never watched gets a row too: its progress may still be on its way.
_FORGET = text(
    """
    INSERT INTO watched_title AS kept (profile_id, movie_id, first_watched_at, last_watched_at, forgotten_at)
    VALUES (:profile_id, :movie_id, CAST(:at AS timestamptz), CAST(:at AS timestamptz), CAST(:at AS timestamptz))
    ON CONFLICT (profile_id, movie_id) DO UPDATE
    SET forgotten_at = excluded.forgotten_at,
        first_watched_at = greatest(kept.first_watched_at, excluded.forgotten_at),
        last_watched_at = greatest(kept.last_watched_at, excluded.forgotten_at)
    WHERE kept.forgotten_at IS NULL OR kept.forgotten_at < excluded.forgotten_at
    """
)

_FORGET_ALL = text(
    """
    UPDATE watched_title AS kept
    SET forgotten_at = CAST(:at AS timestamptz),
        first_watched_at = greatest(kept.first_watched_at, CAST(:at AS timestamptz)),
        last_watched_at = greatest(kept.last_watched_at, CAST(:at AS timestamptz))
    WHERE profile_id = :profile_id AND (forgotten_at IS NULL OR forgotten_at < CAST(:at AS timestamptz))
    """
)

# A forgotten title has a row, so that there is nothing to insert. What was forgotten later stays away.
_RESTORE = text(
    """
    UPDATE watched_title AS kept
    SET forgotten_at = NULL, first_watched_at = least(kept.first_watched_at, CAST(:first AS timestamptz)),
        last_watched_at = CASE WHEN kept.last_watched_at = kept.forgotten_at THEN CAST(:last AS timestamptz)
                               ELSE greatest(kept.last_watched_at, CAST(:last AS timestamptz)) END
    WHERE profile_id = :profile_id AND movie_id = :movie_id
      AND (forgotten_at IS NULL OR forgotten_at <= CAST(:forgotten_at AS timestamptz))
    RETURNING movie_id
    """
)


_ERASE = text("DELETE FROM watched_title WHERE profile_id = :profile_id RETURNING movie_id")


class PostgresHistory:
    def __init__(self, url: str) -> None:
        self._database = Database(url)

    async def record(self, profile_id: str, movie_id: str, watched_at: datetime) -> None:
        await self._database.statement(
            _RECORD, {"profile_id": profile_id, "movie_id": movie_id, "watched_at": watched_at}
        )

    async def get(self, profile_id: str, movie_id: str) -> WatchedTitle | None:
        rows = await self._database.statement(_GET, {"profile_id": profile_id, "movie_id": movie_id})
        return WatchedTitle(**rows[0]) if rows else None

    async def page(self, profile_id: str, *, limit: int, before: tuple[datetime, str] | None) -> Sequence[WatchedTitle]:
        last_watched_at, movie_id = before or (None, None)
        rows = await self._database.statement(
            _PAGE,
            {"profile_id": profile_id, "limit": limit, "last_watched_at": last_watched_at, "movie_id": movie_id},
        )
        return [WatchedTitle(**row) for row in rows]

    async def forget(self, profile_id: str, movie_id: str, at: datetime) -> None:
        await self._database.statement(_FORGET, {"profile_id": profile_id, "movie_id": movie_id, "at": at})

    async def forget_all(self, profile_id: str, at: datetime) -> None:
        await self._database.statement(_FORGET_ALL, {"profile_id": profile_id, "at": at})

    async def erase(self, profile_id: str) -> int:
        return len(await self._database.statement(_ERASE, {"profile_id": profile_id}))

    async def restore(self, watched: WatchedTitle, *, forgotten_at: datetime) -> bool:
        restored = await self._database.statement(
            _RESTORE,
            {
                "profile_id": watched.profile_id,
                "movie_id": watched.movie_id,
                "first": watched.first_watched_at,
                "last": watched.last_watched_at,
                "forgotten_at": forgotten_at,
            },
        )
        return bool(restored)

    async def ping(self) -> None:
        await self._database.ping()

    async def close(self) -> None:
        await self._database.close()
