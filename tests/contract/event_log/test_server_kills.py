"""The event log's server is killed, or stays away."""

import asyncio
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from marquee.errors import StoreUnavailable
from marquee.platform import local_engines
from marquee.platform.cluster_engines.kafka import KAFKA
from marquee.platform.supervisor.program import Program
from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from tests.harness.event_log.kills import outlive
from tests.harness.event_log.records import gather, publish
from tests.harness.event_log.worker import KAFKAS_WORKER
from tests.harness.restarting import RestartingServer
from tests.harness.servers import home_of, program_of


@dataclass(frozen=True)
class Server:
    """A server of an engine that a test may kill; `outlast` names for how long the store waits for it."""

    program: Callable[[Settings], Program]
    url: Callable[[Settings], str]
    outlast: str


VALKEY_SERVER = Server(
    local_engines.valkey_log,
    lambda settings: f"{settings.event_log}?lease_seconds=1.5",
    "marquee.stores.event_log.valkey.log.OUTLAST_SECONDS",
)


KAFKA_SERVER = Server(
    functools.partial(program_of, KAFKA),
    lambda settings: f"{KAFKA.urls(home_of(KAFKA, settings))['MARQUEE_EVENT_LOG_URL']}&lease_seconds=1.5",
    "marquee.stores.event_log.kafka.clients.OUTLAST_SECONDS",
)


SERVERS = [
    pytest.param(VALKEY_SERVER, id="valkey"),
    pytest.param(KAFKA_SERVER, id="kafka", marks=KAFKAS_WORKER),
]


async def kill_under_load(server: Server, folder: Path, *, kills: int) -> None:
    async with RestartingServer(server.program, folder) as running:
        await outlive(running, server.url(running.settings), kills=kills)


@pytest.mark.parametrize("server", SERVERS)
async def test_killing_the_server_under_load_loses_no_acknowledged_record(server: Server, tmp_path: Path) -> None:
    await kill_under_load(server, tmp_path, kills=2)


@pytest.mark.soak
@pytest.mark.parametrize("server", SERVERS)
async def test_killing_the_server_twenty_times_loses_no_acknowledged_record(server: Server, tmp_path: Path) -> None:
    await kill_under_load(server, tmp_path, kills=20)


@pytest.mark.parametrize("server", SERVERS)
async def test_what_could_not_be_acknowledged_comes_again_after_a_rewind(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.outlast, 5.0)
    async with RestartingServer(server.program, tmp_path) as running:
        event_log = open_event_log(server.url(running.settings))
        await event_log.ensure_topic("t", streams=1)
        consumer = await event_log.subscribe("t", "g")
        await publish(event_log, "t", 5)
        records = await gather(consumer, 5)
        running.kill()
        with pytest.raises(StoreUnavailable):
            await consumer.acknowledge(records)
        await running.start()
        async with asyncio.timeout(60):
            while True:
                try:
                    await consumer.rewind()
                    again = await gather(consumer, 5, seconds=50)
                    await consumer.acknowledge(again)
                    break
                except StoreUnavailable:
                    continue
        assert [record.position for record in again] == [record.position for record in records]
        await event_log.close()


@pytest.mark.parametrize("server", SERVERS)
async def test_a_server_that_stays_away_is_said_so(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.outlast, 0.5)
    async with RestartingServer(server.program, tmp_path) as running:
        event_log = open_event_log(server.url(running.settings))
        await event_log.ensure_topic("t", streams=1)
        running.kill()
        # A caller that hangs is ended, and fails, by this time-out.
        async with asyncio.timeout(60):
            with pytest.raises(StoreUnavailable):
                await event_log.ping()
            began = time.monotonic()
            with pytest.raises(StoreUnavailable):
                await event_log.publish("t", "k", b"v")
            assert time.monotonic() - began < 8, "it took longer than it may wait and one request"
            with pytest.raises(StoreUnavailable):
                await event_log.subscribe("t", "g")
        await event_log.close()
