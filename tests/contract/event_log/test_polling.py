"""A consumer's polls: cancelled, woken, paused, rewound."""

import asyncio

from marquee.stores.event_log.contract import EventLog, Record
from tests.harness.event_log.records import gather, in_order_by_key, publish


async def test_a_cancelled_poll_loses_no_record(log: EventLog, topic: str, group: str) -> None:
    consumer = await log.subscribe(topic, group)
    received: list[Record] = []
    for number in range(10):
        waiting = asyncio.create_task(consumer.poll(timeout_seconds=10))
        await log.publish(topic, "k", str(number).encode())
        await asyncio.sleep(0.003 * number)
        waiting.cancel()
        done = await asyncio.gather(waiting, return_exceptions=True)
        received += done[0] if isinstance(done[0], list) else []
    received += await gather(consumer, 10 - len(received))
    assert [int(record.value) for record in received] == list(range(10))
    await consumer.close()


async def test_a_rewind_delivers_unacknowledged_records_again(log: EventLog, topic: str, group: str) -> None:
    await publish(log, topic, 12)
    consumer = await log.subscribe(topic, group)
    records = await gather(consumer, 12)
    await consumer.acknowledge(records[::2])
    await consumer.rewind()
    await log.publish(topic, "k1", b"99")
    again = await gather(consumer, 7)
    assert {record.position for record in again} >= {record.position for record in records[1::2]}
    assert in_order_by_key(again)
    await consumer.close()


async def test_what_is_acknowledged_after_a_rewind_does_not_come_again(log: EventLog, topic: str, group: str) -> None:
    await publish(log, topic, 12)
    consumer = await log.subscribe(topic, group)
    records = await gather(consumer, 12)
    await consumer.rewind()
    await consumer.acknowledge(records)
    new = [await log.publish(topic, f"k{number}", b"99") for number in range(23)]
    given = await gather(consumer, len(new))
    assert {(one.stream, one.position) for one in given} == {(one.stream, one.position) for one in new}
    await consumer.acknowledge(given)
    assert await log.lag(topic, group) == 0, "acknowledged records count as left again"
    await consumer.close()


async def test_a_paused_consumer_keeps_its_streams_and_gets_nothing(log: EventLog, topic: str, group: str) -> None:
    consumer = await log.subscribe(topic, group)
    await consumer.poll(timeout_seconds=0.1)
    await consumer.pause()
    await publish(log, topic, 3)
    assert list(await consumer.poll(timeout_seconds=0.3)) == []
    other = await log.subscribe(topic, f"{group}-other")
    assert len(await gather(other, 3)) == 3
    await consumer.resume()
    assert len(await gather(consumer, 3)) == 3
    await asyncio.gather(consumer.close(), other.close())


async def test_a_waiting_consumer_is_woken_by_a_record(log: EventLog, topic: str, group: str) -> None:
    consumer = await log.subscribe(topic, group)
    assert list(await consumer.poll(timeout_seconds=0.1)) == []
    async with asyncio.timeout(25):  # of the 30 that one poll waits which nothing wakes
        for number in range(10):
            waiting = asyncio.create_task(consumer.poll(timeout_seconds=30))
            # Meanwhile the poll begins to wait; where it has not yet, it only finds the record at once.
            assert await log.lag(topic, group) == 0
            await log.publish(topic, "k", str(number).encode())
            [record] = await waiting
            assert record.value == str(number).encode()
            await consumer.acknowledge([record])
    await consumer.close()
