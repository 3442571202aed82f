"""A record of the event log comes back as it was, or is refused or buried with a reason."""

import asyncio
import time

import pytest

from marquee.errors import InputInvalid
from marquee.stores.event_log.contract import MAX_RECORD_BYTES, EventLog
from tests.harness.event_log.records import gather


async def test_a_record_comes_back_as_it_was_published(log: EventLog, topic: str, group: str) -> None:
    before = int(time.time() * 1000) - 1000
    sent = await log.publish(topic, "movie", b"\x00\xffvalue", headers={"trace": "ä"})
    async with asyncio.timeout(10):
        consumer = await log.subscribe(topic, group)
        [record] = await gather(consumer, 1)
    assert (record.key, record.value, record.headers, record.deliveries) == (
        "movie",
        b"\x00\xffvalue",
        {"trace": "ä"},
        1,
    )
    assert (record.topic, record.stream, record.position) == (topic, sent.stream, sent.position)
    assert before < record.published_at_ms < before + 10_000
    await consumer.close()


async def test_a_dead_letter_keeps_the_record_and_its_reason(log: EventLog, topic: str, group: str) -> None:
    await log.publish(topic, "k", b"poison", headers={"a": "b"})
    consumer = await log.subscribe(topic, group)
    [record] = await gather(consumer, 1)
    await consumer.dead_letter(record, "it cannot be read")
    assert await log.lag(topic, group) == 0
    [buried], _ = await log.read(f"{topic}.dead", None)
    assert (buried.key, buried.value) == ("k", b"poison")
    assert buried.headers["dead-reason"] == "it cannot be read"
    assert buried.headers["a"] == "b"
    await consumer.close()


async def test_too_large_a_record_is_refused_and_the_log_goes_on(log: EventLog, topic: str) -> None:
    with pytest.raises(InputInvalid):
        await log.publish(topic, "k", b"x" * (MAX_RECORD_BYTES + 1))
    await log.publish(topic, "k", b"x" * MAX_RECORD_BYTES)
    records, _ = await log.read(topic, None)
    assert [len(record.value) for record in records] == [MAX_RECORD_BYTES]


async def test_an_unknown_topic_is_named(log: EventLog) -> None:
    with pytest.raises(InputInvalid, match="no-such-topic"):
        await log.publish("no-such-topic", "k", b"")
