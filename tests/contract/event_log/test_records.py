"""A record of the event log comes back as it was, or is refused or buried with a reason."""

import asyncio
import time

import pytest

from marquee.errors import InputInvalid
from marquee.stores.event_log.contract import MAX_BATCH_RECORDS, MAX_RECORD_BYTES, EventLog
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


async def test_a_batch_is_appended_whole_and_keeps_the_order_of_each_key(log: EventLog, topic: str) -> None:
    batch = [(f"key-{number % 7}", str(number).encode()) for number in range(100)]
    await log.publish_many(topic, batch)
    records, _ = await log.read(topic, None, limit=1000)
    assert len(records) == len(batch), "a batch lost records, or has some twice"
    for key in {key for key, _ in batch}:
        found = [record.value for record in records if record.key == key]
        assert found == [value for each, value in batch if each == key], f"the records of {key} lost their order"
        assert len({record.stream for record in records if record.key == key}) == 1


async def test_a_record_of_a_batch_goes_to_the_stream_of_its_key(log: EventLog, topic: str) -> None:
    alone = await log.publish(topic, "one", b"alone")
    await log.publish_many(topic, [("one", b"in a batch")])
    records, _ = await log.read(topic, None)
    assert [(record.stream, record.value) for record in records] == [
        (alone.stream, b"alone"),
        (alone.stream, b"in a batch"),
    ]
    assert all(record.headers == {} for record in records)


async def test_an_empty_batch_appends_nothing(log: EventLog, topic: str) -> None:
    await log.publish_many(topic, [])
    records, _ = await log.read(topic, None)
    assert not records


@pytest.mark.parametrize(
    "batch",
    [
        [("k", b"x")] * (MAX_BATCH_RECORDS + 1),
        [("k", b"x" * (MAX_RECORD_BYTES // 2 + 1))] * 2,
        [("k", b"x"), ("k" * 64_001, b"x")],
    ],
    ids=["too many", "too large together", "too long a key"],
)
async def test_too_large_a_batch_is_refused_whole(log: EventLog, topic: str, batch: list[tuple[str, bytes]]) -> None:
    with pytest.raises(InputInvalid):
        await log.publish_many(topic, batch)
    records, _ = await log.read(topic, None)
    assert not records, "a refused batch left records"
