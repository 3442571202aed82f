"""`marquee engines up kafka` as people use it: a URL that works, a broker that comes back, nothing left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from marquee.engines.kafka import KAFKA
from marquee.engines.running import instance
from marquee.platform import leftovers
from marquee.platform.state import run_folder
from marquee.settings import Settings, load_settings
from marquee.stores.event_log import open_event_log
from tests.servers import fetched_or_skipped

pytestmark = pytest.mark.xdist_group("kafka")


def marquee(settings: Settings, action: str) -> list[dict[str, object]]:
    """What `marquee engines ACTION kafka --json` says."""
    command = [str(Path(sys.executable).parent / "marquee"), "engines", action, "kafka", "--json"]
    environment = {**os.environ, "MARQUEE_STATE": str(settings.state)}
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=240, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Settings]:
    settings = load_settings(state=tmp_path / "a state")
    fetched_or_skipped(KAFKA, settings)
    try:
        yield settings
    finally:
        marquee(settings, "down")
        assert leftovers.of_platform(run_folder(instance(settings, KAFKA))) == []


async def test_a_url_that_works_a_broker_that_comes_back_and_nothing_left_behind(started: Settings) -> None:
    url = str(marquee(started, "up")[-1]["MARQUEE_EVENT_LOG_URL"])
    log = await open_event_log(url)
    await log.ensure_topic("kept", streams=2)
    sent = await log.publish("kept", "k", b"v")
    (process,) = marquee(started, "status")
    assert (process["name"], process["state"]) == ("kafka", "running")

    os.kill(int(str(process["pid"])), signal.SIGKILL)
    again = await log.publish("kept", "k", b"w")
    records, _ = await log.read("kept", None)
    assert [record.position for record in records] == [sent.position, again.position], "an acknowledged record is gone"
    (revived,) = marquee(started, "status")
    assert revived["pid"] != process["pid"], "the supervisor must have started it again"

    marquee(started, "down")
    assert str(marquee(started, "up")[-1]["MARQUEE_EVENT_LOG_URL"]) == url, "an instance keeps its address"
    records, _ = await log.read("kept", None)
    assert len(records) == 2, "a second start formatted the log again"
    await log.close()

    run = run_folder(instance(started, KAFKA))
    os.kill(int((run / "supervisord.number").read_text()), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while left := leftovers.of_platform(run):
        assert time.monotonic() < deadline, f"{left} outlive their supervisor"
        await asyncio.sleep(0.1)
