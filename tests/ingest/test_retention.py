"""Topics drop what is old and acknowledged by every group; what was buried is kept for an age of its own."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from marquee.events import METADATA_CHANGES, TOPIC_GROUPS
from marquee.ingest import retention
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog


@pytest.fixture(params=["valkey_log_url", pytest.param("kafka_log_url", marks=pytest.mark.xdist_group("kafka"))])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def event_log(url: str) -> AsyncIterator[EventLog]:
    store = open_event_log(url)
    yield store
    await store.close()


async def test_changes_are_kept_for_a_search_sync_that_has_not_begun(
    event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, others = (f"test-{secrets.token_hex(6)}" for _ in range(2))
    monkeypatch.setattr(retention, "TOPIC_STREAMS", {changes: 1, others: 1})
    monkeypatch.setattr(retention, "TOPIC_GROUPS", {changes: TOPIC_GROUPS[METADATA_CHANGES]})
    monkeypatch.setattr(retention, "RETENTION_MS", 0)
    for topic in (changes, others):
        await event_log.ensure_topic(topic, streams=1)
        for number in range(5):
            await event_log.publish(topic, "m", str(number).encode())
    async with asyncio.timeout(15):
        left = 5
        while left > 0:  # of this millisecond nothing is older than 0 ms
            await retention.trim_topics(event_log)
            left = len((await event_log.read(others, None))[0])
    kept, _ = await event_log.read(changes, None)
    assert [record.value for record in kept] == [b"0", b"1", b"2", b"3", b"4"]


async def test_what_was_buried_goes_after_an_age_of_its_own(
    event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumed = f"test-{secrets.token_hex(6)}"
    await event_log.ensure_topic(consumed, streams=1)
    monkeypatch.setattr(retention, "TOPIC_STREAMS", {consumed: 1})
    monkeypatch.setattr(retention, "TOPIC_GROUPS", {consumed: ("g",)})
    monkeypatch.setattr(retention, "RETENTION_MS", 0)
    await event_log.publish(consumed, "k", b"poison")
    consumer = await event_log.subscribe(consumed, "g")
    for record in await consumer.poll(timeout_seconds=15):
        await consumer.dead_letter(record, "it cannot be handled")
    await retention.trim_topics(event_log)
    buried, _ = await event_log.read(f"{consumed}.dead", None)
    assert [record.value for record in buried] == [b"poison"]
    monkeypatch.setattr(retention, "DEAD_RETENTION_MS", 0)
    async with asyncio.timeout(15):
        while (await event_log.read(f"{consumed}.dead", None))[0]:  # of this millisecond nothing is older than 0 ms
            await retention.trim_topics(event_log)
    await consumer.close()
