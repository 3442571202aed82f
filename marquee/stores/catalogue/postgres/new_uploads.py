"""A new upload in PostgreSQL: its account's quota is checked, then its rows are written, in the caller's transaction.

Creations of one account wait for each other (an advisory lock by account, until the transaction ends), so the quota holds
however many processes ask at once. The lock is taken before any row's.
"""

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.domain.upload_quota import DAY_SECONDS, MAX_LISTED, OpenUpload, UploadQuota, Usage, check_quota
from marquee.errors import UploadStateConflict
from marquee.stores.catalogue.postgres.changes import details_columns, lock_title
from marquee.stores.catalogue.postgres.states import ENDED_EARLY, UNFINISHED
from marquee.stores.catalogue.values import TitleDetails, Upload

COLUMNS: Final = """
    upload_id, movie_id, version, account_id, file_name, content_type, size_bytes, part_bytes, key, multipart_id,
    state, hot, sidecars, created_at, touched_at
"""
_LOCK_ACCOUNT = text("SELECT pg_advisory_xact_lock(hashtextextended('upload quota of ' || :account_id, 0))")
_OPEN_UPLOADS = text(
    f"""
    SELECT upload_id, file_name, size_bytes, created_at, count(*) OVER () AS open_total FROM upload
    WHERE account_id = :account_id AND state IN {UNFINISHED} ORDER BY created_at, upload_id LIMIT {MAX_LISTED}
    """  # noqa: S608 - the states are the program's own words
)
# An upload that ended early and was never touched had no part: `end` leaves `touched_at` as it was.
_DAY = text(
    f"""
    WITH day AS (
        SELECT created_at, size_bytes, sum(size_bytes) OVER (ORDER BY created_at, upload_id) AS freed FROM upload
        WHERE account_id = :account_id AND created_at > now() - make_interval(secs => {DAY_SECONDS})
          AND NOT (state IN {ENDED_EARLY} AND touched_at = created_at)
    ), total AS (SELECT coalesce(sum(size_bytes), 0) AS day_bytes FROM day)
    SELECT day_bytes, coalesce(ceil(extract(epoch FROM (
        SELECT min(created_at) FROM day WHERE freed >= day_bytes + :size_bytes - :max_day_bytes
    ) + make_interval(secs => {DAY_SECONDS}) - now())), {DAY_SECONDS}) AS fits_in_seconds FROM total
    """  # noqa: S608
)
_NEW_TITLE = text(
    """
    INSERT INTO title (movie_id, title, year, description, genres, people, aka, votes, popularity, words, state, revision)
    VALUES (:movie_id, :title, :year, :description, CAST(:genres AS text[]), CAST(:people AS text[]),
            CAST(:aka AS text[]), :votes, :popularity, array_to_tsvector(CAST(:words AS text[])),
            'ingesting', nextval('title_revision'))
    ON CONFLICT (movie_id) DO NOTHING RETURNING movie_id
    """
)
_ALLOT_VERSION = text(
    """
    UPDATE title SET last_version = last_version + 1, hot = :hot WHERE movie_id = :movie_id RETURNING last_version
    """
)
_NEW_VERSION = text(
    """
    INSERT INTO title_version (movie_id, version, upload_id, state, stage)
    VALUES (:movie_id, :version, :upload_id, 'uploading', 'upload')
    """
)
_NEW_UPLOAD = text(
    f"""
    INSERT INTO upload ({COLUMNS})
    VALUES (:upload_id, :movie_id, :version, :account_id, :file_name, :content_type, :size_bytes, :part_bytes, :key,
            :multipart_id, 'open', :hot, CAST(:sidecars AS jsonb), :created_at, :touched_at)
    """  # noqa: S608
)


async def lock_account(connection: AsyncConnection, account_id: str) -> None:
    """Let this transaction alone create uploads of the account."""
    await connection.execute(_LOCK_ACCOUNT, {"account_id": account_id})


async def check_fits(connection: AsyncConnection, account_id: str, size_bytes: int, quota: UploadQuota) -> None:
    """Raise `UploadQuotaExceeded` if one more upload of this size does not fit the account's quota."""
    key: dict[str, Any] = {"account_id": account_id}
    rows = (await connection.execute(_OPEN_UPLOADS, key)).mappings().all()
    day = (
        await connection.execute(_DAY, {**key, "size_bytes": size_bytes, "max_day_bytes": quota.max_day_bytes})
    ).one()
    usage = Usage(
        open_total=rows[0]["open_total"] if rows else 0,
        open_uploads=[
            OpenUpload(**{name: value for name, value in row.items() if name != "open_total"}) for row in rows
        ],
        day_bytes=int(day.day_bytes),
        fits_in_seconds=int(day.fits_in_seconds),
    )
    check_quota(quota, usage, size_bytes)


async def insert_upload(
    connection: AsyncConnection, upload: Upload, details: TitleDetails | None, sidecars: str
) -> None:
    """Write the upload, its version with the next number, and its title if `details` are given."""
    if details is not None:
        columns = {"movie_id": upload.movie_id, **details_columns(details)}
        if (await connection.execute(_NEW_TITLE, columns)).scalar_one_or_none() is None:
            raise UploadStateConflict(f"The title {upload.movie_id} exists already.", field="movie_id")
    else:
        await lock_title(connection, upload.movie_id)
    allotted = await connection.execute(_ALLOT_VERSION, {"movie_id": upload.movie_id, "hot": upload.hot})
    columns = {**vars(upload), "version": allotted.scalar_one(), "sidecars": sidecars}
    await connection.execute(_NEW_VERSION, columns)
    await connection.execute(_NEW_UPLOAD, columns)
