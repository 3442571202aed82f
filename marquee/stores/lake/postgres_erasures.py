"""The table `lake_erasure`: profiles whose rows are erased, and how far that is. One transaction each.

The lock of the erasures orders them with the commits of the sink: none misses an erasure that was asked for before it.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.stores.lake.contract import Erasure

_LOCK_ERASURES: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('lake erasures', 0))")
SHARE_ERASURES: Final = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('lake erasures', 0))")
ERASED_NUMBER: Final = text("SELECT coalesce(max(number), 0) FROM lake_erasure")
ERASED: Final = text("SELECT number, profile_id FROM lake_erasure")
# A profile that is deleted after its rows were erased once is looked for again.
_ASK: Final = text(
    """
    INSERT INTO lake_erasure AS asked (profile_id, deleted_at)
    SELECT profile_id, CASE WHEN :is_deleted THEN now() END FROM unnest(CAST(:profile_ids AS text[])) AS profile_id
    ON CONFLICT (profile_id) DO UPDATE SET deleted_at = excluded.deleted_at, scanned_at = NULL
    WHERE asked.deleted_at IS NULL AND excluded.deleted_at IS NOT NULL
    """
)
_ERASURES: Final = text(
    "SELECT profile_id, asked_at, scanned_at, deleted_at, watching_erased_at FROM lake_erasure ORDER BY number"
)
_ERASED_THROUGH: Final = text(
    "UPDATE lake_erasure SET scanned_at = greatest(scanned_at, :scanned_at) WHERE profile_id = ANY(:profile_ids)"
)
_WATCHING_ERASED: Final = text("UPDATE lake_erasure SET watching_erased_at = now() WHERE profile_id = :profile_id")
# Events of a profile may come until its deletion, however long before it an operator had its rows erased.
_FORGET: Final = text(
    "DELETE FROM lake_erasure WHERE greatest(asked_at, deleted_at) < :before AND scanned_at IS NOT NULL"
    " AND (deleted_at IS NULL OR watching_erased_at IS NOT NULL) RETURNING profile_id"
)
_IS_DELETED: Final = text("SELECT true FROM lake_erasure WHERE profile_id = :profile_id AND deleted_at IS NOT NULL")


async def ask(connection: AsyncConnection, profile_ids: Collection[str], *, is_deleted: bool) -> None:
    """Inside a transaction. `is_deleted`: the profiles themselves are deleted in it."""
    await connection.execute(_LOCK_ERASURES)
    await connection.execute(_ASK, {"profile_ids": sorted(profile_ids), "is_deleted": is_deleted})


async def is_deleted(connection: AsyncConnection, profile_id: str) -> bool:
    return (await connection.execute(_IS_DELETED, {"profile_id": profile_id})).first() is not None


async def listed(connection: AsyncConnection) -> list[Erasure]:
    return [Erasure(*row) for row in (await connection.execute(_ERASURES)).all()]


async def erased_through(connection: AsyncConnection, profile_ids: Collection[str], scanned_at: object) -> None:
    await connection.execute(_ERASED_THROUGH, {"profile_ids": sorted(profile_ids), "scanned_at": scanned_at})


async def watching_erased(connection: AsyncConnection, profile_id: str) -> None:
    await connection.execute(_WATCHING_ERASED, {"profile_id": profile_id})


async def forget(connection: AsyncConnection, asked_before: object) -> int:
    return len((await connection.execute(_FORGET, {"before": asked_before})).all())
