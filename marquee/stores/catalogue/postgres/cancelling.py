"""Cancelling versions in PostgreSQL: by a person, or because a newer film was accepted; and finding versions that ended.

The title's row is locked. A cancelled version is never published, reported on or revived; whoever works on it is told by
`IngestCancelled`. The version that plays stays as it is.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.domain import lifecycle
from marquee.errors import VersionNotInWork
from marquee.stores.catalogue.postgres.states import CANCELLED, sql_list
from marquee.stores.catalogue.values import EndedVersion, Title, Version

MAX_ENDED: Final = 1000
"""How many versions one call of `ended_between` or `unremoved` returns."""
OVERTAKEN: Final = "Version {version}, a newer film, was accepted for this title. So this one was cancelled."
RELEASED: Final = (
    "Version {version}, a newer film, was accepted in place of this one, and then ended: see its reason. The film of this "
    "version is kept. To use it, start its run again in Dagster from `source` on."
)
_CANCELLABLE: Final = sql_list(lifecycle.sources(lifecycle.VERSION_BECOMES, "cancelled") - {lifecycle.CANCELLED})
_SETTING: Final = (
    "UPDATE title_version SET state = 'cancelled', reason = :reason, speed = NULL, updated_at = now(), removed = false"
)
_CANCEL = text(f"{_SETTING} WHERE movie_id = :movie_id AND version = :version")
_CANCEL_OLDER = text(
    f"""
    {_SETTING}, overtaken_by = :version
    WHERE movie_id = :movie_id AND version < :version AND state IN {_CANCELLABLE} RETURNING version
    """
)
_RELEASE = text(
    f"""
    UPDATE title_version SET state = '{lifecycle.RELEASED}', reason = :reason, overtaken_by = NULL, updated_at = now()
    WHERE movie_id = :movie_id AND overtaken_by = :version AND state IN {CANCELLED} AND version > :active
    """  # noqa: S608
)
_IS_KEPT = text(
    f"""
    SELECT NOT EXISTS (
        SELECT FROM title_version JOIN title USING (movie_id)
        WHERE movie_id = :movie_id AND version = :version AND title_version.state IN {CANCELLED}
          AND (overtaken_by IS NULL OR version < active_version)
    )
    """  # noqa: S608
)
_UNREMOVED = text(
    f"""
    SELECT movie_id, version, updated_at FROM title_version
    WHERE state = 'cancelled' AND NOT removed AND updated_at < :moment ORDER BY updated_at LIMIT {MAX_ENDED}
    """  # noqa: S608
)
_MARK_REMOVED = text(
    f"UPDATE title_version SET removed = true WHERE movie_id = :movie_id AND version = :version AND state IN {CANCELLED}"  # noqa: S608
)
_REMOVE_AGAIN = text(
    f"""
    UPDATE title_version SET removed = false
    WHERE movie_id = :movie_id AND version < :version AND overtaken_by IS NOT NULL AND state IN {CANCELLED}
    """  # noqa: S608
)
# The state is a constant of each statement: the index holds these two states only.
_ENDED_BETWEEN: Final = {
    state: text(
        f"""
        SELECT movie_id, version, updated_at FROM title_version
        WHERE state = '{state}' AND updated_at BETWEEN :oldest AND :newest
        ORDER BY updated_at DESC LIMIT {MAX_ENDED}
        """  # noqa: S608
    )
    for state in ("failed", lifecycle.CANCELLED)
}


async def cancel(connection: AsyncConnection, version: Version) -> None:
    """Raises `VersionNotInWork` for a version that has ended, and for one whose film is still on its way."""
    if version.state not in lifecycle.VERSIONS_OF_RUNS:
        sentence = lifecycle.FOLLOWED_SENTENCES[version.state]
        raise VersionNotInWork(f"Version {version.version} cannot be cancelled. {sentence}", field="version")
    reason = lifecycle.FOLLOWED_SENTENCES[lifecycle.CANCELLED]
    await connection.execute(_CANCEL, {"movie_id": version.movie_id, "version": version.version, "reason": reason})


async def cancel_older(connection: AsyncConnection, movie_id: str, version: int) -> Sequence[int]:
    """The older versions that were in work, which are cancelled now."""
    key = {"movie_id": movie_id, "version": version, "reason": OVERTAKEN.format(version=version)}
    return (await connection.execute(_CANCEL_OLDER, key)).scalars().all()


async def release_overtaken(connection: AsyncConnection, title: Title, version: int) -> None:
    """`version` ended unplayed: those that it overtook may be worked on again, and their reason says how."""
    key = {"movie_id": title.movie_id, "version": version, "active": title.active_version or 0}
    await connection.execute(_RELEASE, {**key, "reason": RELEASED.format(version=version)})


async def keeps_film(connection: AsyncConnection, movie_id: str, version: int) -> bool:
    """False for a cancelled version. True for one that a newer film overtook, until a newer version plays."""
    return bool((await connection.execute(_IS_KEPT, {"movie_id": movie_id, "version": version})).scalar_one())


async def unremoved(connection: AsyncConnection, moment: datetime) -> Sequence[EndedVersion]:
    rows = (await connection.execute(_UNREMOVED, {"moment": moment})).mappings()
    return [EndedVersion(row["movie_id"], row["version"], row["updated_at"]) for row in rows]


async def mark_removed(connection: AsyncConnection, movie_id: str, version: int) -> None:
    await connection.execute(_MARK_REMOVED, {"movie_id": movie_id, "version": version})


async def remove_again(connection: AsyncConnection, movie_id: str, version: int) -> None:
    """`version` plays: housekeeping removes the masters that were kept of the versions that newer films overtook."""
    await connection.execute(_REMOVE_AGAIN, {"movie_id": movie_id, "version": version})


async def ended_between(
    connection: AsyncConnection, state: Literal["failed", "cancelled"], oldest: datetime, newest: datetime
) -> Sequence[EndedVersion]:
    rows = (await connection.execute(_ENDED_BETWEEN[state], {"oldest": oldest, "newest": newest})).mappings()
    return [EndedVersion(row["movie_id"], row["version"], row["updated_at"]) for row in rows]
