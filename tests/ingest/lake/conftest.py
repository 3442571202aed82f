"""A lake in a folder with a list of its own, and an event log on each engine with a topic of its own."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog
from marquee.stores.lake.contract import Lake
from tests.harness.lake.lakes import lake_settings, opened

EVENT_LOGS = [
    pytest.param("valkey_log_url", id="valkey"),
    pytest.param("kafka_log_url", id="kafka", marks=pytest.mark.xdist_group("kafka")),
]


@pytest.fixture(params=EVENT_LOGS)
def event_log_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def event_log(event_log_url: str) -> AsyncIterator[EventLog]:
    store = open_event_log(event_log_url)
    yield store
    await store.close()


@pytest.fixture
def where(tmp_path: Path, postgres_server: Settings, emptied_postgres_url: str) -> Settings:
    settings = lake_settings(postgres_server, emptied_postgres_url, f"file://{tmp_path / 'lake'}")
    return settings.model_copy(update={"state": tmp_path})


@pytest.fixture
async def lake(where: Settings) -> AsyncIterator[Lake]:
    async with opened(where) as found:
        yield found


@pytest.fixture
async def topic(event_log: EventLog) -> str:
    name = f"events-{secrets.token_hex(6)}"
    await event_log.ensure_topic(name, streams=4)
    return name
