"""Removes chunks that no version needs any more, so that the ingest bucket does not grow with every film.

A version waits for its chunks in the job queue until it is published, refused or gone (`drop_settled_waiters`). A chunk that no
version waits for is kept for a while, for a copy of the film, and is then removed with its job (`sweep_chunks`). No needed chunk
is lost: each attempt stores a chunk under a key of its own, the keys are listed before the job is deleted, and a job that is
queued again meanwhile is not deleted. No job names what a worker stored after it had lost its lease: `sweep_strays` removes that.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from marquee.documents import ChunkResult, keys
from marquee.domain.lifecycle import CHUNK_SETTLED_VERSIONS, REVIVED_BY_REPORT
from marquee.errors import TitleUnknown
from marquee.logs import get_logger
from marquee.stores.catalogue.contract import Versions
from marquee.stores.job_queue.contract import JobQueue
from marquee.stores.objects.contract import Objects

FAILED_KEPT: Final = timedelta(days=7)
"""A failed version may be taken up again where it failed; after this long from its first chunk on."""
STRAY_AFTER: Final = timedelta(days=1)
"""Longer than any attempt at a chunk lasts."""
_BATCH: Final = 200

log = get_logger()


async def drop_settled_waiters(queue: JobQueue, versions: Versions) -> int:
    """End the waiting of versions that no longer need their chunks. Returns how many there were."""
    left = 0
    for movie_id, number in await queue.waiting_versions():
        if await _needs_chunks(versions, movie_id, number):
            continue
        await queue.cancel(movie_id, number)
        left += 1
    return left


async def _needs_chunks(versions: Versions, movie_id: str, number: int) -> bool:
    try:
        version = await versions.get(movie_id, number)
    except TitleUnknown:
        return False
    if version.state in REVIVED_BY_REPORT:
        return datetime.now(UTC) - version.updated_at < FAILED_KEPT
    return version.state not in CHUNK_SETTLED_VERSIONS


async def sweep_chunks(queue: JobQueue, objects: Objects, *, older_than_seconds: float) -> int:
    """Remove chunks that no version has waited for in that time. Returns how many objects went."""
    removed = 0
    while jobs := await queue.unreferenced_jobs(older_than_seconds=older_than_seconds, limit=_BATCH):
        gone = await remove_chunks(queue, objects, jobs)
        removed += gone
        if gone:
            log.info("chunks swept", jobs=len(jobs), objects=gone)
    return removed


async def remove_chunks(queue: JobQueue, objects: Objects, job_ids: Sequence[str]) -> int:
    """Remove these jobs and what they stored, except jobs that a version waits for. Returns how many objects went."""
    removed = 0
    for job_id in job_ids:
        # Listed before the job is deleted: what is stored after that is a new attempt's.
        stored = [info.key async for info in objects.list(keys.chunk_prefix(job_id))]
        if await queue.delete_unreferenced(job_id) and stored:
            await objects.delete(stored)
            removed += len(stored)
    return removed


async def sweep_strays(queue: JobQueue, objects: Objects, *, older_than: timedelta = STRAY_AFTER) -> int:
    """Remove what attempts stored that did not become their job's result. Returns how many objects went."""
    moment = (datetime.now(UTC) - older_than).timestamp() * 1000
    old: dict[str, list[str]] = defaultdict(list)
    async for info in objects.list(keys.CHUNKS_PREFIX):
        if info.modified_at_ms < moment:
            old[keys.job_of_chunk(info.key)].append(info.key)
    removed = 0
    job_ids = list(old)
    for first in range(0, len(job_ids), _BATCH):
        some = job_ids[first : first + _BATCH]
        kept: set[str] = set()
        for status in await queue.statuses(some):
            if status.result is not None:
                kept |= {part.key for part in msgspec.json.decode(status.result, type=ChunkResult).parts}
        strays = [key for job_id in some for key in old[job_id] if key not in kept]
        if strays:
            await objects.delete(strays)
            removed += len(strays)
            log.info("stray chunks swept", objects=len(strays))
    return removed
