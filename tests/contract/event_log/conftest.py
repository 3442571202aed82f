"""The event log of each engine, and a topic of a test's own."""

import secrets
from collections.abc import AsyncIterator

import pytest

from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog
from tests.harness.event_log.worker import KAFKAS_WORKER

ENGINES = [
    pytest.param("valkey_log_url", id="valkey"),
    pytest.param("kafka_log_url", id="kafka", marks=KAFKAS_WORKER),
]


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def log(url: str) -> AsyncIterator[EventLog]:
    store = open_event_log(url)
    yield store
    await store.close()


@pytest.fixture
async def patient_log(url: str) -> AsyncIterator[EventLog]:
    """With a lease that is longer than any test waits: a takeover that came did not wait for it to end."""
    store = open_event_log(url.replace("lease_seconds=1.5", "lease_seconds=60"))
    yield store
    await store.close()


@pytest.fixture
def group() -> str:
    """A test's own: Kafka deals the streams of all topics that a group reads by one member, who need not know each yet."""
    return f"g-{secrets.token_hex(4)}"


@pytest.fixture
async def topic(log: EventLog) -> str:
    name = f"test-{secrets.token_hex(6)}"
    await log.ensure_topic(name, streams=4)
    return name
