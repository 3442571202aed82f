"""`marquee engines up elasticsearch` as people use it: an address that answers, and nothing left behind."""

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

from marquee.engines.elasticsearch import ELASTICSEARCH
from marquee.engines.running import instance
from marquee.platform import leftovers
from marquee.platform.state import run_folder
from marquee.settings import Settings, load_settings
from marquee.stores.search.elasticsearch_client import open_client
from marquee.stores.search.elasticsearch_url import parse_target
from tests.servers import fetched_or_skipped

pytestmark = pytest.mark.xdist_group("elasticsearch")


def marquee(settings: Settings, action: str) -> list[dict[str, object]]:
    """What `marquee engines ACTION elasticsearch --json` says."""
    command = [str(Path(sys.executable).parent / "marquee"), "engines", action, "elasticsearch", "--json"]
    environment = {**os.environ, "MARQUEE_STATE": str(settings.state)}
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=240, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Settings]:
    settings = load_settings(state=tmp_path / "a state")
    fetched_or_skipped(ELASTICSEARCH, settings)
    try:
        yield settings
    finally:
        marquee(settings, "down")
        assert leftovers.of_platform(run_folder(instance(settings, ELASTICSEARCH))) == []


async def test_an_address_that_answers_and_nothing_outlives_the_supervisor(started: Settings) -> None:
    url = str(marquee(started, "up")[-1]["MARQUEE_SEARCH_URL"])
    client = open_client(parse_target(url))
    await client.cluster.health(wait_for_status="green")
    await client.close()
    (process,) = marquee(started, "status")
    assert (process["name"], process["state"]) == ("elasticsearch", "running")

    run = run_folder(instance(started, ELASTICSEARCH))
    assert len(leftovers.of_platform(run)) > 2, "the server runs below its launcher"
    os.kill(int((run / "supervisord.number").read_text()), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while left := leftovers.of_platform(run):
        assert time.monotonic() < deadline, f"{left} outlive their supervisor"
        await asyncio.sleep(0.1)
