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
from marquee.stores.catalogue.postgres.states import sql_list
from marquee.stores.catalogue.values import EndedVersion, Version

MAX_ENDED: Final = 1000
"""How many versions one call of `ended_between` returns."""
OVERTAKEN: Final = "Version {version}, a newer film, was accepted for this title. So this one was cancelled."
_CANCELLABLE: Final = sql_list(lifecycle.sources(lifecycle.VERSION_BECOMES, "cancelled") - {lifecycle.CANCELLED})
_SETTING: Final = "UPDATE title_version SET state = 'cancelled', reason = :reason, speed = NULL, updated_at = now()"
_CANCEL = text(f"{_SETTING} WHERE movie_id = :movie_id AND version = :version")
_CANCEL_OLDER = text(
    f"""
    {_SETTING} WHERE movie_id = :movie_id AND version < :version AND state IN {_CANCELLABLE} RETURNING version
    """
)
# The state is a constant of each statement: the index holds these two states only.
_ENDED_BETWEEN: Final = {
    state: text(
        f"""
        SELECT movie_id, version, updated_at FROM title_version
        WHERE state = '{state}' AND updated_at BETWEEN :oldest AND :newest ORDER BY updated_at LIMIT {MAX_ENDED}
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


async def ended_between(
    connection: AsyncConnection, state: Literal["failed", "cancelled"], oldest: datetime, newest: datetime
) -> Sequence[EndedVersion]:
    rows = (await connection.execute(_ENDED_BETWEEN[state], {"oldest": oldest, "newest": newest})).mappings()
    return [EndedVersion(row["movie_id"], row["version"], row["updated_at"]) for row in rows]
