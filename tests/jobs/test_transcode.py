"""Transcode workers as real processes: killed, stopped, and several on one master."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import psutil
import pytest

from marquee.documents import ChunkJob, ChunkResult, PlanDocument, SourceDocument
from marquee.errors import ObjectMissing
from marquee.ingest.source_cache import SourceCache, file_sha256
from marquee.media.encode import plan as planning
from marquee.media.source.claims import SourceLimits
from marquee.media.source.judge import judge
from marquee.settings import Settings
from marquee.stores.job_queue.contract import JobStatus, NewJob
from marquee.stores.opened import Stores, open_stores
from marquee.stores.schema.migrate import migrate
from tests.harness.chain import platform_settings, upload_film, worker, write_environment  # noqa: F401 - platform_settings is a fixture
from tests.harness.media import profiles

SINTEL = "dev/sintel_720p_16s.mp4"
WAIT_SECONDS = 90.0


@pytest.fixture(scope="module")
def apart(platform_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:  # noqa: F811
    """A queue and a state folder of these tests' own: no other test's worker takes their chunks."""
    apart = platform_settings.model_copy(
        update={
            "state": tmp_path_factory.mktemp("apart"),
            "database_url": platform_settings.database.rsplit("/", 1)[0] + "/transcode",
        }
    )
    write_environment(apart)
    migrate(apart.database)
    return apart


@pytest.fixture
async def stores(apart: Settings) -> AsyncIterator[Stores]:
    async with open_stores(apart) as stores:
        yield stores


@asynccontextmanager
async def queued(stores: Stores, film: Path, *, preset: str) -> AsyncIterator[list[ChunkJob]]:
    """A film's chunks in the queue, under an encoder name of this test's own, so that no other test has made them."""
    upload = await upload_film(stores, film)
    source: SourceDocument = await judge(
        film,
        movie_id=upload.movie_id,
        version=upload.version,
        upload_id=upload.upload_id,
        key=upload.key,
        file_name=upload.file_name,
        sha256=file_sha256(film),
        limits=SourceLimits(),
    )
    plan: PlanDocument = planning.plan(
        source,
        profiles.h264(preset),
        chunk_segments=1,
        encoders={"h264": f"libx264 for {upload.movie_id}"},
    )
    jobs = planning.chunk_jobs(plan, source)
    await stores.job_queue.enqueue(
        [NewJob(job.job_id, job.movie_id, job.version, msgspec.json.encode(job)) for job in jobs]
    )
    try:
        yield jobs
    finally:
        await stores.job_queue.cancel(upload.movie_id, upload.version)


async def statuses_when(stores: Stores, jobs: list[ChunkJob], wanted: str) -> list[JobStatus]:
    """The jobs' statuses once one of them (`leased`) or all (`done`) are in a state."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            found = list(await stores.job_queue.statuses([job.job_id for job in jobs]))
            if (any if wanted == "leased" else all)(status.state == wanted for status in found):
                return found
            await asyncio.sleep(0.05)


async def test_a_worker_killed_in_a_chunk_costs_that_chunk_and_nothing_else(
    apart: Settings,
    stores: Stores,
    shared_media: Path,
) -> None:
    async with queued(stores, shared_media / "dev" / "theora_400x300.ogv", preset="slow") as jobs:
        with worker(apart) as victim:
            found = await statuses_when(stores, jobs, "leased")
            encoders = psutil.Process(victim.pid).children(recursive=True)
            victim.send_signal(signal.SIGKILL)
            victim.wait()
        killed = next(status.job_id for status in found if status.state == "leased")
        _, alive = psutil.wait_procs(encoders, timeout=5)
        assert not alive, "an encoder does not outlive its worker"
        with worker(apart):
            found = await statuses_when(stores, jobs, "done")
    attempts = {status.job_id: status.attempts for status in found}
    assert attempts.pop(killed) == 2, "the killed worker's chunk is done again"
    assert set(attempts.values()) == {1}, "no other chunk is"
    for job, status in zip(jobs, found, strict=True):
        result = msgspec.json.decode(status.result or b"", type=ChunkResult)
        assert [part.rung for part in result.parts] == [rung.name for rung in job.settings.rungs]
        assert all(part.frames == job.chunk.frames for part in result.parts)
        for part in result.parts:
            info = await stores.objects.head(part.key)
            assert info is not None, f"{part.key} is missing although its job is done"
            assert info.size_bytes == part.size_bytes
    leftovers = [path for path in (apart.state / "work").iterdir() if path.name.startswith("chunk-")]
    assert not leftovers, "the next worker sweeps what a killed one left"


async def test_a_worker_told_to_stop_gives_its_chunk_back_at_once(
    apart: Settings,
    stores: Stores,
    shared_media: Path,
) -> None:
    async with queued(stores, shared_media / SINTEL, preset="veryslow") as jobs:
        with worker(apart) as stopped:
            await statuses_when(stores, jobs, "leased")
            stopped.terminate()
            await asyncio.to_thread(stopped.wait, 10)
        assert stopped.returncode == 0
        found = await stores.job_queue.statuses([job.job_id for job in jobs])
    assert {status.state for status in found} == {"queued"}
    assert {status.attempts for status in found} == {0}, "a stop is not an attempt"


async def test_a_cancelled_chunk_ends_its_encoder(
    apart: Settings,
    stores: Stores,
    shared_media: Path,
) -> None:
    async with queued(stores, shared_media / SINTEL, preset="veryslow") as jobs:
        with worker(apart) as busy:
            await statuses_when(stores, jobs, "leased")
            await stores.job_queue.cancel(jobs[0].movie_id, jobs[0].version)
            process = psutil.Process(busy.pid)
            async with asyncio.timeout(apart.lease_seconds * 3):
                while process.children():  # noqa: ASYNC110 - another process's children make no event
                    await asyncio.sleep(0.05)
            assert busy.poll() is None, "the worker itself lives on"


async def test_a_master_is_fetched_once_however_many_want_it(
    apart: Settings,
    stores: Stores,
    shared_media: Path,
    tmp_path: Path,
) -> None:
    film = shared_media / "fixtures" / "screen_1080p.mp4"
    upload = await upload_film(stores, film)
    sha256, size = file_sha256(film), film.stat().st_size
    inodes = set()

    async def use() -> None:
        cache = SourceCache(tmp_path, limit_bytes=1)
        async with cache.hold(stores.objects, upload.key, sha256=sha256, size_bytes=size) as path:
            inodes.add(path.stat().st_ino)
            assert path.read_bytes() == film.read_bytes()

    await asyncio.gather(*(use() for _ in range(8)))
    assert len(inodes) == 1, "one download serves all"


async def test_the_cache_evicts_the_longest_unused_and_never_what_is_held(
    apart: Settings,
    stores: Stores,
    shared_media: Path,
    tmp_path: Path,
) -> None:
    films = [shared_media / "fixtures" / name for name in ("test_sar.mp4", "test_hevc10.mkv", "test_vp6.flv")]
    uploads = [await upload_film(stores, film) for film in films]
    cache = SourceCache(tmp_path, limit_bytes=films[2].stat().st_size)
    shas = [file_sha256(film) for film in films]

    def hold(index: int):  # type: ignore[no-untyped-def]
        return cache.hold(
            stores.objects, uploads[index].key, sha256=shas[index], size_bytes=films[index].stat().st_size
        )

    async with hold(0) as held:
        os.utime(held, (1, 1))
        async with hold(1):
            pass
        async with hold(2):
            pass
        assert held.exists(), "what is held stays, however old"
    kept = {path.name for path in (tmp_path / "cache" / "sources").iterdir()}
    assert shas[1] not in kept, "past its size the cache drops what was not used longest"
    assert shas[2] in kept


async def test_a_master_that_changed_in_the_store_is_not_used(
    apart: Settings,
    stores: Stores,
    shared_media: Path,
    tmp_path: Path,
) -> None:
    film = shared_media / "fixtures" / "test_sar.mp4"
    upload = await upload_film(stores, film)
    await stores.objects.put(upload.key, b"something else", content_type="video/mp4")
    cache = SourceCache(tmp_path, limit_bytes=1)
    with pytest.raises(ObjectMissing, match="no longer holds"):
        async with cache.hold(stores.objects, upload.key, sha256=file_sha256(film), size_bytes=film.stat().st_size):
            pass
    assert not [*(tmp_path / "cache" / "sources").iterdir()], "nothing half-made stays in the cache"
