"""Three Kafka brokers: a topic has three copies without being told so, and the death of any one of them costs no record."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marquee.platform.cluster_engines.engine import EngineHome
from marquee.platform.cluster_engines.instances import free_ports, instance
from marquee.platform.cluster_engines.kafka import KAFKA, Member, node
from marquee.platform.state import bootstrap_folders
from marquee.platform.supervisor.program import Program
from marquee.settings import load_settings
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.kafka.clients import administer, parse_options
from tests.harness.event_log.kills import outlive
from tests.harness.event_log.worker import KAFKAS_WORKER
from tests.harness.restarting import RestartingNodes
from tests.harness.servers import fetched_or_skipped

pytestmark = [pytest.mark.soak, KAFKAS_WORKER]

BROKERS = 3
START_SECONDS = 120.0
CLUSTER_ID = "bWFycXVlZS10aHJlZS1ub2Rl"


class Cluster:
    """Three brokers of this machine. `kill` ends the next one in turn, `start` starts it again."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(2 * BROKERS)
        self.url = "kafka://" + ",".join(f"127.0.0.1:{port}" for port in ports[:BROKERS])
        programs: list[tuple[Program, Path]] = []
        self._turns = itertools.cycle(range(BROKERS))
        self._gone = 0
        for place in range(BROKERS):
            settings = load_settings(state=folder / str(place))
            fetched_or_skipped(KAFKA, settings)
            own = instance(settings, KAFKA)
            bootstrap_folders(own)
            home = EngineHome(own, {"kafka": ports[place], "kafka_controller": ports[BROKERS + place]})
            member = Member(place + 1, ports[BROKERS:], CLUSTER_ID)
            programs.append((node(home, member), own.state))
        self._nodes = RestartingNodes(programs, seconds=START_SECONDS)

    async def start_all(self) -> None:
        """At once: none answers before two of them can choose a controller."""
        async with asyncio.TaskGroup() as tasks:
            for place in range(BROKERS):
                tasks.create_task(self._nodes.start(place))

    async def start(self) -> None:
        await self._nodes.start(self._gone)

    def kill(self) -> None:
        self._gone = next(self._turns)
        self._nodes.kill(self._gone)

    async def stop(self) -> None:
        await self._nodes.stop()


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    found = Cluster(tmp_path)
    try:
        await found.start_all()
        yield found
    finally:
        await found.stop()


async def test_brokers_killed_in_turn_under_load_lose_nothing(cluster: Cluster) -> None:
    await outlive(cluster, f"{cluster.url}?lease_seconds=1.5", kills=6)


async def test_a_topic_has_three_copies_and_two_acknowledge(cluster: Cluster) -> None:
    log = open_event_log(cluster.url)
    await log.ensure_topic("t", streams=2)
    client = administer(parse_options(cluster.url))
    [topic] = client.describe_topics(["t"])
    assert [len(each["replica_nodes"]) for each in topic["partitions"]] == [BROKERS, BROKERS]
    client.close()
    # One may be gone, and what is acknowledged meanwhile is on both that are left.
    cluster.kill()
    await log.publish("t", "k", b"v")
    await log.close()
