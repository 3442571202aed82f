"""`marquee engines up cassandra` as people use it: a URL that works, a node that comes back, nothing left behind."""

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

from marquee.engines.cassandra import CASSANDRA, FIRST_PASSWORD
from marquee.engines.running import instance
from marquee.errors import StoreUnavailable
from marquee.platform import leftovers
from marquee.platform.state import run_folder
from marquee.settings import Settings, load_settings
from marquee.stores.resume_positions import open_resume_positions
from marquee.stores.resume_positions.contract import ResumePosition
from tests.servers import fetched_or_skipped

pytestmark = pytest.mark.xdist_group("cassandra")

POSITION = ResumePosition("p_kept", "m_kept", 5000, 1_800_000_000_000)


def marquee(settings: Settings, action: str) -> list[dict[str, object]]:
    """What `marquee engines ACTION cassandra --json` says."""
    command = [str(Path(sys.executable).parent / "marquee"), "engines", action, "cassandra", "--json"]
    environment = {**os.environ, "MARQUEE_STATE": str(settings.state)}
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=240, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Settings]:
    settings = load_settings(state=tmp_path / "a state")
    fetched_or_skipped(CASSANDRA, settings)
    try:
        yield settings
    finally:
        marquee(settings, "down")
        assert leftovers.of_platform(run_folder(instance(settings, CASSANDRA))) == []


async def test_a_url_that_works_a_node_that_comes_back_and_nothing_left_behind(started: Settings) -> None:
    url = str(marquee(started, "up")[-1]["MARQUEE_RESUME_POSITIONS_URL"])
    store = await open_resume_positions(url)
    await store.record(POSITION)

    own_password = url.split("@")[0].rsplit(":", 1)[1]
    everybodys = await open_resume_positions(url.replace(own_password, FIRST_PASSWORD))
    with pytest.raises(StoreUnavailable, match="refuses"):
        await everybodys.ping()
    await everybodys.close()

    (process,) = marquee(started, "status")
    assert (process["name"], process["state"]) == ("cassandra", "running")
    os.kill(int(str(process["pid"])), signal.SIGKILL)
    assert await store.get(POSITION.user_id, POSITION.movie_id) == POSITION, "an acknowledged position is gone"
    await store.close()
    (again,) = marquee(started, "status")
    assert again["pid"] != process["pid"], "the supervisor must have started it again"

    run = run_folder(instance(started, CASSANDRA))
    os.kill(int((run / "supervisord.number").read_text()), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while left := leftovers.of_platform(run):
        assert time.monotonic() < deadline, f"{left} outlive their supervisor"
        await asyncio.sleep(0.1)
