"""By which encoding profile a version was planned, in PostgreSQL. `versions` calls this."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.documents import ProfileName

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
