"""Dagster's instance by the settings: where its storage is, what starts runs and steps, how many stages may call ffmpeg."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from assets.ingest.partitions import FFMPEG
from marquee.domain.priority import ANALYTICS_RUN, ANALYTICS_TAG, PRIORITY_TAG, priority_of
from marquee.errors import SettingsInvalid
from marquee.platform.programs import dagster as programs
from marquee.settings import Settings
from marquee.stores.schema.migrate import ensure_database
from orchestration.executor import executor_of
from orchestration.ingest import ingest_definitions
from tests.harness.chain import write_environment
from tests.harness.servers import make_test_settings


@pytest.fixture
def own(migrated_database: Settings, tmp_path: Path) -> Settings:
    """A platform with Dagster's storage in the session's PostgreSQL and two places for ffmpeg."""
    settings = make_test_settings(
        tmp_path,
        dagster_database_url=migrated_database.postgres_url("dagster_instance"),
        ffmpeg_slots=2,
    )
    write_environment(settings)
    ensure_database(settings.dagster_database)
    return settings


@pytest.fixture
def instance(own: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(programs.write_home(own)) as instance:
        yield instance


def test_the_instance_keeps_its_runs_in_postgresql_and_no_password_in_its_file(
    own: Settings, instance: dg.DagsterInstance
) -> None:
    assert instance.get_runs_count() >= 0, "the storage answers"
    password = own.dagster_database.split("@")[0].rsplit(":", 1)[1]
    assert password not in (own.state / "dagster" / "dagster.yaml").read_text()
    told = json.dumps(instance.get_ref().to_dict(), default=str)
    assert password not in told, "what a run's process or pod is told in its arguments has no password in it"
    with dg.DagsterInstance.from_ref(instance.get_ref()) as elsewhere:
        assert elsewhere.get_runs_count() == instance.get_runs_count(), "a run finds the same storage by its settings"


def test_stages_that_call_ffmpeg_wait_for_a_place(instance: dg.DagsterInstance) -> None:
    graph = ingest_definitions(object()).resolve_asset_graph()
    in_pool = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).pools == {FFMPEG}}
    assert in_pool == {"source", "analysis", "streams", "subtitles", "quality", "images"}
    storage = instance.event_log_storage
    storage.initialize_concurrency_limit_to_default(FFMPEG)
    claims = [storage.claim_concurrency_slot(FFMPEG, f"run-{number}", "source").is_claimed for number in range(3)]
    assert claims == [True, True, False], "two places, and the third run waits"
    storage.free_concurrency_slots_for_run("run-0")
    assert storage.claim_concurrency_slot(FFMPEG, "run-2", "source").is_claimed, "it has the place that came free"
    for number in range(3):
        storage.free_concurrency_slots_for_run(f"run-{number}")
    assert instance.run_monitoring_settings["free_slots_after_run_end_seconds"] > 0, "a killed run keeps none"


def rendered(settings: Settings) -> dict[str, object]:
    loaded: dict[str, object] = yaml.safe_load((Path(programs.write_home(settings)) / "dagster.yaml").read_text())
    return loaded


def test_the_run_queue_bounds_the_runs_that_can_wait(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path, max_concurrent_runs=5, run_slots_for_releases=2)
    concurrency = yaml.safe_load((Path(programs.write_home(settings)) / "dagster.yaml").read_text())["concurrency"]
    assert concurrency["runs"] == {
        "max_concurrent_runs": 5,
        "tag_concurrency_limits": [
            {"key": PRIORITY_TAG, "value": priority_of(hot=False), "limit": 3},
            {"key": ANALYTICS_TAG, "value": ANALYTICS_RUN, "limit": 1},
        ],
    }, "the sensor tags a run by the same words: a limit under another word would bound nothing"


def test_a_run_may_start_late_on_a_busy_machine_and_is_retried_if_it_never_does(instance: dg.DagsterInstance) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_start_timeout_seconds >= 600, (
        "a machine that encodes needs minutes to start a process"
    )
    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries > 0, "a late run would stand as failed"


def test_the_run_launcher_is_a_setting(tmp_path: Path) -> None:
    default = rendered(make_test_settings(tmp_path))["run_launcher"]
    assert default == {"module": "orchestration.launcher", "class": "WatchfulRunLauncher", "config": {}}
    config = {"service_account_name": "marquee", "job_namespace": "marquee"}
    other = rendered(
        make_test_settings(
            tmp_path,
            dagster_run_launcher="dagster_k8s.K8sRunLauncher",
            dagster_run_launcher_config=json.dumps(config),
        )
    )["run_launcher"]
    assert other == {"module": "dagster_k8s", "class": "K8sRunLauncher", "config": config}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("dagster_run_launcher", "K8sRunLauncher", "MARQUEE_DAGSTER_RUN_LAUNCHER cannot be used"),
        ("dagster_run_launcher", "a.b: c", "MARQUEE_DAGSTER_RUN_LAUNCHER cannot be used"),
        ("dagster_run_launcher_config", "[]", "MARQUEE_DAGSTER_RUN_LAUNCHER_CONFIG cannot be used"),
        ("dagster_run_launcher_config", "{", "MARQUEE_DAGSTER_RUN_LAUNCHER_CONFIG cannot be used"),
    ],
)
def test_a_launcher_that_is_none_is_refused(tmp_path: Path, name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said):
        programs.write_home(make_test_settings(tmp_path, **{name: value}))


def test_the_executor_is_a_setting(tmp_path: Path) -> None:
    assert executor_of(make_test_settings(tmp_path)) is dg.in_process_executor
    by_process = executor_of(
        make_test_settings(
            tmp_path,
            dagster_executor="dagster.multiprocess_executor",
            dagster_executor_config='{"max_concurrent": 2}',
        )
    )
    job = ingest_definitions(object(), executor=by_process).resolve_job_def("ingest")
    assert job.executor_def.name == by_process.name, "the chain's job runs on it"
    pods = executor_of(make_test_settings(tmp_path, dagster_executor="dagster_k8s.k8s_job_executor"))
    assert pods.name == "k8s"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("dagster_executor", "dagster.asset", "is no executor"),
        ("dagster_executor", "nowhere.executor", "is no executor"),
        ("dagster_executor", "executor", "is no executor"),
        ("dagster_executor_config", "{", "MARQUEE_DAGSTER_EXECUTOR_CONFIG cannot be used"),
    ],
)
def test_an_executor_that_is_none_is_refused(tmp_path: Path, name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said):
        executor_of(make_test_settings(tmp_path, **{name: value}))
