"""Uploads in PostgreSQL: from the first part to the outbox entry that starts the chain, or to an end that leaves nothing.

Which state may follow which: `marquee.domain.lifecycle.UPLOAD_BECOMES`. A transaction locks an upload's row
before its title's, never the other way round.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.domain import lifecycle
from marquee.domain.lifecycle import EndedEarly, UploadState
from marquee.domain.upload_quota import UploadQuota
from marquee.errors import TitleUnknown, UploadStateConflict, UploadUnknown
from marquee.stores.catalogue.postgres.changes import derive_state, details_columns, edit_details, lock_title
from marquee.stores.catalogue.postgres.new_uploads import COLUMNS, check_fits, insert_upload, lock_account
from marquee.stores.catalogue.postgres.outbox import add_entry
from marquee.stores.catalogue.postgres.states import DELETED, TAKES_PARTS, VERSIONS_OF_RUNS
from marquee.stores.catalogue.values import Sidecar, TitleDetails, Upload
from marquee.stores.connections.postgres import Database
from marquee.stores.connections.postgres_methods import in_statement, in_transaction

MAX_UPLOADS: Final = 1000
"""How many one call of `untouched_since` or `without_run` returns."""

_UPLOAD = text(f"SELECT {COLUMNS} FROM upload WHERE upload_id = :upload_id")  # noqa: S608 - no value is formatted in
_LOCKED = text(f"SELECT {COLUMNS} FROM upload WHERE upload_id = :upload_id FOR UPDATE")  # noqa: S608
_OF_VERSION = text(
    f"""
    SELECT {COLUMNS} FROM upload WHERE movie_id = :movie_id AND version = :version
    ORDER BY created_at DESC LIMIT 1
    """  # noqa: S608
)
_FIND_OPEN = text(
    f"""
    SELECT {COLUMNS} FROM upload
    WHERE account_id = :account_id AND file_name = :file_name AND size_bytes = :size_bytes AND state IN {TAKES_PARTS}
    ORDER BY created_at DESC, upload_id DESC LIMIT 1
    """  # noqa: S608
)
_FIND_RESUMABLE = text(
    f"""
    SELECT {COLUMNS} FROM upload
    WHERE account_id = :account_id AND file_name = :file_name AND size_bytes = :size_bytes AND state IN {TAKES_PARTS}
      AND CASE WHEN CAST(:movie_id AS text) IS NOT NULL THEN movie_id = :movie_id
               ELSE version = 1 AND EXISTS (SELECT FROM title WHERE title.movie_id = upload.movie_id
                                            AND NOT title.announced AND title.state NOT IN {DELETED}) END
    ORDER BY created_at DESC, upload_id DESC LIMIT 1
    """  # noqa: S608
)
_UNTOUCHED = text(
    f"""
    SELECT {COLUMNS} FROM upload WHERE state = :state AND touched_at < :moment
    ORDER BY touched_at LIMIT {MAX_UPLOADS}
    """  # noqa: S608
)
_HAS_NO_RUN: Final = f"""
    state = 'completed' AND EXISTS (SELECT FROM title_version WHERE title_version.upload_id = upload.upload_id
                                    AND title_version.state IN {VERSIONS_OF_RUNS} AND title_version.run_id IS NULL)
"""
_WITHOUT_RUN = text(
    f"""
    SELECT {COLUMNS} FROM upload WHERE touched_at < :moment AND {_HAS_NO_RUN}
    ORDER BY touched_at LIMIT {MAX_UPLOADS}
    """  # noqa: S608
)
_TOUCH_WITHOUT_RUN = text(
    f"""
    UPDATE upload SET touched_at = now() WHERE upload_id = :upload_id AND {_HAS_NO_RUN} RETURNING movie_id
    """  # noqa: S608
)
_TOUCH = text("UPDATE upload SET touched_at = now() WHERE upload_id = :upload_id RETURNING upload_id")
_SET_HOT = text("UPDATE upload SET hot = :hot WHERE upload_id = :upload_id")
_SET_TITLE_HOT = text("UPDATE title SET hot = :hot WHERE movie_id = :movie_id")
_SET_SIDECARS = text(
    """
    UPDATE upload SET touched_at = now(), sidecars = CAST(:sidecars AS jsonb) WHERE upload_id = :upload_id
    """
)
_SET_STATE = text(
    f"UPDATE upload SET state = :state, touched_at = now() WHERE upload_id = :upload_id RETURNING {COLUMNS}"  # noqa: S608
)
_START_VERSION = text(
    """
    UPDATE title_version SET state = 'ingesting', stage = 'source', updated_at = now()
    WHERE upload_id = :upload_id AND state = 'uploading'
    """
)
_END = text("UPDATE upload SET state = :state WHERE upload_id = :upload_id")
_DROP_VERSION = text("DELETE FROM title_version WHERE upload_id = :upload_id")
_DROP_TITLE = text(
    """
    DELETE FROM title WHERE movie_id = :movie_id AND NOT announced
    AND NOT EXISTS (SELECT FROM title_version WHERE title_version.movie_id = title.movie_id)
    """
)


class PostgresUploads:
    def __init__(self, database: Database) -> None:
        self.database = database

    @in_transaction
    async def open(
        self,
        connection: AsyncConnection,
        upload: Upload,
        details: TitleDetails | None,
        *,
        quota: UploadQuota | None = None,
    ) -> Upload:
        known = (await connection.execute(_UPLOAD, {"upload_id": upload.upload_id})).mappings().one_or_none()
        if known is not None:
            return _made(known)
        if quota is not None:
            await lock_account(connection, upload.account_id)
            await check_fits(connection, upload.account_id, upload.size_bytes, quota)
        await insert_upload(connection, upload, details, _json(upload.sidecars))
        await derive_state(connection, upload.movie_id)
        return await _get(connection, _UPLOAD, upload.upload_id)

    @in_statement
    async def check_quota(
        self, connection: AsyncConnection, account_id: str, size_bytes: int, quota: UploadQuota
    ) -> None:
        await check_fits(connection, account_id, size_bytes, quota)

    @in_statement
    async def get(self, connection: AsyncConnection, upload_id: str) -> Upload:
        return await _get(connection, _UPLOAD, upload_id)

    @in_statement
    async def of_version(self, connection: AsyncConnection, movie_id: str, version: int) -> Upload:
        found = await connection.execute(_OF_VERSION, {"movie_id": movie_id, "version": version})
        if (row := found.mappings().one_or_none()) is None:
            raise UploadUnknown(f"Version {version} of {movie_id} has no upload.", field="version")
        return _made(row)

    @in_statement
    async def find_open(
        self, connection: AsyncConnection, account_id: str, file_name: str, size_bytes: int
    ) -> Upload | None:
        key = {"account_id": account_id, "file_name": file_name, "size_bytes": size_bytes}
        row = (await connection.execute(_FIND_OPEN, key)).mappings().one_or_none()
        return None if row is None else _made(row)

    @in_statement
    async def find_resumable(
        self, connection: AsyncConnection, account_id: str, file_name: str, size_bytes: int, *, movie_id: str | None
    ) -> Upload | None:
        key = {"account_id": account_id, "file_name": file_name, "size_bytes": size_bytes, "movie_id": movie_id}
        row = (await connection.execute(_FIND_RESUMABLE, key)).mappings().one_or_none()
        return None if row is None else _made(row)

    @in_transaction
    async def resume(
        self, connection: AsyncConnection, upload_id: str, details: Mapping[str, object], *, hot: bool | None
    ) -> Upload:
        current = await _lock_in_state(connection, upload_id, lifecycle.PART_UPLOADS)
        title = await lock_title(connection, current.movie_id)
        stated = replace(title.details, **details)  # type: ignore[arg-type]
        if details_columns(stated) != details_columns(title.details):
            await edit_details(connection, current.movie_id, stated)
        if hot is not None:
            await connection.execute(_SET_HOT, {"upload_id": upload_id, "hot": hot})
            await connection.execute(_SET_TITLE_HOT, {"movie_id": current.movie_id, "hot": hot})
        await _touch(connection, upload_id)
        return await _get(connection, _UPLOAD, upload_id)

    @in_statement
    async def touch(self, connection: AsyncConnection, upload_id: str) -> None:
        await _touch(connection, upload_id)

    @in_transaction
    async def add_sidecar(
        self, connection: AsyncConnection, upload_id: str, sidecar: Sidecar, *, max_sidecars: int
    ) -> Sidecar | None:
        kept = list((await _lock_in_state(connection, upload_id, lifecycle.SIDECAR_UPLOADS)).sidecars)
        replaced = next((one for one in kept if sidecar.replaces(one)), None)
        if replaced is not None:
            kept[kept.index(replaced)] = sidecar
        elif len(kept) >= max_sidecars:
            raise UploadStateConflict(f"The upload has {len(kept)} subtitle files, and {max_sidecars} is the maximum.")
        else:
            kept.append(sidecar)
        await connection.execute(_SET_SIDECARS, {"upload_id": upload_id, "sidecars": _json(kept)})
        return replaced if replaced != sidecar else None

    @in_transaction
    async def begin_completion(self, connection: AsyncConnection, upload_id: str) -> Upload:
        await _lock_to_become(connection, upload_id, "completing")
        return await _set_state(connection, upload_id, "completing")

    @in_transaction
    async def finish_completion(self, connection: AsyncConnection, upload_id: str, *, topic: str, value: bytes) -> None:
        current = await _lock_to_become(connection, upload_id, "completed")
        if current.state == "completed":
            return
        await lock_title(connection, current.movie_id)
        await _set_state(connection, upload_id, "completed")
        await connection.execute(_START_VERSION, {"upload_id": upload_id})
        await add_entry(connection, topic=topic, key=current.movie_id, value=value)
        await derive_state(connection, current.movie_id)

    @in_transaction
    async def reopen(self, connection: AsyncConnection, upload_id: str) -> Upload:
        await _lock_to_become(connection, upload_id, "open")
        return await _set_state(connection, upload_id, "open")

    @in_transaction
    async def end(self, connection: AsyncConnection, upload_id: str, state: EndedEarly) -> None:
        current = await _lock_in_state(
            connection, upload_id, lifecycle.sources(lifecycle.UPLOAD_BECOMES, state) | lifecycle.EARLY_ENDS
        )
        if current.state in lifecycle.EARLY_ENDS:
            return
        # `touched_at` stays: the quota sees by it whether a part was ever asked for.
        await connection.execute(_END, {"upload_id": upload_id, "state": state})
        try:
            await lock_title(connection, current.movie_id)
        except TitleUnknown:
            # The title was deleted meanwhile: its row stays, as the tombstone.
            await connection.execute(_DROP_VERSION, {"upload_id": upload_id})
            return
        await connection.execute(_DROP_VERSION, {"upload_id": upload_id})
        await derive_state(connection, current.movie_id)
        await connection.execute(_DROP_TITLE, {"movie_id": current.movie_id})

    @in_statement
    async def untouched_since(
        self, connection: AsyncConnection, moment: datetime, *, state: UploadState
    ) -> Sequence[Upload]:
        rows = (await connection.execute(_UNTOUCHED, {"state": state, "moment": moment})).mappings()
        return [_made(row) for row in rows]

    @in_statement
    async def without_run(self, connection: AsyncConnection, *, untouched_since: datetime) -> Sequence[Upload]:
        rows = (await connection.execute(_WITHOUT_RUN, {"moment": untouched_since})).mappings()
        return [_made(row) for row in rows]

    @in_transaction
    async def republish(self, connection: AsyncConnection, upload_id: str, *, topic: str, value: bytes) -> bool:
        movie_id = (await connection.execute(_TOUCH_WITHOUT_RUN, {"upload_id": upload_id})).scalar_one_or_none()
        if movie_id is not None:
            await add_entry(connection, topic=topic, key=movie_id, value=value)
        return movie_id is not None


def _made(row: RowMapping) -> Upload:
    columns = dict(row)
    sidecars = [Sidecar(**sidecar) for sidecar in columns.pop("sidecars")]
    return Upload(sidecars=sidecars, **columns)


def _json(sidecars: Sequence[Sidecar]) -> str:
    return msgspec.json.encode(sidecars).decode()


async def _get(connection: AsyncConnection, sql: TextClause, upload_id: str) -> Upload:
    row = (await connection.execute(sql, {"upload_id": upload_id})).mappings().one_or_none()
    if row is None:
        raise UploadUnknown(f"There is no upload {upload_id}.", field="upload_id")
    return _made(row)


async def _lock_in_state(connection: AsyncConnection, upload_id: str, states: Collection[UploadState]) -> Upload:
    current = await _get(connection, _LOCKED, upload_id)
    if current.state not in states:
        raise UploadStateConflict(f"The upload is {current.state} already.", field="upload_id")
    return current


async def _lock_to_become(connection: AsyncConnection, upload_id: str, target: UploadState) -> Upload:
    return await _lock_in_state(connection, upload_id, lifecycle.sources(lifecycle.UPLOAD_BECOMES, target))


async def _set_state(connection: AsyncConnection, upload_id: str, state: UploadState) -> Upload:
    row = (await connection.execute(_SET_STATE, {"upload_id": upload_id, "state": state})).mappings().one()
    return _made(row)


async def _touch(connection: AsyncConnection, upload_id: str) -> None:
    if (await connection.execute(_TOUCH, {"upload_id": upload_id})).scalar_one_or_none() is None:
        raise UploadUnknown(f"There is no upload {upload_id}.", field="upload_id")
