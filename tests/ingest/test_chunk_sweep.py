"""Chunks go when no version needs them any more, and not a moment before, whoever is deleted or killed when."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from marquee.documents import ChunkResult, RenditionPart, keys
from marquee.ingest.chunk_sweep import drop_settled_waiters, remove_chunks, sweep_chunks, sweep_strays
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Upload
from marquee.stores.job_queue import open_job_queue
from marquee.stores.job_queue.contract import JobQueue, NewJob
from marquee.stores.objects.contract import Objects
from tests.harness.catalogue.steps import ingesting, publication_of


@pytest.fixture
async def queue(catalogue: Catalogue, empty_database: str) -> AsyncIterator[JobQueue]:
    store = open_job_queue(empty_database)
    yield store
    await store.close()


@pytest.fixture
async def objects(objects: Objects) -> Objects:
    await objects.delete([info.key async for info in objects.list(keys.CHUNKS_PREFIX)])
    return objects


def jobs_of(upload: Upload, count: int = 2) -> list[NewJob]:
    return [NewJob(secrets.token_hex(32), upload.movie_id, upload.version, b"payload") for _ in range(count)]


def for_copy(jobs: list[NewJob], upload: Upload) -> list[NewJob]:
    return [NewJob(job.job_id, upload.movie_id, upload.version, job.payload) for job in jobs]


async def made(queue: JobQueue, objects: Objects, *, attempt: str = "1-a") -> None:
    """Every queued job done, as a worker leaves it."""
    while (lease := await queue.claim("worker", lease_seconds=30)) is not None:
        key = keys.chunk_key(keys.chunk_prefix(lease.job_id), attempt, "360p")
        await objects.put(key, b"a chunk", content_type="video/mp4")
        part = RenditionPart(rung="360p", key=key, size_bytes=7, frames=1, sha256="0")
        result = ChunkResult(parts=[part], cpu_seconds=0.0, wall_seconds=0.0, worker="worker")
        await queue.complete(lease, msgspec.json.encode(result))


async def stored(objects: Objects) -> list[str]:
    return sorted([info.key async for info in objects.list(keys.CHUNKS_PREFIX)])


async def sweep(queue: JobQueue, catalogue: Catalogue, objects: Objects, *, keep_seconds: float = 0.0) -> int:
    await drop_settled_waiters(queue, catalogue.versions)
    return await sweep_chunks(queue, objects, older_than_seconds=keep_seconds)


async def test_a_version_keeps_its_chunks_until_it_is_published(
    queue: JobQueue, catalogue: Catalogue, objects: Objects
) -> None:
    upload = await ingesting(catalogue)
    await queue.enqueue(jobs_of(upload))
    await made(queue, objects)
    assert await sweep(queue, catalogue, objects) == 0
    await catalogue.versions.fail(upload.movie_id, upload.version, "the disk was full")
    assert await sweep(queue, catalogue, objects) == 0, "a failed version may be taken up where it failed"
    await catalogue.versions.report_progress(upload.movie_id, upload.version, stage="streams", percent=50.0)
    await catalogue.versions.publish(publication_of(upload.movie_id, upload.version))
    assert await sweep(queue, catalogue, objects, keep_seconds=3600.0) == 0, "kept for a copy of the film"
    assert await sweep(queue, catalogue, objects) == 2
    assert await stored(objects) == []
    assert await queue.count_by_state() == {}, "the jobs are deleted with their chunks"


async def test_a_deleted_titles_chunks_go_but_those_of_a_copy(
    queue: JobQueue, catalogue: Catalogue, objects: Objects
) -> None:
    original, copy = await ingesting(catalogue), await ingesting(catalogue)
    jobs = jobs_of(original, 3)
    await queue.enqueue(jobs)
    await made(queue, objects)
    await queue.enqueue(for_copy(jobs[:2], copy))
    await catalogue.titles.delete(original.movie_id)
    # What the original's own chain does when it finds that its title is gone, at that very moment.
    await queue.cancel(original.movie_id, original.version)
    assert await remove_chunks(queue, objects, [job.job_id for job in jobs]) == 1
    assert await sweep(queue, catalogue, objects) == 0, "the copy needs the rest"
    assert len(await stored(objects)) == 2
    await catalogue.versions.publish(publication_of(copy.movie_id, copy.version))
    assert await sweep(queue, catalogue, objects) == 2


async def test_a_copy_that_comes_while_chunks_are_removed_misses_none(
    queue: JobQueue, catalogue: Catalogue, objects: Objects
) -> None:
    original = await ingesting(catalogue)
    jobs = jobs_of(original, 10)
    for round_ in range(5):
        await queue.enqueue(jobs)
        await made(queue, objects, attempt=f"{round_}-a")
        await queue.cancel(original.movie_id, original.version)
        copy = await ingesting(catalogue)
        await asyncio.gather(
            remove_chunks(queue, objects, [job.job_id for job in jobs]), queue.enqueue(for_copy(jobs, copy))
        )
        await made(queue, objects, attempt=f"{round_}-b")
        for status in await queue.statuses([job.job_id for job in jobs]):
            assert status.result is not None
            for part in msgspec.json.decode(status.result, type=ChunkResult).parts:
                assert await objects.head(part.key) is not None, "a job is done and its chunk is gone"
        await queue.cancel(copy.movie_id, copy.version)


async def test_what_a_fenced_off_worker_stored_is_swept(
    queue: JobQueue, catalogue: Catalogue, objects: Objects
) -> None:
    upload = await ingesting(catalogue)
    (job,) = jobs_of(upload, 1)
    await queue.enqueue([job])
    stray, unknown = f"{keys.CHUNKS_PREFIX}{job.job_id}/1-lost/360p.mp4", f"{keys.CHUNKS_PREFIX}unknown/1-a/360p.mp4"
    for key in (stray, unknown):
        await objects.put(key, b"nobody's", content_type="video/mp4")
    await made(queue, objects, attempt="2-a")
    assert await sweep_strays(queue, objects) == 0, "an attempt may be under way"
    assert await sweep_strays(queue, objects, older_than=timedelta(seconds=-60)) == 2
    assert await stored(objects) == [f"{keys.CHUNKS_PREFIX}{job.job_id}/2-a/360p.mp4"]
