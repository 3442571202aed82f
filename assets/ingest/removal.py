"""Removes what an unfinished ingest made. Of a refused or deleted version only the uploaded master stays."""

import msgspec

from marquee.documents import PlanDocument, SourceDocument, keys
from marquee.errors import ObjectMissing
from marquee.ingest.chunk_sweep import remove_chunks
from marquee.ingest.removal import remove_below
from marquee.media.encode.plan import chunk_jobs
from marquee.stores.opened import Stores


async def remove_unfinished(stores: Stores, movie_id: str, version: int) -> None:
    """Cancel the version's jobs. Remove its streams, images, chunks and stage documents. May be repeated."""
    await stores.job_queue.cancel(movie_id, version)
    stored = keys.prefixes_of_version(movie_id, version)
    for prefix in stored.published:
        await remove_below(stores.published, prefix)
    await _remove_chunks(stores, movie_id, version)
    # Last: they name the chunks.
    await remove_below(stores.objects, stored.ingest)


async def _remove_chunks(stores: Stores, movie_id: str, version: int) -> None:
    """Remove the version's chunks, except those that another version waits for."""
    try:
        found = await stores.objects.get(keys.stage_key(movie_id, version, "source"))
        planned = await stores.objects.get(keys.stage_key(movie_id, version, "plan"))
    except ObjectMissing:
        return  # It was refused before any chunk was made.
    source = msgspec.json.decode(found, type=SourceDocument)
    jobs = chunk_jobs(msgspec.json.decode(planned, type=PlanDocument), source)
    await remove_chunks(stores.job_queue, stores.objects, [job.job_id for job in jobs])
