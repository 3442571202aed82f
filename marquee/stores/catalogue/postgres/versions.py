"""A title's versions: their progress, their content, their end, and publishing the one that viewers get.

States: uploading -> ingesting -> playable -> superseded, or refused, failed (a new run takes it up again). The title's row is
locked before a version's state changes, so that two versions cannot be published past each other.
"""

from typing import Final, Literal

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.errors import TitleUnknown, UploadStateConflict, UploadUnknown
from marquee.stores.catalogue.postgres.titles import locked, settle_state, write_consequences
from marquee.stores.catalogue.values import Publication, Version

REASON_CHARACTERS: Final = 8000

_COLUMNS: Final = "movie_id, version, upload_id, state, stage, percent, speed, reason, run_id, updated_at"
_VERSION = text(
    f"SELECT {_COLUMNS} FROM title_version WHERE movie_id = :movie_id AND version = :version"  # noqa: S608
)
_OF_UPLOAD = text(f"SELECT {_COLUMNS} FROM title_version WHERE upload_id = :upload_id")  # noqa: S608
_NEWEST = text(
    f"""
    SELECT {_COLUMNS} FROM title_version WHERE movie_id = :movie_id AND state <> 'uploading'
      AND EXISTS (SELECT FROM title WHERE title.movie_id = title_version.movie_id AND title.state <> 'deleted')
    ORDER BY version DESC LIMIT 1
    """  # noqa: S608
)
_REPORT = text(
    """
    UPDATE title_version SET stage = :stage, percent = greatest(percent, CAST(:percent AS float8)),
        speed = CAST(:speed AS float8), run_id = coalesce(CAST(:run_id AS text), run_id), updated_at = now()
    WHERE movie_id = :movie_id AND version = :version
      AND NOT (state = 'failed'
               OR (state = 'refused' AND CAST(:run_id AS text) IS NOT NULL AND run_id IS DISTINCT FROM :run_id))
    RETURNING state
    """
)
_TAKE_UP = text(
    """
    UPDATE title_version SET state = 'ingesting', reason = NULL, run_id = coalesce(CAST(:run_id AS text), run_id)
    WHERE movie_id = :movie_id AND version = :version AND state IN ('failed', 'refused')
    RETURNING version
    """
)
# A version that viewers have, or had, is not taken from them by a late fault.
_GIVE_UP = text(
    """
    UPDATE title_version SET state = :state, reason = :reason, speed = NULL, updated_at = now()
    WHERE movie_id = :movie_id AND version = :version AND state NOT IN ('playable', 'superseded')
    RETURNING version
    """
)

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
    """
    SELECT EXISTS (
        SELECT FROM title_version JOIN title USING (movie_id)
        WHERE movie_id = :movie_id AND version = :version AND title.state <> 'deleted'
          AND title_version.state IN ('ingesting', 'playable'))
    """
)
_REMARK = text(
    """
    UPDATE title_version SET reason = :remark
    WHERE movie_id = :movie_id AND version = :version AND state = 'ingesting'
    """
)
_TAKE_CONTENT = text("UPDATE title_content SET movie_id = :movie_id, version = :version WHERE sha256 = :sha256")

_SUPERSEDE = text(
    """
    UPDATE title_version SET state = 'superseded', updated_at = now()
    WHERE movie_id = :movie_id AND version < :version AND state = 'playable'
    """
)
# The remark of a version that did not fail (its content is another title's too) stays.
_SET_STATE = text(
    """
    UPDATE title_version SET state = :state, updated_at = now(),
                             reason = CASE WHEN state IN ('ingesting', 'playable') THEN reason END
    WHERE movie_id = :movie_id AND version = :version
    """
)
_ACTIVATE = text(
    """
    UPDATE title SET active_version = :version, duration_seconds = :duration_seconds, manifest = :manifest,
                     dash = :dash, poster = :poster, sprite_vtt = :sprite_vtt,
                     published_at = coalesce(published_at, now())
    WHERE movie_id = :movie_id
    """
)


def _made(row: RowMapping | None, movie_id: str) -> Version:
    if row is None:
        raise TitleUnknown(f"There is no such version of {movie_id}.", field="version")
    return Version(**row)


async def version(connection: AsyncConnection, movie_id: str, number: int) -> Version:
    found = await connection.execute(_VERSION, {"movie_id": movie_id, "version": number})
    return _made(found.mappings().one_or_none(), movie_id)


async def version_of_upload(connection: AsyncConnection, upload_id: str) -> Version:
    row = (await connection.execute(_OF_UPLOAD, {"upload_id": upload_id})).mappings().one_or_none()
    if row is None:
        raise UploadUnknown(f"There is no version of the upload {upload_id}.", field="upload_id")
    return Version(**row)


async def newest_version(connection: AsyncConnection, movie_id: str) -> Version:
    found = await connection.execute(_NEWEST, {"movie_id": movie_id})
    return _made(found.mappings().one_or_none(), movie_id)


async def report_progress(
    connection: AsyncConnection,
    movie_id: str,
    number: int,
    *,
    stage: str,
    percent: float,
    speed: float | None,
    run_id: str | None,
) -> None:
    key = {"movie_id": movie_id, "version": number}
    report = {**key, "stage": stage, "percent": percent, "speed": speed, "run_id": run_id}
    if (await connection.execute(_REPORT, report)).scalar_one_or_none() is not None:
        return
    await locked(connection, movie_id)
    if (await connection.execute(_TAKE_UP, {**key, "run_id": run_id})).scalar_one_or_none() is None:
        raise TitleUnknown(f"There is no version {number} of {movie_id}.", field="version")
    await settle_state(connection, movie_id)
    await connection.execute(_REPORT, report)


async def claim_content(connection: AsyncConnection, movie_id: str, number: int, sha256: str) -> str | None:
    claim = {"movie_id": movie_id, "version": number, "sha256": sha256}
    if (await connection.execute(_NOTE_CONTENT, claim)).scalar_one_or_none() is None:
        raise TitleUnknown(f"There is no version {number} of {movie_id}.", field="version")
    await connection.execute(_CLAIM_CONTENT, claim)
    owner = (await connection.execute(_CONTENT_OWNER, {"sha256": sha256})).mappings().one()
    if owner["movie_id"] != movie_id and (await connection.execute(_OWNER_IS_LIVE, dict(owner))).scalar_one():
        remark = f"This file has the same content as title {owner['movie_id']}: what was made of that is used again."
        await connection.execute(_REMARK, {**claim, "remark": remark})
        return str(owner["movie_id"])
    await connection.execute(_TAKE_CONTENT, claim)
    return None


async def give_up(
    connection: AsyncConnection, movie_id: str, number: int, *, state: Literal["refused", "failed"], reason: str
) -> None:
    await locked(connection, movie_id)
    await version(connection, movie_id, number)
    # A media program's words may hold anything; PostgreSQL's text holds no NUL.
    words = reason.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    parameters = {"movie_id": movie_id, "version": number, "state": state, "reason": words[:REASON_CHARACTERS]}
    await connection.execute(_GIVE_UP, parameters)
    await settle_state(connection, movie_id)


async def publish(connection: AsyncConnection, publication: Publication) -> int:
    movie_id, number = publication.movie_id, publication.version
    title = await locked(connection, movie_id)
    current = await version(connection, movie_id, number)
    if current.state in ("uploading", "refused", "duplicate"):
        raise UploadStateConflict(f"Version {number} of {movie_id} is {current.state}: it cannot be published.")
    key = {"movie_id": movie_id, "version": number}
    if title.active_version is not None and number < title.active_version:
        await connection.execute(_SET_STATE, {**key, "state": "superseded"})
        return title.revision
    await connection.execute(_SUPERSEDE, key)
    await connection.execute(_SET_STATE, {**key, "state": "playable"})
    await connection.execute(
        _ACTIVATE,
        {
            **key,
            "duration_seconds": publication.duration_seconds,
            "manifest": publication.manifest,
            "dash": publication.dash,
            "poster": publication.poster,
            "sprite_vtt": publication.sprite_vtt,
        },
    )
    await settle_state(connection, movie_id)
    return await write_consequences(connection, movie_id)
