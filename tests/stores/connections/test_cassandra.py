"""The Cassandra client: a kill under load loses no acknowledged write, and every wait and every queue has a limit."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cassandra.cluster import Session

from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.errors import StoreUnavailable
from marquee.platform.cluster_engines.cassandra import CASSANDRA
from marquee.platform.cluster_engines.instances import instance
from marquee.platform.supervisor.supervision import Supervisor
from marquee.settings import load_settings
from marquee.stores.connections import cassandra, cassandra_session
from marquee.stores.resume_positions import open_movable
from marquee.stores.resume_positions.cassandra import CassandraResumePositions
from marquee.stores.resume_positions.contract import ResumePosition
from tests.harness.position_writers import acknowledged_positions_outlive

pytestmark = pytest.mark.xdist_group("cassandra")

NOW_MS = 1_800_000_000_000


class Node:
    """The Cassandra of all tests. A test may kill or stop it; its supervisor restarts it."""

    def __init__(self, folder: Path) -> None:
        self._supervisor = Supervisor(instance(load_settings(state=folder), CASSANDRA))

    async def _pid(self) -> int:
        return (await self._supervisor.process("cassandra")).pid

    async def kill(self) -> None:
        os.kill(await self._pid(), signal.SIGKILL)

    async def signal(self, number: int) -> None:
        os.kill(await self._pid(), number)


@pytest.fixture
def node(cassandra_folder: Path, cassandra_url: str) -> Node:
    return Node(cassandra_folder)


def new_position() -> ResumePosition:
    return ResumePosition(new_profile_id(), new_movie_id(), 5, NOW_MS)


def own_keyspace(url: str) -> str:
    """A URL of the same server with a keyspace that does not exist yet."""
    return url.replace("/marquee?", f"/test_{secrets.token_hex(6)}?")


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.soak)])
async def test_what_was_acknowledged_outlives_a_sigkill_and_writers_go_on(
    node: Node, cassandra_url: str, kills: int
) -> None:
    positions = open_movable(cassandra_url)
    await acknowledged_positions_outlive(node.kill, positions, kills=kills)
    await positions.close()


async def test_a_server_that_stays_away_is_said_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cassandra, "RETRY_SECONDS", 0.5)
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        positions = open_movable(f"cassandra://127.0.0.1:{reserved.getsockname()[1]}/marquee")
        for call in (positions.get("p", "m"), positions.record(new_position()), positions.ping()):
            with pytest.raises(StoreUnavailable):
                await asyncio.wait_for(call, 20)
        await positions.close()


async def test_a_server_that_hangs_is_given_up_and_used_again(
    node: Node, cassandra_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cassandra_session, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(cassandra, "RETRY_SECONDS", 1.0)
    positions = open_movable(cassandra_url)
    position = new_position()
    await positions.record(position)
    await node.signal(signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(positions.get(position.user_id, position.movie_id), 30)
    finally:
        await node.signal(signal.SIGCONT)
    monkeypatch.setattr(cassandra, "RETRY_SECONDS", 30.0)
    assert await positions.get(position.user_id, position.movie_id) == position
    await positions.close()


@contextmanager
def unanswered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The requests that the driver was asked to send."""
    given: list[object] = []
    execute_async = Session.execute_async

    def counted(self: Session, *arguments: Any, **options: Any) -> Any:
        given.append(arguments)
        return execute_async(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "execute_async", counted)
        yield given


async def test_who_waits_for_a_turn_is_refused_in_time(
    node: Node, cassandra_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cassandra_session, "REQUEST_SECONDS", 6.0)
    monkeypatch.setattr(cassandra_session, "HEARTBEAT_SECONDS", 60.0)
    positions = open_movable(f"{cassandra_url}&in_flight=4")
    await positions.record(new_position())
    monkeypatch.setattr(cassandra_session, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(cassandra, "RETRY_SECONDS", 0.5)
    await node.signal(signal.SIGSTOP)
    try:
        calls = (positions.record(new_position()) for _ in range(12))
        async with asyncio.timeout(5):
            answers = await asyncio.gather(*calls, return_exceptions=True)
        # The first four were sent: one may have been answered just before the node stopped.
        assert {type(answer) for answer in answers[4:]} == {StoreUnavailable}
    finally:
        await node.signal(signal.SIGCONT)
    monkeypatch.setattr(cassandra, "RETRY_SECONDS", 30.0)
    await positions.record(new_position())
    await positions.close()


async def test_what_is_in_flight_and_what_waits_have_a_bound(
    node: Node, cassandra_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cassandra, "MAX_CALLS_UNDER_WAY", 12)
    monkeypatch.setattr(cassandra_session, "REQUEST_SECONDS", 60.0)
    monkeypatch.setattr(cassandra_session, "HEARTBEAT_SECONDS", 60.0)
    positions = open_movable(f"{cassandra_url}&in_flight=4")
    await positions.ping()
    await node.signal(signal.SIGSTOP)
    try:
        with unanswered(monkeypatch) as given:
            calls = [asyncio.create_task(positions.record(new_position())) for _ in range(12)]
            await asyncio.sleep(0)
            with pytest.raises(StoreUnavailable, match="busy"):
                await positions.record(new_position())
            calls[0].cancel()
            await asyncio.wait(calls, timeout=0.5)
            assert len(given) == 4, "a caller that gave up must still count as a request in flight"
    finally:
        await node.signal(signal.SIGCONT)
    await asyncio.gather(*calls[1:])
    await positions.close()


async def test_the_consistency_of_the_url_decides_how_many_copies_must_be_there(
    cassandra_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cassandra, "RETRY_SECONDS", 0.5)
    url = own_keyspace(cassandra_url).replace("replication=1", "replication=datacenter1:3")
    quorum, one = open_movable(url), open_movable(f"{url}&consistency=LOCAL_ONE")
    with pytest.raises(StoreUnavailable, match="LOCAL_QUORUM"):
        await quorum.record(new_position())
    await one.record(new_position())
    await quorum.close()
    await one.close()


async def test_a_data_centre_that_there_is_not_is_said_at_once(cassandra_url: str) -> None:
    positions = open_movable(own_keyspace(cassandra_url).replace("replication=1", "replication=nowhere:1"))
    with pytest.raises(StoreUnavailable, match=r"refuses.*nowhere"):
        await positions.record(new_position())
    await positions.close()


async def test_several_that_come_first_make_one_table(cassandra_url: str) -> None:
    url = own_keyspace(cassandra_url)
    stores = [open_movable(url) for _ in range(4)]
    position = new_position()
    await asyncio.gather(*(store.record(position) for store in stores))
    for store in stores:
        assert await store.get(position.user_id, position.movie_id) == position
        await store.close()


async def test_a_contact_point_that_is_away_does_no_harm(cassandra_url: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        positions = open_movable(cassandra_url.replace("@", f"@127.0.0.1:{reserved.getsockname()[1]},"))
        await positions.record(new_position())
        await positions.close()


@pytest.fixture
async def lost(cassandra_url: str) -> AsyncIterator[CassandraResumePositions]:
    """A store whose driver was shut down, so that it never reconnects."""
    positions = open_movable(cassandra_url)
    await positions.ping()
    opened = positions._database._opened
    assert opened is not None
    opened.result().cluster.shutdown()
    yield positions
    await positions.close()


async def test_a_session_that_answers_no_more_is_replaced(
    lost: CassandraResumePositions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cassandra, "RETRY_SECONDS", 0.2)
    monkeypatch.setattr(cassandra, "SILENT_SECONDS", 0.0)
    with pytest.raises(StoreUnavailable):
        await lost.record(new_position())
    monkeypatch.setattr(cassandra, "RETRY_SECONDS", 30.0)
    await lost.record(new_position())
