"""Three Kafka brokers: a topic has three copies without being told so, and the death of any one of them costs no record."""

import asyncio
import contextlib
import itertools
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marquee.engines.engine import EngineHome
from marquee.engines.kafka import KAFKA, Member, node
from marquee.engines.running import free_ports, instance
from marquee.platform.program import Program
from marquee.platform.state import bootstrap_folders
from marquee.settings import load_settings
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.kafka_clients import administer, parse_options
from tests.contract.event_log.conftest import KAFKAS_WORKER
from tests.contract.event_log.test_server_kills import outlive
from tests.servers import fetched_or_skipped, running

pytestmark = [pytest.mark.soak, KAFKAS_WORKER]

BROKERS = 3
CLUSTER_ID = "bWFycXVlZS10aHJlZS1ub2Rl"


class Cluster:
    """Three brokers of this machine. `kill` ends the next one in turn, `start` starts it again."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(2 * BROKERS)
        self.url = "kafka://" + ",".join(f"127.0.0.1:{port}" for port in ports[:BROKERS])
        self._stack = contextlib.ExitStack()
        self._programs: list[tuple[Program, Path]] = []
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._turns = itertools.cycle(range(BROKERS))
        self._gone = 0
        for place in range(BROKERS):
            settings = load_settings(state=folder / str(place))
            fetched_or_skipped(KAFKA, settings)
            own = instance(settings, KAFKA)
            bootstrap_folders(own)
            home = EngineHome(own, {"kafka": ports[place], "kafka_controller": ports[BROKERS + place]})
            member = Member(place + 1, ports[BROKERS:], CLUSTER_ID)
            self._programs.append((node(home, member), own.state))

    async def start_all(self) -> None:
        """At once: none answers before two of them can choose a controller."""
        async with asyncio.TaskGroup() as tasks:
            for place in range(BROKERS):
                tasks.create_task(self._start(place))

    async def start(self) -> None:
        await self._start(self._gone)

    def kill(self) -> None:
        self._gone = next(self._turns)
        self._processes[self._gone].kill()
        self._processes[self._gone].wait()

    async def _start(self, place: int) -> None:
        program, folder = self._programs[place]

        def enter() -> subprocess.Popen[bytes]:
            return self._stack.enter_context(running(program, folder, seconds=120))

        self._processes[place] = await asyncio.to_thread(enter)

    async def stop(self) -> None:
        await asyncio.to_thread(self._stack.close)


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
    log = await open_event_log(cluster.url)
    await log.ensure_topic("t", streams=2)
    client = administer(parse_options(cluster.url))
    [topic] = client.describe_topics(["t"])
    assert [len(each["replica_nodes"]) for each in topic["partitions"]] == [BROKERS, BROKERS]
    client.close()
    # One may be gone, and what is acknowledged meanwhile is on both that are left.
    cluster.kill()
    await log.publish("t", "k", b"v")
    await log.close()
