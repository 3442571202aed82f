"""A title's versions in PostgreSQL: their progress, their content, their end, and publishing one.

Which state may follow which: `marquee.domain.lifecycle.VERSION_BECOMES`. A transaction locks the title's row before it changes
a version's state, so that two versions cannot be published past each other.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.documents import ProfileName
from marquee.domain import lifecycle
from marquee.errors import IngestCancelled, TitleUnknown, UploadStateConflict, UploadUnknown
from marquee.events import VIEWING_EVENTS
from marquee.events.viewing import title_published
from marquee.notes import Note
from marquee.stores.catalogue.postgres import cancelling
from marquee.stores.catalogue.postgres.changes import derive_state, follow_notes, lock_title, write_new_revision
from marquee.stores.catalogue.postgres.contents import claim_content
from marquee.stores.catalogue.postgres.notes import NOTES_OF_TITLES, SET_NOTES, notes_json, read_notes
from marquee.stores.catalogue.postgres.outbox import add_entry
from marquee.stores.catalogue.postgres.planned import VERSION_COLUMNS, stored_profile
from marquee.stores.catalogue.postgres.states import CANCELLED, DELETED, PLAYABLE, RUNNABLE, sql_list
from marquee.stores.catalogue.values import EndedVersion, Publication, Version
from marquee.stores.connections.postgres import Database
from marquee.stores.connections.postgres_methods import in_statement, in_transaction

REASON_CHARACTERS: Final = 8000
_REVIVED_BY_REPORT: Final = sql_list(lifecycle.REVIVED_BY_REPORT)
_REVIVED_BY_NEW_RUN: Final = sql_list(lifecycle.REVIVED_BY_NEW_RUN)
_REVIVED: Final = sql_list(lifecycle.REVIVED_BY_REPORT | lifecycle.REVIVED_BY_NEW_RUN)
_REMARKED: Final = sql_list(lifecycle.REMARKED_VERSIONS)

_VERSION = text(
    f"SELECT {VERSION_COLUMNS} FROM title_version WHERE movie_id = :movie_id AND version = :version"  # noqa: S608
)
_OF_UPLOAD = text(f"SELECT {VERSION_COLUMNS} FROM title_version WHERE upload_id = :upload_id")  # noqa: S608
_NEWEST = text(
    f"""
    SELECT {VERSION_COLUMNS} FROM title_version WHERE movie_id = :movie_id AND state IN {RUNNABLE}
      AND EXISTS (SELECT FROM title WHERE title.movie_id = title_version.movie_id AND title.state NOT IN {DELETED})
    ORDER BY version DESC LIMIT 1
    """  # noqa: S608
)
_REPORT = text(
    f"""
    UPDATE title_version SET stage = :stage, percent = greatest(percent, CAST(:percent AS float8)),
        speed = CAST(:speed AS float8), run_id = coalesce(CAST(:run_id AS text), run_id), updated_at = now()
    WHERE movie_id = :movie_id AND version = :version
      AND state NOT IN {CANCELLED}
      AND NOT (state IN {_REVIVED_BY_REPORT}
               OR (state IN {_REVIVED_BY_NEW_RUN} AND CAST(:run_id AS text) IS NOT NULL AND run_id IS DISTINCT FROM :run_id))
    RETURNING state
    """  # noqa: S608
)
_INGEST_AGAIN = text(
    f"""
    UPDATE title_version SET state = 'ingesting', reason = NULL, run_id = coalesce(CAST(:run_id AS text), run_id)
    WHERE movie_id = :movie_id AND version = :version AND state IN {_REVIVED}
    RETURNING version
    """  # noqa: S608
)
# A late fault does not take a version from viewers who have it, or had it.
_END = text(
    """
    UPDATE title_version SET state = :state, reason = :reason, speed = NULL, updated_at = now()
    WHERE movie_id = :movie_id AND version = :version AND state = ANY(:sources)
    RETURNING version
    """
)
_SUPERSEDE = text(
    f"""
    UPDATE title_version SET state = 'superseded', updated_at = now()
    WHERE movie_id = :movie_id AND version < :version AND state IN {PLAYABLE}
    """  # noqa: S608
)
# A version that did not fail keeps its reason: the remark that another title owns its content.
_SET_STATE = text(
    f"""
    UPDATE title_version SET state = :state, updated_at = now(),
                             reason = CASE WHEN state IN {_REMARKED} THEN reason END
    WHERE movie_id = :movie_id AND version = :version
    """  # noqa: S608
)
_ACTIVATE = text(
    """
    UPDATE title SET active_version = :version, duration_seconds = :duration_seconds, manifest = :manifest,
                     dash = :dash, poster = :poster, backdrop = CAST(:backdrop AS jsonb),
                     tracks = CAST(:tracks AS jsonb), sprite_vtt = :sprite_vtt,
                     published_at = coalesce(published_at, now())
    WHERE movie_id = :movie_id
    """
)


class PostgresVersions:
    def __init__(self, database: Database) -> None:
        self.database = database

    @in_statement
    async def get(self, connection: AsyncConnection, movie_id: str, version: int) -> Version:
        return await _get(connection, movie_id, version)

    @in_statement
    async def of_upload(self, connection: AsyncConnection, upload_id: str) -> Version:
        row = (await connection.execute(_OF_UPLOAD, {"upload_id": upload_id})).mappings().one_or_none()
        if row is None:
            raise UploadUnknown(f"There is no version of the upload {upload_id}.", field="upload_id")
        return _made(row)

    @in_statement
    async def newest(self, connection: AsyncConnection, movie_id: str) -> Version:
        row = (await connection.execute(_NEWEST, {"movie_id": movie_id})).mappings().one_or_none()
        if row is None:
            raise TitleUnknown(f"No version of {movie_id} was uploaded.", field="movie_id")
        return _made(row)

    @in_transaction
    async def report_progress(
        self,
        connection: AsyncConnection,
        movie_id: str,
        version: int,
        *,
        stage: str,
        percent: float,
        speed: float | None = None,
        run_id: str | None = None,
    ) -> None:
        key = {"movie_id": movie_id, "version": version}
        report = {**key, "stage": stage, "percent": percent, "speed": speed, "run_id": run_id}
        if (await connection.execute(_REPORT, report)).scalar_one_or_none() is not None:
            return
        await lock_title(connection, movie_id)
        if (await connection.execute(_INGEST_AGAIN, {**key, "run_id": run_id})).scalar_one_or_none() is None:
            _check_not_cancelled(await _get(connection, movie_id, version))
            raise _unknown(movie_id, version)
        await derive_state(connection, movie_id)
        await connection.execute(_REPORT, report)

    @in_transaction
    async def set_notes(
        self,
        connection: AsyncConnection,
        movie_id: str,
        version: int,
        notes: Mapping[str, Sequence[Note]],
        *,
        whole: bool = False,
    ) -> None:
        told = {"movie_id": movie_id, "version": version, "notes": notes_json(notes), "whole": whole}
        await lock_title(connection, movie_id)
        if (await connection.execute(SET_NOTES, told)).scalar_one_or_none() is None:
            raise _unknown(movie_id, version)
        await follow_notes(connection, movie_id)

    @in_statement
    async def set_profile(self, connection: AsyncConnection, movie_id: str, version: int, profile: ProfileName) -> None:
        if not await stored_profile(connection, movie_id, version, profile):
            raise _unknown(movie_id, version)

    @in_statement
    async def notes_of_titles(
        self, connection: AsyncConnection, movie_ids: Sequence[str]
    ) -> Mapping[str, Sequence[Note]]:
        rows = (await connection.execute(NOTES_OF_TITLES, {"movie_ids": list(movie_ids)})).mappings()
        return {row["movie_id"]: read_notes(row["notes"]) for row in rows}

    @in_transaction
    async def claim_content(self, connection: AsyncConnection, movie_id: str, version: int, sha256: str) -> str | None:
        return await claim_content(connection, movie_id, version, sha256)

    @in_transaction
    async def refuse(self, connection: AsyncConnection, movie_id: str, version: int, reason: str) -> None:
        await _end(connection, movie_id, version, state="refused", reason=reason)

    @in_transaction
    async def fail(self, connection: AsyncConnection, movie_id: str, version: int, reason: str) -> None:
        await _end(connection, movie_id, version, state="failed", reason=reason)

    @in_transaction
    async def cancel(self, connection: AsyncConnection, movie_id: str, version: int) -> None:
        title = await lock_title(connection, movie_id)
        await cancelling.cancel(connection, await _get(connection, movie_id, version))
        await cancelling.release_overtaken(connection, title, version)
        await derive_state(connection, movie_id)

    @in_transaction
    async def cancel_older(self, connection: AsyncConnection, movie_id: str, version: int) -> Sequence[int]:
        await lock_title(connection, movie_id)
        _check_not_cancelled(await _get(connection, movie_id, version))
        older = await cancelling.cancel_older(connection, movie_id, version)
        if older:
            await derive_state(connection, movie_id)
        return older

    @in_statement
    async def failed_between(
        self, connection: AsyncConnection, oldest: datetime, newest: datetime
    ) -> Sequence[EndedVersion]:
        return await cancelling.ended_between(connection, "failed", oldest, newest)

    @in_statement
    async def cancelled_between(
        self, connection: AsyncConnection, oldest: datetime, newest: datetime
    ) -> Sequence[EndedVersion]:
        return await cancelling.ended_between(connection, lifecycle.CANCELLED, oldest, newest)

    @in_statement
    async def unremoved_before(self, connection: AsyncConnection, moment: datetime) -> Sequence[EndedVersion]:
        return await cancelling.unremoved(connection, moment)

    @in_statement
    async def keeps_film(self, connection: AsyncConnection, movie_id: str, version: int) -> bool:
        return await cancelling.keeps_film(connection, movie_id, version)

    @in_statement
    async def mark_removed(self, connection: AsyncConnection, movie_id: str, version: int) -> None:
        await cancelling.mark_removed(connection, movie_id, version)

    @in_transaction
    async def publish(self, connection: AsyncConnection, publication: Publication) -> int:
        movie_id, version = publication.movie_id, publication.version
        title = await lock_title(connection, movie_id)
        current = await _get(connection, movie_id, version)
        _check_not_cancelled(current)
        if current.state not in lifecycle.PUBLISHABLE_VERSIONS:
            raise UploadStateConflict(f"Version {version} of {movie_id} is {current.state}: it cannot be published.")
        key = {"movie_id": movie_id, "version": version}
        overtaken = title.active_version is not None and version < title.active_version
        if overtaken or not lifecycle.may_become(lifecycle.VERSION_BECOMES, current.state, "playable"):
            await connection.execute(_SET_STATE, {**key, "state": "superseded"})
            await derive_state(connection, movie_id)
            return title.revision
        await connection.execute(_SUPERSEDE, key)
        await cancelling.remove_again(connection, movie_id, version)
        await connection.execute(_SET_STATE, {**key, "state": "playable"})
        await connection.execute(
            _ACTIVATE,
            {
                **vars(publication),
                "backdrop": msgspec.json.encode(publication.backdrop).decode(),
                "tracks": None if publication.tracks is None else msgspec.json.encode(publication.tracks).decode(),
            },
        )
        await derive_state(connection, movie_id)
        published = title_published(movie_id, version, at_ms=time.time_ns() // 1_000_000)
        await add_entry(connection, topic=VIEWING_EVENTS, key=movie_id, value=msgspec.json.encode(published))
        return await write_new_revision(connection, movie_id)


def _made(row: RowMapping) -> Version:
    columns = dict(row)
    return Version(notes=read_notes(columns.pop("notes")), **columns)


async def _get(connection: AsyncConnection, movie_id: str, version: int) -> Version:
    row = (await connection.execute(_VERSION, {"movie_id": movie_id, "version": version})).mappings().one_or_none()
    if row is None:
        raise _unknown(movie_id, version)
    return _made(row)


async def _end(
    connection: AsyncConnection, movie_id: str, version: int, *, state: Literal["refused", "failed"], reason: str
) -> None:
    title = await lock_title(connection, movie_id)
    await _get(connection, movie_id, version)
    # The output of a media program may hold any bytes; PostgreSQL's text holds no NUL.
    words = reason.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    sources = list(lifecycle.sources(lifecycle.VERSION_BECOMES, state))
    ended = await connection.execute(
        _END,
        {
            "movie_id": movie_id,
            "version": version,
            "state": state,
            "reason": words[:REASON_CHARACTERS],
            "sources": sources,
        },
    )
    if ended.scalar_one_or_none() is not None:
        await cancelling.release_overtaken(connection, title, version)
    await derive_state(connection, movie_id)


def _check_not_cancelled(version: Version) -> None:
    if version.state == lifecycle.CANCELLED:
        raise IngestCancelled(version.reason or lifecycle.FOLLOWED_SENTENCES[version.state])


def _unknown(movie_id: str, version: int) -> TitleUnknown:
    return TitleUnknown(f"There is no version {version} of {movie_id}.", field="version")
