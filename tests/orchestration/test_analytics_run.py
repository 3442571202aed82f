"""The whole chain of a range of days as `marquee analytics run` runs it where no Dagster is: twice, killed, held back."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("pyspark")
pytest.importorskip("dbt")

from marquee.platform.analytics_run import run_here
from marquee.settings import Settings
from tests.harness.viewers import last_days, platform_with_viewers, watch
from tests.jobs.spark.lakes import ask

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("spark"), pytest.mark.timeout(3600)]

SECONDS = 1800
FACTS = ("daily_title", "daily_profile", "daily_quality", "daily_failure", "daily_search")
BATCH_TABLES = ("popularity", "similar_title", "suggestion", "genre_taste", "reencode_candidate")


@pytest.fixture
def platform(postgres_server: Settings, valkey_cache_server: Settings, empty_database: str, tmp_path: Path) -> Settings:
    return platform_with_viewers(postgres_server, empty_database, tmp_path, last_days(3))


def facts(platform: Settings) -> dict[str, list[tuple[Any, ...]]]:
    return {table: sorted(ask(platform, f"SELECT * FROM {table}"), key=str) for table in FACTS}


def shown(platform: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """What viewers and pages have: the accepted batches without their numbers, and the marts without their times."""
    found = {}
    for table in BATCH_TABLES:
        rows = ask(
            platform,
            f"SELECT to_jsonb(b) - 'batch_id' FROM {table} AS b JOIN analytics_batch USING (batch_id) WHERE state = 'accepted'",
        )
        found[table] = sorted(rows, key=str)
    for (mart,) in ask(platform, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'marts'"):
        found[mart] = sorted(ask(platform, f"SELECT to_jsonb(m) - 'built_at' FROM marts.{mart} AS m"), key=str)
    return found


def processes_of(folder: Path) -> list[psutil.Process]:
    """Living processes that name this state folder: Spark's JVM, its job, dbt, the run."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ", "status"]):
        told = " ".join(process.info["cmdline"] or ()) + str((process.info["environ"] or {}).get("MARQUEE_STATE"))
        if str(folder) in told and process.info["status"] != psutil.STATUS_ZOMBIE and "postgres" not in told:
            found.append(process)
    return [process for process in found if process.pid != os.getpid()]


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_a_range_twice_gives_the_same_and_makes_its_batches_once(platform: Settings, tmp_path: Path) -> None:
    days = last_days(3)
    steps: list[str] = []
    first = asyncio.run(run_here(platform, days[0], days[-1], on_state=lambda state: steps.extend(state.steps)))
    assert first.is_whole, first
    assert {"sessions", "spark_batches", "dbt_build", "accepted_marts"} <= set(steps), "no progress was told"
    made = ask(platform, "SELECT name, state, through::date FROM analytics_batch ORDER BY name")
    assert [(name, state) for name, state, _ in made] == [
        (name, "accepted") for name in ("candidates", "popularity", "similar", "suggestions")
    ], "a batch a day, or none"
    before = facts(platform), shown(platform)
    assert {row[0] for row in before[0]["daily_title"]} == set(days)
    assert before[1]["popularity"], "nothing to compare"
    assert before[1]["daily_watch"], "nothing to compare"
    assert asyncio.run(run_here(platform, days[0], days[-1], on_state=lambda _: None)).is_whole
    assert (facts(platform), shown(platform)) == before
    assert ask(platform, "SELECT count(*) FROM analytics_batch WHERE state = 'accepted'") == [(4,)]

    late = days[1]
    watch(platform, late, tmp_path, name="late", profiles=2)
    command = [sys.executable, "-m", "marquee.cli", "analytics", "run", "--here", "--day", str(late), "--json"]
    done = subprocess.run(
        command,
        env={**os.environ, "MARQUEE_STATE": str(platform.state)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert told["made"]["sessions"]["sessions"] == 30
    assert told["made"]["accepted_popularity"]["popularity state"] == "older than the accepted one"
    changed = {table for table, rows in facts(platform).items() if rows != before[0][table]}
    assert changed == {"daily_title", "daily_profile", "daily_quality"}
    assert {row[0] for row in set(facts(platform)["daily_title"]) ^ set(before[0]["daily_title"])} == {late}


def test_a_run_that_is_killed_in_the_middle_leaves_no_process_and_nothing_half_made(platform: Settings) -> None:
    days = last_days(3)
    command = [sys.executable, "-m", "marquee.cli", "analytics", "run", "--here", "--from", str(days[0])]
    environment = {**os.environ, "MARQUEE_STATE": str(platform.state)}
    work = platform.state / "spark" / "work"
    for ending in (signal.SIGKILL, signal.SIGTERM):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: any(work.glob("*/blockmgr-*")), "Spark did not start")
        process.send_signal(ending)
        process.wait(SECONDS)
        until(lambda: not processes_of(platform.state), f"{processes_of(platform.state)} outlived the run")
        assert ask(platform, "SELECT count(*) FROM analytics_batch WHERE state <> 'written'") == [(0,)]
    twice = [asyncio.create_subprocess_exec(*command, "--json", env=environment, stdout=-1) for _ in range(2)]

    async def both() -> list[dict[str, Any]]:
        running = await asyncio.gather(*twice)
        return [json.loads((await each.communicate())[0]) for each in running]

    outcomes = asyncio.run(both())
    assert [each["status"] for each in outcomes] == ["SUCCESS", "SUCCESS"], outcomes
    assert ask(platform, "SELECT count(*) FROM analytics_batch WHERE state = 'accepted'") == [(4,)]
    assert list(work.iterdir()) == [], "the next run removes what the killed one left"
