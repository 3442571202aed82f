"""A version's row: its columns, and by which encoding profile it was planned. `versions` uses this."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.documents import ProfileName

VERSION_COLUMNS: Final = (
    "movie_id, version, upload_id, state, stage, percent, speed, reason, run_id, notes, updated_at, "
    "profile, profile_hash"
)
_STORE = text(
    """
    UPDATE title_version SET profile = :profile, profile_hash = :hash WHERE movie_id = :movie_id AND version = :version
    RETURNING version
    """
)


async def stored_profile(connection: AsyncConnection, movie_id: str, version: int, profile: ProfileName) -> bool:
    """Store the profile's name and hash; False if there is no such version."""
    told = {"movie_id": movie_id, "version": version, "profile": profile.name, "hash": profile.hash}
    return (await connection.execute(_STORE, told)).scalar_one_or_none() is not None
