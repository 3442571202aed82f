"""Three Cassandra nodes at LOCAL_QUORUM: the loss of any one node fails no write, loses no position, and needs no operator."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import tenacity
from cassandra import ConsistencyLevel
from cassandra.protocol import ConfigurationException
from cassandra.query import SimpleStatement

from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.platform.cluster_engines.cassandra import CASSANDRA, FIRST_PASSWORD, USER, node
from marquee.platform.cluster_engines.engine import EngineHome
from marquee.platform.cluster_engines.instances import free_ports, instance
from marquee.platform.state import bootstrap_folders
from marquee.platform.supervisor.program import Program
from marquee.settings import load_settings
from marquee.stores.connections.cassandra_session import connect
from marquee.stores.connections.cassandra_url import parse
from marquee.stores.resume_positions import open_movable
from marquee.stores.resume_positions.contract import Event, MovableResumePositions, ResumePosition, key_of
from tests.harness.position_writers import acknowledged_positions_outlive
from tests.harness.restarting import RestartingNodes
from tests.harness.servers import fetched_or_skipped

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("cassandra")]

ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
START_SECONDS = 180.0
NOW_MS = 1_800_000_000_000


class Cluster(RestartingNodes):
    """Three nodes on loopback addresses. A test may kill and restart each of them."""

    def __init__(self, folder: Path) -> None:
        ports = dict(zip(CASSANDRA.port_names, free_ports(len(CASSANDRA.port_names)), strict=True))
        programs: list[tuple[Program, Path]] = []
        for place, address in enumerate(ADDRESSES):
            settings = load_settings(state=folder / str(place))
            fetched_or_skipped(CASSANDRA, settings)
            own = instance(settings, CASSANDRA)
            bootstrap_folders(own)
            programs.append((node(EngineHome(own, ports), address=address, seed=ADDRESSES[0]), own.state))
        super().__init__(programs, seconds=START_SECONDS)
        self.port = ports["cassandra"]
        self.url = ""

    def make_role(self) -> None:
        """Create a login that every node can check without the others."""
        first = parse(f"cassandra://{USER}:{FIRST_PASSWORD}@{ADDRESSES[0]}:{self.port}/marquee", setting="none")
        cluster, session = connect(first)
        password = secrets.token_hex(8)
        # The server refuses this until the first node knows that the last one has joined.
        joined = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ConfigurationException),
            wait=tenacity.wait_fixed(0.5),
            stop=tenacity.stop_after_delay(START_SECONDS),
            reraise=True,
        )
        joined(
            session.execute,
            "ALTER KEYSPACE system_auth WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}",
        )
        # Reading at ALL copies the role to the two new nodes, which do not have it yet.
        session.execute(SimpleStatement("SELECT * FROM system_auth.roles", consistency_level=ConsistencyLevel.ALL))
        session.execute(f"CREATE ROLE marquee WITH LOGIN = true AND SUPERUSER = true AND PASSWORD = '{password}'")
        cluster.shutdown()
        hosts = ",".join(f"{address}:{self.port}" for address in ADDRESSES)
        self.url = f"cassandra://marquee:{password}@{hosts}/marquee?local_dc=datacenter1"


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    found = Cluster(tmp_path)
    try:
        for place in range(len(ADDRESSES)):
            await found.start(place)
        await asyncio.to_thread(found.make_role)
        yield found
    finally:
        await found.stop()


async def written(positions: MovableResumePositions, count: int) -> list[Event]:
    events: list[Event] = [
        ResumePosition(new_profile_id(), new_movie_id(), place, NOW_MS + place) for place in range(count)
    ]
    await asyncio.gather(*(positions.record(event) for event in events))
    return events


async def test_any_one_node_may_be_gone(cluster: Cluster) -> None:
    stores = [open_movable(cluster.url) for _ in range(3)]
    # The first calls of three processes run at once and must create one keyspace and one table.
    groups = await asyncio.gather(*(written(store, 200) for store in stores))
    events = [event for group in groups for event in group]
    positions = stores[0]
    for gone in range(len(ADDRESSES)):
        # A write is on two of three nodes. Any two nodes that a read asks include one of them.
        cluster.kill(gone)
        events += await written(positions, 500)
        assert await positions.events([key_of(event) for event in events]) == {key_of(event): event for event in events}
        await cluster.start(gone)
    scanned = {event async for page in positions.scan() for event in page.events}
    assert scanned == set(events)
    for store in stores:
        await store.close()


async def test_nodes_killed_in_turn_under_load_lose_nothing(cluster: Cluster) -> None:
    positions = open_movable(cluster.url)
    turn = 0

    async def kill() -> None:
        nonlocal turn
        cluster.kill(turn % 3)
        await cluster.start(turn % 3)
        turn += 1

    await acknowledged_positions_outlive(kill, positions, kills=6)
    await positions.close()
