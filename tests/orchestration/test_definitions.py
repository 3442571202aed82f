"""Dagster accepts the definitions, quickly and without any engine; the sensor asks for each upload's run once."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import msgspec
import psycopg
import pytest

from assets.ingest.partitions import UPLOAD_TAG, VERSION_TAG
from assets.ingest.progress import WEIGHTS, overall_percent
from marquee.documents import STAGES
from marquee.domain.priority import BACKFILL, PRIORITY_TAG, RELEASE
from marquee.events import TRANSCODING_JOBS, UploadCompleted
from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from marquee.stores.opened import open_stores
from orchestration.ingest import ingest_definitions
from orchestration.sensors import cancelled_ingests, lost_ingests, uploads
from tests.harness.chain import platform_settings, upload_film  # noqa: F401 - a fixture

PROJECT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    "command",
    [
        ["dagster", "definitions", "validate", "-w", "workspace.yaml"],
        ["dg", "check", "defs"],
    ],
    ids=["dagster definitions validate", "dg check defs"],
)
def test_dagsters_own_validation_passes(command: list[str], tmp_path: Path) -> None:
    program = Path(sys.executable).parent / command[0]
    if not program.exists():
        pytest.skip(f"{command[0]} is not installed: pip install dagster-dg-cli")
    checked = subprocess.run(
        [str(program), *command[1:]],
        cwd=PROJECT,
        env={
            **os.environ,
            "DAGSTER_HOME": str(tmp_path),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "MARQUEE_STATE": str(tmp_path / "nowhere"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_chain_is_one_job_in_the_order_of_its_stages() -> None:
    definitions = ingest_definitions(object())
    graph = definitions.resolve_asset_graph()
    order = [key.to_user_string() for level in graph.toposorted_asset_keys_by_level for key in level]
    assert order == list(STAGES)
    checks = {key.name: graph.get_check_spec(key) for key in graph.asset_check_keys}
    judged = {name: spec.asset_key.to_user_string() for name, spec in checks.items()}
    assert judged == {"audio_in_step": "streams", "picture_good_enough": "quality", "segments_add_up": "manifest"}
    assert all(spec.blocking for spec in checks.values()), "a check that does not block would let a bad title out"
    assert all(STAGES.index(asset) < STAGES.index("title") for asset in judged.values()), "a check comes after `title`"


def test_the_ingest_job_runs_the_chain_and_no_other_asset() -> None:
    @dg.asset(group_name="other")
    def unrelated() -> None: ...

    merged = dg.Definitions.merge(ingest_definitions(object()), dg.Definitions(assets=[unrelated]))
    selected = merged.resolve_job_def("ingest").asset_layer.selected_asset_keys
    assert {key.to_user_string() for key in selected} == set(STAGES)
    graph = merged.resolve_asset_graph()
    assert {graph.get(dg.AssetKey(stage)).group_name for stage in STAGES} == {"ingest"}


def test_the_weights_of_the_stages_add_up_to_the_whole() -> None:
    assert list(WEIGHTS) == list(STAGES)
    assert sum(WEIGHTS.values()) == 100
    assert overall_percent(STAGES[0], 0.0) == 0
    assert overall_percent(STAGES[-1], 1.0) == 100


def test_loading_the_definitions_is_quick() -> None:
    def cpu_seconds(code: str) -> float:
        before = os.times().children_user + os.times().children_system
        subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=120)
        return os.times().children_user + os.times().children_system - before

    dagster_alone = cpu_seconds("import dagster")
    ours = cpu_seconds("from orchestration.ingest import defs; defs()") - dagster_alone
    assert ours < 1.5, (
        f"loading the definitions costs {ours:.2f} s of computing beyond Dagster's own {dagster_alone:.2f} s"
    )


@pytest.fixture(params=["valkey_log_url", pytest.param("kafka_log_url", marks=pytest.mark.xdist_group("kafka"))])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


async def test_the_sensor_asks_for_one_run_an_upload(platform_settings: Settings, url: str) -> None:  # noqa: F811
    platform_settings = platform_settings.model_copy(update={"event_log_url": url})
    event_log = open_event_log(platform_settings.event_log)
    try:
        cursor = await event_log.cursor_at(TRANSCODING_JOBS, int(time.time() * 1000))
        for upload_id, hot in (("u_one", True), ("u_two", False)):
            completed = UploadCompleted(upload_id, f"m_{upload_id}", 3, hot, 0)
            await event_log.publish(TRANSCODING_JOBS, completed.movie_id, msgspec.json.encode(completed))
    finally:
        await event_log.close()

    def tick(cursor: str | None) -> dg.SensorResult:
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(
                instance=instance,
                cursor=cursor,
                resources={"settings": platform_settings},
                definitions=ingest_definitions(platform_settings),
            )
            result = uploads(context)
            assert isinstance(result, dg.SensorResult)
            return result

    result = await asyncio.to_thread(tick, cursor)
    requests = {request.run_key: request for request in result.run_requests or []}
    assert set(requests) == {"u_one", "u_two"}
    assert requests["u_one"].partition_key == "m_u_one"
    assert requests["u_one"].tags[UPLOAD_TAG] == "u_one"
    assert requests["u_one"].tags[VERSION_TAG] == "3"
    assert requests["u_one"].tags[PRIORITY_TAG] == RELEASE
    assert requests["u_two"].tags[PRIORITY_TAG] == BACKFILL
    assert int(requests["u_one"].tags["dagster/priority"]) > int(requests["u_two"].tags["dagster/priority"])
    (added,) = result.dynamic_partitions_requests or []
    assert set(added.partition_keys) == {"m_u_one", "m_u_two"}
    again = await asyncio.to_thread(tick, result.cursor)
    assert not again.run_requests, "the cursor has moved past what was read"
    moved = await asyncio.to_thread(tick, "0:17,1:4" if url.startswith("valkey") else "1795650452124-0,1795650452125-3")
    assert {"u_one", "u_two"} <= {request.run_key for request in moved.run_requests or []}, (
        "a cursor of another engine stops the uploads for ever"
    )


@pytest.mark.parametrize("tagged", [True, False], ids=["of the sensor", "of a person"])
@pytest.mark.parametrize("status", [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED])
async def test_an_ingest_whose_run_ended_without_a_word_is_settled(
    platform_settings: Settings,  # noqa: F811
    shared_media: Path,
    tagged: bool,
    status: dg.DagsterRunStatus,
) -> None:
    async with open_stores(platform_settings) as stores:
        upload = await upload_film(stores, shared_media / "dev" / "friday_640x480.mp4")
        movie_id, number = upload.movie_id, upload.version
        tags = {"dagster/partition": movie_id, **({VERSION_TAG: str(number)} if tagged else {})}
        run = dg.DagsterRun(job_name="ingest" if tagged else "__ASSET_JOB", tags=tags, status=status)
        await stores.catalogue.versions.report_progress(
            movie_id, number, stage="renditions", percent=20.0, speed=None, run_id=run.run_id
        )

        def tick() -> list[dg.RunRequest]:
            with dg.DagsterInstance.ephemeral() as instance:
                instance.add_run(run)
                context = dg.build_sensor_context(
                    instance=instance,
                    resources={"settings": platform_settings},
                    definitions=ingest_definitions(platform_settings),
                )
                result = lost_ingests(context)
                assert isinstance(result, dg.SensorResult)
                return list(result.run_requests or [])

        requests = await asyncio.to_thread(tick)
        version = await stores.catalogue.versions.get(movie_id, number)
        if status is dg.DagsterRunStatus.CANCELED:
            assert (version.state, requests) == ("failed", [])
            assert version.reason == "renditions: the run was cancelled in Dagster."
            return
        assert version.state == "ingesting"
        (request,) = requests
        assert request.partition_key == movie_id
        assert (request.tags[VERSION_TAG], request.tags[UPLOAD_TAG]) == (str(number), upload.upload_id)

        await stores.catalogue.versions.report_progress(
            movie_id, number, stage="renditions", percent=30.0, speed=None, run_id="a-newer-run"
        )
        assert await asyncio.to_thread(tick) == [], "a newer run has it, and another was started beside"


async def test_runs_of_cancelled_versions_that_have_not_begun_are_ended(
    platform_settings: Settings,  # noqa: F811
    shared_media: Path,
) -> None:
    film = shared_media / "dev" / "friday_640x480.mp4"
    async with open_stores(platform_settings) as stores:
        upload = await upload_film(stores, film)
        other = await upload_film(stores, film, movie_id=upload.movie_id)
        await stores.catalogue.versions.cancel(upload.movie_id, upload.version)
    by_version = {
        (version, status): dg.DagsterRun(
            job_name="ingest", tags={"dagster/partition": upload.movie_id, VERSION_TAG: str(version)}, status=status
        )
        for version in (upload.version, other.version)
        for status in (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED)
    }

    def tick() -> set[tuple[int, dg.DagsterRunStatus]]:
        with dg.DagsterInstance.ephemeral() as instance:
            ended: list[str] = []
            instance.run_coordinator.cancel_run = lambda run_id: ended.append(run_id) or True  # type: ignore[method-assign,func-returns-value]
            for run in by_version.values():
                instance.add_run(run)
            cancelled_ingests(
                dg.build_sensor_context(
                    instance=instance,
                    resources={"settings": platform_settings},
                    definitions=ingest_definitions(platform_settings),
                )
            )
            return {key for key, run in by_version.items() if run.run_id in ended}

    assert await asyncio.to_thread(tick) == {(upload.version, dg.DagsterRunStatus.NOT_STARTED)}, (
        "a run that works ends itself; a run of another version goes on"
    )


async def test_the_run_of_an_old_cancellation_is_ended_too_behind_a_thousand_newer_ones(
    platform_settings: Settings,  # noqa: F811
    shared_media: Path,
) -> None:
    async with open_stores(platform_settings) as stores:
        upload = await upload_film(stores, shared_media / "dev" / "friday_640x480.mp4")
    with psycopg.connect(platform_settings.database) as connection:
        # Older than the cancellations of other tests, and nothing is stored of them.
        connection.execute(
            "INSERT INTO title_version (movie_id, version, upload_id, state, stage, removed, updated_at)"
            " SELECT %s, n, %s || n, 'cancelled', 'source', true,"
            " now() - interval '20 hours' - n * interval '1 second' FROM generate_series(2, 2500) AS n",
            [upload.movie_id, upload.upload_id],
        )
    run = dg.DagsterRun(
        job_name="ingest",
        tags={"dagster/partition": upload.movie_id, VERSION_TAG: "2500"},
        status=dg.DagsterRunStatus.NOT_STARTED,
    )

    def ticks() -> list[str]:
        with dg.DagsterInstance.ephemeral() as instance:
            ended: list[str] = []
            instance.run_coordinator.cancel_run = lambda run_id: ended.append(run_id) or True  # type: ignore[method-assign,func-returns-value]
            instance.add_run(run)
            cursor = None
            for _ in range(4):
                context = dg.build_sensor_context(
                    instance=instance,
                    cursor=cursor,
                    resources={"settings": platform_settings},
                    definitions=ingest_definitions(platform_settings),
                )
                cancelled_ingests(context)
                cursor = context.cursor
            return ended

    assert run.run_id in await asyncio.to_thread(ticks), "no tick came to the old cancellation"
