"""The job `sessions` as a process: on a standalone cluster started here from PySpark's wheel, and killed in the middle."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("pyspark")
pytest.importorskip("pyarrow")

import pyspark

from marquee.platform.programs.spark_java import spark_java_home
from marquee.settings import Settings
from marquee.stores.schema.migrate import migrate
from tests.jobs.spark.frames import DAY, Events
from tests.jobs.spark.lakes import ask, store

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("spark")]

SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"
SECONDS = 600


@pytest.fixture
def platform(postgres_server: Settings, empty_database: str, tmp_path: Path) -> Settings:
    migrate(empty_database)
    told = {"state": tmp_path / "state", "database_url": empty_database, "lake_url": f"file://{tmp_path / 'lake'}"}
    settings = postgres_server.model_copy(update=told)
    settings.state.mkdir()
    events = Events()
    for number in range(50):
        events.play(f"v_{number}", number, profile_id=f"p_{number}")
    store(settings, events.rows, tmp_path)
    return settings


def _environment(settings: Settings, **more: str) -> dict[str, str]:
    told = {
        "MARQUEE_STATE": str(settings.state),
        "MARQUEE_DATABASE_URL": settings.database,
        "MARQUEE_LAKE_URL": settings.lake_url,
    }
    return {"PATH": os.environ["PATH"], **told, **more}


def _start(settings: Settings, **more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "jobs.spark.sessions", "--day", str(DAY)]
    return subprocess.Popen(
        command, env=_environment(settings, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _figures(process: subprocess.Popen[str]) -> dict[str, Any]:
    told, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors[-3000:]
    figures: dict[str, Any] = json.loads(told.strip().splitlines()[-1])
    return figures


def _until(condition: Any, what: str) -> None:
    """Waits for a condition; `what` says in words what did not happen."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


@contextmanager
def _daemon(log: Path, java_home: Path, *arguments: str) -> Iterator[None]:
    with log.open("w") as output:
        told = {"PATH": os.environ["PATH"], "JAVA_HOME": str(java_home)}
        process = subprocess.Popen([SPARK_CLASS, *arguments], stdout=output, stderr=output, env=told)
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def _cluster(settings: Settings, folder: Path) -> Iterator[str]:
    """A master and a worker on free ports of this host. Gives the master's URL."""
    java_home = spark_java_home(settings)
    master_log, worker_log = folder / "master.log", folder / "worker.log"
    deploy = "org.apache.spark.deploy"
    with ExitStack() as stack:
        master = (f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        stack.enter_context(_daemon(master_log, java_home, *master))
        url = re.compile(r"Starting Spark master at (spark://\S+)")
        _until(lambda: url.search(master_log.read_text()), "the master did not start")
        found = url.search(master_log.read_text())
        assert found is not None
        worker = (
            f"{deploy}.worker.Worker",
            "--host",
            "127.0.0.1",
            "--webui-port",
            "0",
            "--cores",
            "1",
            "--memory",
            "1g",
        )
        stack.enter_context(_daemon(worker_log, java_home, *worker, "--work-dir", str(folder / "worker"), found[1]))
        _until(lambda: "Successfully registered with master" in worker_log.read_text(), "the worker did not register")
        yield found[1]


def test_a_standalone_cluster_gives_what_this_host_gives(platform: Settings, tmp_path: Path) -> None:
    here = _figures(_start(platform))
    facts = ask(platform, "SELECT * FROM daily_quality ORDER BY cut, value")
    with _cluster(platform, tmp_path) as url:
        few = {"spark.sql.shuffle.partitions": "2", "spark.driver.host": "127.0.0.1"}
        properties = json.dumps({"spark.executor.memory": "512m", **few})
        there = _figures(_start(platform, MARQUEE_SPARK_MASTER=url, MARQUEE_SPARK_PROPERTIES=properties))
        assert "Asked to launch executor" in (tmp_path / "worker.log").read_text(), "the worker did nothing"
    assert here["sessions"] == there["sessions"] == 50
    assert ask(platform, "SELECT * FROM daily_quality ORDER BY cut, value") == facts


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_job_leaves_the_old_facts_and_no_process(
    platform: Settings, ending: signal.Signals, tmp_path: Path
) -> None:
    _figures(_start(platform))
    before = ask(platform, "SELECT * FROM daily_title")
    more = Events()
    more.play("v_more", profile_id="p_more", event_id=None)
    for number, row in enumerate(more.rows):
        row["event_id"] = f"more{number}"
    store(platform, more.rows, tmp_path)
    work = platform.state / "spark" / "work"
    process = _start(platform)
    _until(lambda: any(work.glob("*/blockmgr-*")), "Spark did not start")
    children = psutil.Process(process.pid).children(recursive=True)
    assert children, "the job has no JVM"
    process.send_signal(ending)
    process.communicate(timeout=SECONDS)
    assert process.returncode == (-ending if ending == signal.SIGKILL else 128 + ending)
    _until(lambda: not any(child.is_running() for child in children), "the JVM outlived the job")
    assert ask(platform, "SELECT * FROM daily_title") == before
    again = _figures(_start(platform))
    assert again["sessions"] == 51
    assert list(work.iterdir()) == [], "the next run removes what the killed one left"
