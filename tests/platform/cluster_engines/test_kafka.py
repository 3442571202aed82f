"""`marquee engines up kafka` as people use it: a URL that works, a broker that comes back, nothing left behind."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from marquee.platform.cluster_engines.kafka import KAFKA
from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from tests.harness.cluster_engines.instances import expect_nothing_outlives_the_supervisor, instance_of, marquee

pytestmark = pytest.mark.xdist_group("kafka")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Settings]:
    with instance_of(KAFKA, tmp_path) as settings:
        yield settings


async def test_a_url_that_works_a_broker_that_comes_back_and_nothing_left_behind(started: Settings) -> None:
    url = str(marquee(started, KAFKA, "up")[-1]["MARQUEE_EVENT_LOG_URL"])
    log = open_event_log(url)
    await log.ensure_topic("kept", streams=2)
    sent = await log.publish("kept", "k", b"v")
    (process,) = marquee(started, KAFKA, "status")
    assert (process["name"], process["state"]) == ("kafka", "running")

    os.kill(int(str(process["pid"])), signal.SIGKILL)
    again = await log.publish("kept", "k", b"w")
    records, _ = await log.read("kept", None)
    assert [record.position for record in records] == [sent.position, again.position], "an acknowledged record is gone"
    (revived,) = marquee(started, KAFKA, "status")
    assert revived["pid"] != process["pid"], "the supervisor must have started it again"

    marquee(started, KAFKA, "down")
    assert str(marquee(started, KAFKA, "up")[-1]["MARQUEE_EVENT_LOG_URL"]) == url, "an instance keeps its address"
    records, _ = await log.read("kept", None)
    assert len(records) == 2, "a second start formatted the log again"
    await log.close()

    await expect_nothing_outlives_the_supervisor(started, KAFKA)
