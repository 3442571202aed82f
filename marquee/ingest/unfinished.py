"""Removes what an unfinished ingest made. Of a refused or deleted version the master stays, of a cancelled one nothing."""

from datetime import UTC, datetime, timedelta

import msgspec

from marquee.documents import PlanDocument, SourceDocument, keys
from marquee.errors import ObjectMissing, UploadUnknown
from marquee.ingest.chunk_sweep import remove_chunks
from marquee.ingest.removal import remove_below, remove_upload
from marquee.logs import get_logger
from marquee.media.encode.plan import chunk_jobs
from marquee.stores.opened import Stores

log = get_logger()


async def remove_unfinished(stores: Stores, movie_id: str, version: int) -> int:
    """Cancel the version's jobs. Remove its streams, images, chunks and stage documents. Returns how many objects went.

    May be repeated.
    """
    await stores.job_queue.cancel(movie_id, version)
    stored = keys.prefixes_of_version(movie_id, version)
    removed = sum([await remove_below(stores.published, prefix) for prefix in stored.published])
    removed += await _remove_chunks(stores, movie_id, version)
    # Last: they name the chunks.
    return removed + await remove_below(stores.objects, stored.ingest)


async def remove_cancelled(stores: Stores, movie_id: str, version: int) -> int:
    """As `remove_unfinished`, and the uploaded film with its subtitle files: no run may work on the version again."""
    removed = await remove_unfinished(stores, movie_id, version)
    try:
        upload = await stores.catalogue.uploads.of_version(movie_id, version)
    except UploadUnknown:
        return removed
    return removed + await remove_upload(stores.objects, upload)


async def remove_cancelled_versions(stores: Stores, *, older_than_seconds: float, newer_than_seconds: float) -> int:
    """Remove what is stored of versions that were cancelled in this span of time. Returns how many objects went.

    A version's run removes it within seconds. Some is left where no run had begun, where it was killed, or a store was down.
    """
    now, removed = datetime.now(UTC), 0
    oldest, newest = now - timedelta(seconds=newer_than_seconds), now - timedelta(seconds=older_than_seconds)
    for ended in await stores.catalogue.versions.cancelled_between(oldest, newest):
        if gone := await remove_cancelled(stores, ended.movie_id, ended.version):
            log.info(
                "objects of a cancelled version removed", movie_id=ended.movie_id, version=ended.version, objects=gone
            )
            removed += gone
    return removed


async def _remove_chunks(stores: Stores, movie_id: str, version: int) -> int:
    """Remove the version's chunks, except those that another version waits for."""
    try:
        found = await stores.objects.get(keys.stage_key(movie_id, version, "source"))
        planned = await stores.objects.get(keys.stage_key(movie_id, version, "plan"))
    except ObjectMissing:
        return 0  # It ended before any chunk was made.
    source = msgspec.json.decode(found, type=SourceDocument)
    jobs = chunk_jobs(msgspec.json.decode(planned, type=PlanDocument), source)
    return await remove_chunks(stores.job_queue, stores.objects, [job.job_id for job in jobs])
