"""`marquee engines up cassandra` as people use it: a URL that works, a node that comes back, nothing left behind."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from marquee.errors import StoreUnavailable
from marquee.platform.cluster_engines.cassandra import CASSANDRA, FIRST_PASSWORD
from marquee.settings import Settings
from marquee.stores.resume_positions import open_resume_positions
from marquee.stores.resume_positions.contract import ResumePosition
from tests.harness.cluster_engines.instances import expect_nothing_outlives_the_supervisor, instance_of, marquee

pytestmark = pytest.mark.xdist_group("cassandra")

POSITION = ResumePosition("p_kept", "m_kept", 5000, 1_800_000_000_000)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Settings]:
    with instance_of(CASSANDRA, tmp_path) as settings:
        yield settings


async def test_a_url_that_works_a_node_that_comes_back_and_nothing_left_behind(started: Settings) -> None:
    url = str(marquee(started, CASSANDRA, "up")[-1]["MARQUEE_RESUME_POSITIONS_URL"])
    store = open_resume_positions(url)
    await store.record(POSITION)

    own_password = url.split("@")[0].rsplit(":", 1)[1]
    everybodys = open_resume_positions(url.replace(own_password, FIRST_PASSWORD))
    with pytest.raises(StoreUnavailable, match="refuses"):
        await everybodys.ping()
    await everybodys.close()

    (process,) = marquee(started, CASSANDRA, "status")
    assert (process["name"], process["state"]) == ("cassandra", "running")
    os.kill(int(str(process["pid"])), signal.SIGKILL)
    assert await store.get(POSITION.user_id, POSITION.movie_id) == POSITION, "an acknowledged position is gone"
    await store.close()
    (again,) = marquee(started, CASSANDRA, "status")
    assert again["pid"] != process["pid"], "the supervisor must have started it again"

    await expect_nothing_outlives_the_supervisor(started, CASSANDRA)
