"""The event sink as a process: it writes what comes, a stop flushes, a second one waits for its turn, its figures are served."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from marquee.events.topics import VIEWING_EVENTS
from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog
from marquee.stores.lake.contract import EVENTS, Lake
from tests.harness.lake.events import encoded, event
from tests.harness.lake.lakes import lake_settings, live_rows, opened
from tests.harness.servers import free_port_base

SECONDS = 120.0
FLUSH_SECONDS = 600.0
"""Longer than the test: what is written is written by the stop."""


@pytest.fixture
def where(tmp_path: Path, valkey_log_server: Settings, emptied_postgres_url: str) -> Settings:
    settings = lake_settings(valkey_log_server, emptied_postgres_url, f"file://{tmp_path / 'lake'}")
    # A database of its own in the session's Valkey: the topic's name is everybody's.
    return settings.model_copy(update={"event_log_url": f"{valkey_log_server.event_log}/11"})


@pytest.fixture
async def lake(where: Settings) -> AsyncIterator[Lake]:
    async with opened(where) as found:
        yield found


@pytest.fixture
async def event_log(where: Settings) -> AsyncIterator[EventLog]:
    store = open_event_log(where.event_log)
    yield store
    await store.close()


@contextmanager
def sink(
    settings: Settings, folder: Path, name: str, flush_seconds: float
) -> Iterator[tuple[subprocess.Popen[bytes], Path, int]]:
    """`python -m jobs.event_sink`. Yields the process, its log, and the port of its figures."""
    log, base = folder / f"{name}.log", free_port_base()
    told = {
        "MARQUEE_STATE": str(folder),
        "MARQUEE_PORT_BASE": str(base),
        "MARQUEE_DATABASE_URL": settings.database,
        "MARQUEE_EVENT_LOG_URL": settings.event_log,
        "MARQUEE_LAKE_URL": settings.lake,
        "MARQUEE_SINK_FLUSH_SECONDS": str(flush_seconds),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs.event_sink"], env={**os.environ, **told}, stdout=output, stderr=output
        )
    try:
        yield process, log, settings.model_copy(update={"port_base": base}).port("event_sink")
    finally:
        process.kill()
        process.wait()


async def until(log: Path, text: str) -> None:
    async with asyncio.timeout(SECONDS):
        while text not in log.read_text():  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.05)


async def figure(port: int, name: str) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert found, f"the figures lack {name}"
    return float(found[1])


async def publish(event_log: EventLog, first: int, count: int) -> None:
    for number in range(first, first + count):
        await event_log.publish(VIEWING_EVENTS, f"v_{number % 3}", encoded(event(number, at=datetime.now(UTC))))


async def test_a_stop_flushes_and_the_waiting_sink_goes_on_after_a_kill(
    where: Settings, event_log: EventLog, lake: Lake, tmp_path: Path
) -> None:
    await publish(event_log, 0, 30)
    with sink(where, tmp_path, "first", FLUSH_SECONDS) as (first, first_log, port):
        await until(first_log, "sink began")
        async with asyncio.timeout(SECONDS):
            while await figure(port, "marquee_event_sink_lag_seconds") == 0:  # noqa: ASYNC110  (another process)
                await asyncio.sleep(0.05)
        assert await figure(port, "marquee_event_sink_writer") == 1
        with sink(where, tmp_path, "second", 0.2) as (second, second_log, second_port):
            await until(second_log, '"ready"')
            assert await lake.live_files(EVENTS) == []
            first.terminate()
            assert await asyncio.to_thread(first.wait, SECONDS) == 0, first_log.read_text()
            assert len(await live_rows(lake, tmp_path)) == 30, "the stop did not flush"
            await until(second_log, "sink began")
            await publish(event_log, 30, 10)
            await until(second_log, "events written")
            assert await figure(second_port, "marquee_event_sink_rows_total") >= 1
            with sink(where, tmp_path, "third", 0.2) as (third, third_log, _):
                await until(third_log, '"ready"')
                os.kill(second.pid, signal.SIGKILL)
                await until(third_log, "sink began")
                await publish(event_log, 40, 10)
                async with asyncio.timeout(SECONDS):
                    while sum(file.rows for file in await lake.live_files(EVENTS)) < 50:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                third.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(third.wait, SECONDS) == 0, third_log.read_text()
    assert sorted(row["event_id"] for row in await live_rows(lake, tmp_path)) == sorted(f"e_{n}" for n in range(50))


def test_neither_the_stores_nor_the_jobs_import_pyarrow_before_they_need_it() -> None:
    code = (
        "import sys, jobs.event_sink, jobs.housekeeping, marquee.stores.lake.postgres, marquee.platform.topology\n"
        "sys.exit(' '.join(name for name in ('pyarrow', 'pyspark', 'pandas') if name in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"imported at once: {done.stderr}"


async def test_without_pyarrow_the_process_waits_and_says_what_to_do(tmp_path: Path, where: Settings) -> None:
    code = (
        "import sys, runpy, marquee.stores.lake.arrow as arrow; arrow.arrow_is_installed = lambda: False;"
        "runpy.run_module('jobs.event_sink', run_name='__main__')"
    )
    log = tmp_path / "log"
    told = {"MARQUEE_STATE": str(tmp_path), "MARQUEE_DATABASE_URL": where.database}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, env={**os.environ, **told}, stdout=output, stderr=output
        )
    try:
        await until(log, "make analytics")
        assert '"ready"' not in log.read_text(), "a sink that writes nothing says that it is ready"
        process.terminate()
        async with asyncio.timeout(SECONDS):
            assert await process.wait() == 0, log.read_text()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
