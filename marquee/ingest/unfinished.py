"""Removes what an unfinished ingest made. The master stays, except that of a cancelled version.

A newer film may overtake a version, which cancels it. Its master is kept until a newer version plays: the newer film may fail.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from marquee.documents import PlanDocument, SourceDocument, keys
from marquee.errors import ObjectMissing, UploadUnknown
from marquee.ingest.chunk_sweep import remove_chunks
from marquee.ingest.removal import remove_below, remove_upload
from marquee.logs import get_logger
from marquee.media.encode.plan import chunk_jobs
from marquee.stores.opened import Stores

MAX_REMOVED_PER_ROUND: Final = 20_000
"""The next round of housekeeping goes on."""

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
    """As `remove_unfinished`, and the uploaded film with its subtitle files, unless they are kept for a new run."""
    removed = await remove_unfinished(stores, movie_id, version)
    if await stores.catalogue.versions.keeps_film(movie_id, version):
        return removed
    try:
        upload = await stores.catalogue.uploads.of_version(movie_id, version)
    except UploadUnknown:
        return removed
    return removed + await remove_upload(stores.objects, upload)


async def remove_cancelled_versions(stores: Stores, *, older_than_seconds: float) -> int:
    """Remove what is stored of versions that were cancelled so long ago, each once. Returns how many objects went.

    A version's run removes it within seconds. Some is left where no run had begun, where it was killed, or a store was down.
    """
    moment = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
    versions, removed, looked_after = stores.catalogue.versions, 0, 0
    while looked_after < MAX_REMOVED_PER_ROUND and (found := await versions.unremoved_before(moment)):
        for ended in found:
            movie_id, version = ended.movie_id, ended.version
            if gone := await remove_cancelled(stores, movie_id, version):
                log.info("objects of a cancelled version removed", movie_id=movie_id, version=version, objects=gone)
                removed += gone
            await versions.mark_removed(movie_id, version)
        looked_after += len(found)
    return removed


async def _remove_chunks(stores: Stores, movie_id: str, version: int) -> int:
    """Remove the version's chunks, except those that another version waits for."""
    try:
        found = await stores.objects.get(keys.stage_key(movie_id, version, "source"))
        planned = await stores.objects.get(keys.stage_key(movie_id, version, "plan"))
    except ObjectMissing:
        return 0  # It ended before any chunk was made.
    source = msgspec.json.decode(found, type=SourceDocument)
    plan = msgspec.json.decode(planned, type=PlanDocument)
    jobs = [job.job_id for encoding in plan.encodings for job in chunk_jobs(plan, source, encoding)]
    return await remove_chunks(stores.job_queue, stores.objects, jobs)
