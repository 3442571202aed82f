"""A run whose process starts too late: it fails with START_TIMEOUT, and the platform takes its title up again by itself."""

import asyncio
from pathlib import Path
from typing import Final

import dagster as dg
import pytest

from marquee.events import TRANSCODING_JOBS
from marquee.platform.local_engines import wait_until_ready
from marquee.platform.programs import dagster as programs
from marquee.settings import Settings
from marquee.stores.opened import Stores
from tests.harness.chain import completed, platform_settings, upload_film, workers  # noqa: F401 - fixtures
from tests.orchestration.test_runs import (
    INGEST,
    WAIT_SECONDS,
    dagster_home,  # noqa: F401 - fixture
    playable,
    search_sync,  # noqa: F401 - fixture
    started,
    stores,  # noqa: F401 - fixture
)

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
START_TIMEOUT: Final = {"dagster/failure_reason": "START_TIMEOUT"}


async def test_a_run_that_starts_too_late_is_taken_up_again(
    platform_settings: Settings,  # noqa: F811
    stores: Stores,  # noqa: F811
    workers: None,  # noqa: F811
    dagster_home: dg.DagsterInstance,  # noqa: F811
    shared_media: Path,
) -> None:
    upload = await upload_film(stores, shared_media / "fixtures" / "test_sar.mp4", hot=True)
    server, daemon = programs.code_server(platform_settings, INGEST), programs.daemon(platform_settings)
    written = Path(programs.write_home(platform_settings)) / "dagster.yaml"
    usual = written.read_text()
    of_title = {"dagster/partition": upload.movie_id}
    with started(server, platform_settings):
        await wait_until_ready(server, seconds=WAIT_SECONDS)
        # 0 would switch the bound off.
        late = usual.replace("start_timeout_seconds: 600", "start_timeout_seconds: 1").replace(
            "poll_interval_seconds: 5", "poll_interval_seconds: 1"
        )
        assert late != usual
        await asyncio.to_thread(written.write_text, late)
        with started(daemon, platform_settings):
            await stores.event_log.publish(TRANSCODING_JOBS, upload.movie_id, completed(upload))
            async with asyncio.timeout(WAIT_SECONDS):
                while not await asyncio.to_thread(  # noqa: ASYNC110 - made by other processes
                    dagster_home.get_runs, dg.RunsFilter(tags={**of_title, **START_TIMEOUT})
                ):
                    await asyncio.sleep(0.2)
        await asyncio.to_thread(written.write_text, usual)
        with started(daemon, platform_settings):
            await playable(stores, upload)
    runs = dagster_home.get_runs(dg.RunsFilter(tags=of_title))
    lost = [run for run in runs if run.tags.get("dagster/failure_reason") == "START_TIMEOUT"]
    assert lost, "no run started too late: nothing was tried"
    assert len(runs) > len(lost), "no run was started in the place of the late one"
    assert (runs[0].status, runs[0].tags.get("dagster/failure_reason")) != (
        dg.DagsterRunStatus.FAILURE,
        "START_TIMEOUT",
    )
