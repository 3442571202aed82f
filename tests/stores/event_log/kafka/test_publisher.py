"""Publishing to Kafka ends in time, whatever it waits for."""

import asyncio
import threading
import time

import pytest

from marquee.errors import StoreUnavailable
from marquee.stores.event_log.kafka import clients, publisher
from marquee.stores.event_log.kafka.log import KafkaEventLog
from marquee.stores.event_log.kafka.topics import KafkaAdminClient


class Unanswering:
    """A producer whose records are neither acknowledged nor refused."""

    def send(self, *_: object, **__: object) -> "Unanswering":
        return self

    def add_callback(self, _: object) -> None:
        return None

    add_errback = add_callback

    def close(self, timeout: float) -> None:
        return None


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "OUTLAST_SECONDS", 0.4)
    monkeypatch.setattr(clients, "REQUEST_SECONDS", 0.2)


async def test_who_waits_for_others_to_be_published_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "MAX_CONCURRENT_PUBLISHES", 1)
    monkeypatch.setattr(publisher, "produce", lambda _: Unanswering())
    log = KafkaEventLog("kafka://127.0.0.1:9")
    log._known.add("t")
    began = time.monotonic()
    answers = await asyncio.gather(*(log.publish("t", "k", b"v") for _ in range(20)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert time.monotonic() - began < 3, "each waited for those before it"
    await log.close()


async def test_a_topic_that_is_not_known_yet_takes_no_time_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = threading.Event()

    def hang(*_: object) -> KafkaAdminClient:
        hanging.wait(30)
        raise ConnectionError

    monkeypatch.setattr("marquee.stores.event_log.kafka.log.administer", hang)
    log = KafkaEventLog("kafka://127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await log.publish("t", "k", b"v")
    assert time.monotonic() - began < 3, "it waited for a call that hangs"
    hanging.set()
    await log.close()


async def test_a_call_that_failed_too_late_is_not_begun_again() -> None:
    calls = 0

    async def fail_late() -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.5)
        raise ConnectionError

    with pytest.raises(StoreUnavailable):
        await clients.outlast(fail_late)
    assert calls == 1
