"""A consumer group: order by key, one owner a stream, nothing lost when streams change hands."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from marquee.errors import StoreUnavailable
from marquee.stores.event_log.contract import Consumer, EventLog, Record
from tests.harness.event_log.records import gather, in_order_by_key, publish


async def test_order_is_kept_by_key_over_two_consumers(log: EventLog, topic: str, group: str) -> None:
    first, second = await log.subscribe(topic, group), await log.subscribe(topic, group)
    await asyncio.gather(first.poll(timeout_seconds=0.3), second.poll(timeout_seconds=0.3))
    await publish(log, topic, 200)
    seen: list[Record] = []

    async def consume(consumer: Consumer) -> int:
        own = 0
        while len(seen) < 200:
            records = await consumer.poll(limit=10, timeout_seconds=0.2)
            seen.extend(records)
            own += len(records)
            await consumer.acknowledge(records)
        return own

    async with asyncio.timeout(20):
        shares = await asyncio.gather(consume(first), consume(second))
    assert len({(record.stream, record.position) for record in seen}) == len(seen) == 200, "a record came twice"
    assert in_order_by_key(seen)
    assert min(shares) > 0, "one consumer was given everything"
    assert await log.lag(topic, group) == 0
    await asyncio.gather(first.close(), second.close())


async def test_groups_do_not_share(log: EventLog, topic: str, group: str) -> None:
    await publish(log, topic, 5)
    for name in (group, f"{group}-other"):
        consumer = await log.subscribe(topic, name)
        assert len(await gather(consumer, 5)) == 5
        await consumer.close()


async def test_lag_counts_what_is_not_acknowledged(log: EventLog, topic: str, group: str) -> None:
    await publish(log, topic, 10)
    assert await log.lag(topic, group) == 10
    consumer = await log.subscribe(topic, group)
    records = await gather(consumer, 10)
    assert await log.lag(topic, group) == 10
    await consumer.acknowledge(records[:4])
    assert await log.lag(topic, group) == 6
    await consumer.close()


async def test_a_closed_consumers_streams_are_taken_over_at_once_and_in_order(
    patient_log: EventLog, topic: str, group: str
) -> None:
    await take_over_from_a_closed_consumer(patient_log, topic, group)


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_a_hundred_takeovers_from_closed_consumers_are_in_order(
    patient_log: EventLog, topic: str, group: str
) -> None:
    for number in range(100):
        await patient_log.ensure_topic(f"{topic}-{number}", streams=4)
        await take_over_from_a_closed_consumer(patient_log, f"{topic}-{number}", f"{group}-{number}")


async def take_over_from_a_closed_consumer(log: EventLog, topic: str, group: str) -> None:
    """The topic is empty, the group new."""
    await publish(log, topic, 40)
    first = await log.subscribe(topic, group)
    records = await gather(first, 40)
    await first.acknowledge(records[:10])
    second = await log.subscribe(topic, group)
    await first.close()
    await log.publish(topic, "k0", b"1000")
    again = await gather(second, 31)
    positions = [(record.stream, record.position) for record in again]
    assert not {(record.stream, record.position) for record in records[:10]} & set(positions), (
        "an acknowledged one came"
    )
    assert len(set(positions)) == len(positions), "a record came again to the consumer that holds it"
    assert in_order_by_key(again), "what was new came before what was left unacknowledged"
    assert all(record.deliveries >= 2 for record in again if record.value != b"1000")
    await second.acknowledge(again)
    assert await log.lag(topic, group) == 0
    await second.close()


async def test_a_consumer_that_is_closed_while_it_polls_gives_its_streams_up(
    patient_log: EventLog, topic: str, group: str
) -> None:
    first, second = await patient_log.subscribe(topic, group), await patient_log.subscribe(topic, group)
    polling = asyncio.create_task(first.poll(timeout_seconds=30))
    for _ in range(5):  # meanwhile the poll has its streams, and waits; where it does not yet, the outcome is the same
        assert await patient_log.lag(topic, group) == 0
    await first.close()
    with suppress(StoreUnavailable):
        assert list(await polling) == []
    await publish(patient_log, topic, 40)
    assert len(await gather(second, 40)) == 40
    await second.close()


async def test_a_log_that_is_closed_closes_its_consumers(
    log: EventLog, patient_log: EventLog, topic: str, group: str
) -> None:
    # The survivor cannot have waited for the leases of the others, and nobody's heartbeat goes on.
    await publish(log, topic, 20)
    left = [await patient_log.subscribe(topic, group) for _ in range(2)]
    await left[0].poll(timeout_seconds=0.3)
    await patient_log.close()
    survivor = await log.subscribe(topic, group)
    assert len(await gather(survivor, 20)) == 20
    for consumer in (*left, survivor):
        await consumer.close()


async def test_a_log_keeps_no_consumer_that_was_closed(log: EventLog, topic: str, group: str) -> None:
    gone = []
    for number in range(3):
        consumer = await log.subscribe(topic, f"{group}-{number}")
        await consumer.close()
        gone.append(weakref.ref(consumer))
    del consumer
    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            while any(each() is not None for each in gone):
                gc.collect()
                await asyncio.sleep(0.05)
    assert [each() for each in gone] == [None] * 3, "the log holds on to consumers that were closed"


@contextmanager
def holding(url: str, topic: str, group: str, count: int) -> Iterator[subprocess.Popen[str]]:
    """Another process, in the group, that holds `count` records and has acknowledged none of them."""
    command = (sys.executable, "-m", "tests.harness.holding_consumer", url, topic, group, str(count))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for _ in range(count):
                assert process.stdout.readline(), "the other consumer ended before it was given its records"
            yield process
        finally:
            process.kill()


async def test_a_killed_consumers_records_are_delivered_again(log: EventLog, url: str, topic: str, group: str) -> None:
    await publish(log, topic, 20)
    with holding(url, topic, group, 20) as lost:
        os.kill(lost.pid, signal.SIGKILL)
        survivor = await log.subscribe(topic, group)
        again = await gather(survivor, 20)
    assert in_order_by_key(again)
    assert {record.deliveries for record in again} == {2}
    await survivor.acknowledge(again)
    assert await log.lag(topic, group) == 0
    await survivor.close()


async def test_a_consumer_that_was_stopped_past_its_lease_gives_nothing_stale(
    log: EventLog, url: str, topic: str, group: str
) -> None:
    await publish(log, topic, 20)
    with holding(url, topic, group, 20) as stopped:
        assert stopped.stdin is not None
        assert stopped.stdout is not None
        os.kill(stopped.pid, signal.SIGSTOP)
        survivor = await log.subscribe(topic, group)
        records = await gather(survivor, 20)
        await survivor.acknowledge(records)
        os.kill(stopped.pid, signal.SIGCONT)
        stopped.stdin.write("go on\n")
        stopped.stdin.flush()
        assert await asyncio.to_thread(stopped.stdout.readline) == "acknowledged\n", "it was given a record again"
        assert await log.lag(topic, group) == 0, "a late acknowledgement took the group back"
        last = await log.publish(topic, "k", b"last")
        deadline = time.monotonic() + 15
        seen: set[tuple[int, str]] = set()
        line = asyncio.create_task(asyncio.to_thread(stopped.stdout.readline))
        while (last.stream, last.position) not in seen:
            assert time.monotonic() < deadline, "the last record came to nobody"
            seen |= {(record.stream, record.position) for record in await survivor.poll(timeout_seconds=0.2)}
            if line.done():
                stream, position = line.result().split()
                seen.add((int(stream), position))
        assert seen == {(last.stream, last.position)}, "an acknowledged record came again"
        stopped.kill()
        await line
    await survivor.close()


async def test_acknowledging_out_of_order_loses_nothing_and_repeats_nothing(
    log: EventLog, topic: str, group: str
) -> None:
    await publish(log, topic, 40)
    first = await log.subscribe(topic, group)
    records = await gather(first, 40)
    kept = [record for index, record in enumerate(records) if index % 3 == 0]
    await first.acknowledge([record for index, record in enumerate(records) if index % 3 != 0][::-1])
    assert await log.lag(topic, group) == len(kept)
    await first.close()
    second = await log.subscribe(topic, group)
    again = await gather(second, len(kept))
    assert {(record.stream, record.position) for record in again} == {(one.stream, one.position) for one in kept}
    assert in_order_by_key(again)
    await second.acknowledge(again)
    assert await log.lag(topic, group) == 0
    await second.close()
