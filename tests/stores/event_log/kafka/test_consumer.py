"""A consumer of a Kafka group, whose polls may be cancelled: what was fetched for one stays there, and may grow stale."""

import asyncio
import secrets

import pytest

from marquee.errors import StoreUnavailable
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import Record
from marquee.stores.event_log.kafka.consumer import GroupConsumer
from tests.harness.event_log.records import gather, publish

pytestmark = pytest.mark.xdist_group("kafka")


async def test_what_was_fetched_for_a_cancelled_poll_is_not_given_once_its_stream_has_another_owner(
    kafka_log_url: str,
) -> None:
    log = open_event_log(kafka_log_url)
    topic = f"test-{secrets.token_hex(6)}"
    await log.ensure_topic(topic, streams=4)
    await publish(log, topic, 40)
    first = await log.subscribe(topic, topic)
    assert isinstance(first, GroupConsumer)
    fetched: list[Record] = []
    async with asyncio.timeout(30):
        while not fetched:
            cancelled = asyncio.create_task(first.poll(timeout_seconds=10))
            await asyncio.sleep(0)  # its first step asks the member's thread
            assert first._fetching is not None
            cancelled.cancel()
            await asyncio.gather(cancelled, return_exceptions=True)
            await asyncio.wait({first._fetching})
            fetched = first._fetching.result()
            if not fetched:
                first._fetching = None
    second = await log.subscribe(topic, topic)
    assert isinstance(second, GroupConsumer)
    lost = {each.partition for each in second._member._places}
    theirs = await gather(second, sum(record.stream in lost for record in fetched))
    await second.acknowledge(theirs)
    ours = await gather(first, 40 - len(theirs))
    given = [(record.stream, record.position) for record in (*theirs, *ours)]
    assert len(given) == len(set(given)) == 40, "a record came to its new owner, and then from the one before"
    await first.acknowledge(ours)
    assert await log.lag(topic, topic) == 0
    await log.close()


async def test_a_closed_consumer_refuses_at_once(kafka_log_url: str) -> None:
    log = open_event_log(kafka_log_url)
    topic = f"test-{secrets.token_hex(6)}"
    await log.ensure_topic(topic, streams=1)
    await publish(log, topic, 1)
    consumer = await log.subscribe(topic, topic)
    records = await gather(consumer, 1)
    await consumer.close()
    async with asyncio.timeout(10):  # a call that hangs is ended, and fails, by this time-out
        with pytest.raises(StoreUnavailable):
            await consumer.poll()
        with pytest.raises(StoreUnavailable):
            await consumer.acknowledge(records)
    await log.close()
