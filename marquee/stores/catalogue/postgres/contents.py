"""Which version owns a content in PostgreSQL: the first one that claimed it, while it is ingesting or playable."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.errors import TitleUnknown
from marquee.stores.catalogue.postgres.states import CONTENT_OWNERS, DELETED

_NOTE_CONTENT = text(
    """
    UPDATE title_version SET sha256 = :sha256 WHERE movie_id = :movie_id AND version = :version RETURNING version
    """
)
_CLAIM_CONTENT = text(
    """
    INSERT INTO title_content (sha256, movie_id, version) VALUES (:sha256, :movie_id, :version)
    ON CONFLICT (sha256) DO NOTHING
    """
)
_CONTENT_OWNER = text("SELECT movie_id, version FROM title_content WHERE sha256 = :sha256 FOR UPDATE")
_OWNER_IS_LIVE = text(
    f"""
    SELECT EXISTS (
        SELECT FROM title_version JOIN title USING (movie_id)
        WHERE movie_id = :movie_id AND version = :version AND title.state NOT IN {DELETED}
          AND title_version.state IN {CONTENT_OWNERS})
    """  # noqa: S608
)
_REMARK = text(
    """
    UPDATE title_version SET reason = :remark
    WHERE movie_id = :movie_id AND version = :version AND state = 'ingesting'
    """
)
_TAKE_CONTENT = text("UPDATE title_content SET movie_id = :movie_id, version = :version WHERE sha256 = :sha256")


async def claim_content(connection: AsyncConnection, movie_id: str, version: int, sha256: str) -> str | None:
    """The movie_id of the other title that owns this content, None if none does. Raises `TitleUnknown`."""
    claim = {"movie_id": movie_id, "version": version, "sha256": sha256}
    if (await connection.execute(_NOTE_CONTENT, claim)).scalar_one_or_none() is None:
        raise TitleUnknown(f"There is no version {version} of {movie_id}.", field="version")
    await connection.execute(_CLAIM_CONTENT, claim)
    owner = (await connection.execute(_CONTENT_OWNER, {"sha256": sha256})).mappings().one()
    if owner["movie_id"] != movie_id and (await connection.execute(_OWNER_IS_LIVE, dict(owner))).scalar_one():
        remark = f"This file has the same content as title {owner['movie_id']}, whose chunks are used again."
        await connection.execute(_REMARK, {**claim, "remark": remark})
        return str(owner["movie_id"])
    await connection.execute(_TAKE_CONTENT, claim)
    return None
