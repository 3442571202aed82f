"""Dagster's own processes, killed with SIGKILL while a title is ingested: the run is retried from its failure, without a hand."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import dagster as dg
import pytest

from marquee.code_locations import CODE_LOCATIONS
from marquee.events import TRANSCODING_JOBS
from marquee.platform.local_engines import wait_until_ready
from marquee.platform.programs import dagster as programs
from marquee.platform.supervisor.program import Program
from marquee.settings import Settings
from marquee.stores.catalogue.values import Upload
from marquee.stores.opened import Stores, open_stores
from marquee.stores.schema.migrate import ensure_database
from tests.harness.chain import completed, platform_settings, searchable, upload_film, version_of, workers  # noqa: F401 - fixtures

(INGEST,) = [location for location in CODE_LOCATIONS if location.name == "ingest"]
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
WAIT_SECONDS = 240.0
"""Generous: these tests start Dagster itself, on a machine that may be busy."""


@contextlib.contextmanager
def started(program: Program, settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A program that says by itself when it is of use: nothing here waits for it."""
    with (settings.state / f"{program.name}.log").open("ab") as output:
        process = subprocess.Popen(
            program.launch_command,
            stdout=output,
            stderr=output,
            env={**os.environ, **program.environment, "MARQUEE_STATE": str(settings.state)},
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


@pytest.fixture
async def stores(platform_settings: Settings) -> AsyncIterator[Stores]:  # noqa: F811
    async with open_stores(platform_settings) as stores:
        yield stores


@pytest.fixture(autouse=True)
async def search_sync(platform_settings: Settings) -> AsyncIterator[None]:  # noqa: F811
    """A run ends only once its title is searchable, and until then holds one of Dagster's slots."""
    async with searchable(platform_settings):
        yield


@pytest.fixture
def dagster_home(platform_settings: Settings) -> Iterator[dg.DagsterInstance]:  # noqa: F811
    ensure_database(platform_settings.dagster_database)
    home = programs.write_home(platform_settings)
    with dg.DagsterInstance.from_config(home) as instance:
        yield instance


async def ingest_of(instance: dg.DagsterInstance, upload: Upload, *, at_step: str) -> dg.DagsterRun:
    """The upload's run, once it is at a step."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            for run in await asyncio.to_thread(
                instance.get_runs, dg.RunsFilter(tags={"dagster/partition": upload.movie_id})
            ):
                logs = await asyncio.to_thread(instance.all_logs, run.run_id, of_type=dg.DagsterEventType.STEP_START)
                if any(entry.step_key == at_step for entry in logs):
                    return run
            await asyncio.sleep(0.2)


async def playable(stores: Stores, upload: Upload) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while (await version_of(stores, upload)).state != "playable":  # noqa: ASYNC110 - made by other processes
            await asyncio.sleep(0.2)


async def pid_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> int:
    seen = instance.run_launcher.process_of_run(run.run_id)  # type: ignore[attr-defined]
    assert seen is not None, "the run's events tell its pid"
    return int(seen.pid)


async def test_a_killed_run_is_retried_from_its_failure(
    platform_settings: Settings,  # noqa: F811
    stores: Stores,
    workers: None,  # noqa: F811
    dagster_home: dg.DagsterInstance,
    shared_media: Path,
) -> None:
    upload = await upload_film(stores, shared_media / "dev" / "sintel_720p_16s.mp4", hot=True)
    server = programs.code_server(platform_settings, INGEST)
    with started(server, platform_settings), started(programs.daemon(platform_settings), platform_settings):
        await wait_until_ready(server, seconds=120)
        await stores.event_log.publish(TRANSCODING_JOBS, upload.movie_id, completed(upload))
        run = await ingest_of(dagster_home, upload, at_step="renditions")
        os.kill(await pid_of(dagster_home, run), signal.SIGKILL)
        await playable(stores, upload)
    runs = dagster_home.get_runs(dg.RunsFilter(tags={"dagster/partition": upload.movie_id}))
    assert len(runs) == 2, "one retry"
    again = [one.step_key for one in dagster_home.all_logs(runs[0].run_id, of_type=dg.DagsterEventType.STEP_START)]
    assert "source" not in again, "what was done before the kill is not done again"


@pytest.mark.parametrize("run_dies_too", [False, True], ids=["its run lives on", "its run dies with it"])
async def test_a_killed_code_server_costs_no_ingest(
    platform_settings: Settings,  # noqa: F811
    stores: Stores,
    workers: None,  # noqa: F811
    dagster_home: dg.DagsterInstance,
    shared_media: Path,
    run_dies_too: bool,
) -> None:
    film = "d_interlaced_1080i_h264.mkv" if run_dies_too else "d_interlaced_576i_tff.ts"
    upload = await upload_film(stores, shared_media / "derived" / film, hot=True)
    server = programs.code_server(platform_settings, INGEST)
    with started(programs.daemon(platform_settings), platform_settings):
        with started(server, platform_settings) as process:
            await wait_until_ready(server, seconds=120)
            await stores.event_log.publish(TRANSCODING_JOBS, upload.movie_id, completed(upload))
            run = await ingest_of(dagster_home, upload, at_step="renditions")
            worker = await pid_of(dagster_home, run)
            process.kill()
            process.wait()
            if run_dies_too:
                os.kill(worker, signal.SIGKILL)
        with started(server, platform_settings):
            await playable(stores, upload)
            next_one = await upload_film(stores, shared_media / "fixtures" / "test_sar.mp4", hot=True)
            await stores.event_log.publish(TRANSCODING_JOBS, next_one.movie_id, completed(next_one))
            await playable(stores, next_one)
