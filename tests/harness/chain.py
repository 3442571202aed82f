"""A small platform for the chain's tests.

It has real engines with a migrated schema, buckets and topics. `upload_film` stores an upload as the API does, `worker` is a
real worker process, and `run_ingest` runs the `ingest` job in this process.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import dagster as dg
import msgspec
import pytest
from pydantic import SecretStr

from assets.ingest.partitions import UPLOAD_TAG, VERSION_TAG
from marquee.documents import STAGES, keys
from marquee.domain.ids import new_movie_id, new_upload_id
from marquee.domain.priority import PRIORITY_TAG, priority_of
from marquee.events import TOPIC_STREAMS, TRANSCODING_JOBS, UploadCompleted
from marquee.settings import ENVIRONMENT_FILE, Settings
from marquee.stores.catalogue.values import Sidecar, TitleDetails, Upload, Version
from marquee.stores.opened import Stores, open_stores
from marquee.stores.schema.migrate import migrate
from tests.harness.media.profiles import QUICK
from tests.harness.uploads import mark_completed, new_upload

Document = TypeVar("Document", bound=msgspec.Struct)


@pytest.fixture(scope="session")
def platform_settings(
    settings: Settings,
    postgres_server: Settings,
    valkey_log_server: Settings,
    valkey_cache_server: Settings,
    s3_server: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """Settings of a platform that is ready for an ingest: quick encodes, a segment a chunk, short leases."""
    platform_settings = settings.model_copy(
        update={
            "profile": str(QUICK),
            "chunk_segments": 1,
            "lease_seconds": 3.0,
            "quality_floor_vmaf": 20.0,
            "database_url": settings.database.rsplit("/", 1)[0] + "/chain",
            # A state folder of its own: what stands in its environment file is not for the session's other processes.
            "state": tmp_path_factory.mktemp("chain"),
        }
    )
    write_environment(platform_settings)
    migrate(platform_settings.database)
    asyncio.run(prepare(platform_settings))
    return platform_settings


def write_environment(settings: Settings) -> None:
    """Write every setting that is not a default into the state folder, where this platform's processes read it."""
    lines = []
    for name in Settings.model_fields:
        value = getattr(settings, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        if text and name != "state":
            lines.append(f"MARQUEE_{name.upper()}={text}\n")
    (settings.state / ENVIRONMENT_FILE).write_text("".join(lines))


async def prepare(settings: Settings) -> None:
    async with open_stores(settings) as stores:
        for topic, streams in TOPIC_STREAMS.items():
            await stores.event_log.ensure_topic(topic, streams=streams)
        await stores.objects.ensure_bucket()
        await stores.published.ensure_bucket()


@contextlib.contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A real `python -m jobs.transcode`, stopped with SIGTERM at the end."""
    log = settings.state / "transcode.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs.transcode"],
            env={**os.environ, "MARQUEE_STATE": str(settings.state)},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


@pytest.fixture(scope="session")
def workers(platform_settings: Settings) -> Iterator[None]:
    """Two transcode workers for every test of the session that does not bring its own."""
    with worker(platform_settings), worker(platform_settings):
        yield


async def upload_film(
    stores: Stores,
    film: Path,
    *,
    movie_id: str | None = None,
    hot: bool = False,
    subtitles: Sequence[Path] = (),
) -> Upload:
    """Store a completed upload as the API does: master and sidecars in S3, the version "ingesting", an outbox row."""
    upload_id = new_upload_id()
    await stores.objects.put_file(keys.master_key(upload_id), film, content_type="video/mp4")
    sidecars = []
    for number, path in enumerate(subtitles):
        sidecar = Sidecar(keys.sidecar_key(upload_id, str(number)), path.name, "en", path.stem)
        await stores.objects.put_file(sidecar.key, path, content_type="text/plain")
        sidecars.append(sidecar)
    asked = new_upload(
        upload_id=upload_id,
        movie_id=movie_id or new_movie_id(),
        file_name=film.name,
        size_bytes=film.stat().st_size,
        hot=hot,
        sidecars=sidecars,
    )
    details = None if movie_id else TitleDetails(title=film.stem.replace("_", " "), year=2026, genres=("Drama",))
    opened = await stores.catalogue.uploads.open(asked, details)
    return await mark_completed(stores.catalogue.uploads, opened, topic=TRANSCODING_JOBS, value=completed(opened))


def completed(upload: Upload) -> bytes:
    return msgspec.json.encode(
        UploadCompleted(
            upload_id=upload.upload_id,
            movie_id=upload.movie_id,
            version=upload.version,
            hot=upload.hot,
            completed_at_ms=0,
        )
    )


def run_ingest(
    settings: Settings,
    instance: dg.DagsterInstance,
    upload: Upload,
    *,
    only: str | None = None,
    until: str | None = None,
    tagged: bool = True,
) -> dg.ExecuteInProcessResult:
    """The `ingest` job for one upload, in this process: the stages from `only` (else the first) to `until` (else the last,
    or `only` itself), with their checks."""
    from orchestration.ingest import ingest_definitions

    definitions = ingest_definitions(settings)
    instance.add_dynamic_partitions("titles", [upload.movie_id])
    first, last = STAGES.index(only or STAGES[0]), STAGES.index(until or only or STAGES[-1])
    tags = {
        UPLOAD_TAG: upload.upload_id,
        VERSION_TAG: str(upload.version),
        PRIORITY_TAG: priority_of(upload.hot),
    }
    return definitions.resolve_job_def("ingest").execute_in_process(
        partition_key=upload.movie_id,
        tags=tags if tagged else {},
        instance=instance,
        asset_selection=[dg.AssetKey(stage) for stage in STAGES[first : last + 1]],
        raise_on_error=False,
    )


async def stage_document(stores: Stores, upload: Upload, stage: str, kind: type[Document]) -> Document:
    return msgspec.json.decode(
        await stores.objects.get(keys.stage_key(upload.movie_id, upload.version, stage)), type=kind
    )


async def version_of(stores: Stores, upload: Upload) -> Version:
    return await stores.catalogue.versions.get(upload.movie_id, upload.version)


@asynccontextmanager
async def searchable(settings: Settings) -> AsyncIterator[None]:
    """Keep the index up to date with the catalogue's documents, as the search sync does, until the end of the block."""
    stop = asyncio.Event()

    async def follow() -> None:
        async with open_stores(settings, search_writer=True) as stores:
            while not stop.is_set():
                await stores.search.apply([document async for document in stores.catalogue.titles.documents()])
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.2)

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        stop.set()
        await following


async def in_thread(call: Callable[[], dg.ExecuteInProcessResult]) -> dg.ExecuteInProcessResult:
    """Run a call in a thread without an event loop, because Dagster runs an event loop of its own."""
    return await asyncio.to_thread(call)


def sentence(result: dg.ExecuteInProcessResult) -> str:
    """What Dagster shows of the step that failed, or of the film that was refused."""
    for event in result.all_events:
        if event.event_type_value == "ASSET_OBSERVATION" and event.asset_observation_data.asset_observation.description:
            return str(event.asset_observation_data.asset_observation.description)
        if event.is_step_failure:
            shown = event.step_failure_data.user_failure_data
            return (shown.description if shown else None) or str(event.step_failure_data.error)
    return ""


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    """The assets that the run wrote, by name."""
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
