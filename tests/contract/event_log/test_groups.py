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

from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import Consumer, EventLog, Record
from tests.contract.event_log.records import gather, in_order_by_key, publish


async def test_order_is_kept_by_key_over_two_consumers(log: EventLog, topic: str) -> None:
    first, second = await log.subscribe(topic, "g"), await log.subscribe(topic, "g")
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
    assert await log.lag(topic, "g") == 0
    await asyncio.gather(first.close(), second.close())


async def test_groups_do_not_share(log: EventLog, topic: str) -> None:
    await publish(log, topic, 5)
    for group in ("one", "other"):
        consumer = await log.subscribe(topic, group)
        assert len(await gather(consumer, 5)) == 5
        await consumer.close()


async def test_lag_counts_what_is_not_acknowledged(log: EventLog, topic: str) -> None:
    await publish(log, topic, 10)
    assert await log.lag(topic, "g") == 10
    consumer = await log.subscribe(topic, "g")
    records = await gather(consumer, 10)
    assert await log.lag(topic, "g") == 10
    await consumer.acknowledge(records[:4])
    assert await log.lag(topic, "g") == 6
    await consumer.close()


async def test_a_closed_consumers_streams_are_taken_over_at_once_and_in_order(
    log: EventLog, url: str, topic: str
) -> None:
    # With a lease that is longer than this test waits: a takeover that came did not wait for it to end.
    patient = await open_event_log(url.replace("lease_seconds=1.5", "lease_seconds=60"))
    await publish(log, topic, 40)
    first = await patient.subscribe(topic, "g")
    records = await gather(first, 40)
    await first.acknowledge(records[:10])
    done = {(record.stream, record.position) for record in records[:10]}
    second = await patient.subscribe(topic, "g")
    await first.close()
    await log.publish(topic, "k0", b"1000")
    again = await gather(second, 31)
    assert not done & {(record.stream, record.position) for record in again}, "an acknowledged record came again"
    assert in_order_by_key(again), "what was new came before what was left unacknowledged"
    assert all(record.deliveries >= 2 for record in again if record.value != b"1000")
    await second.close()
    await patient.close()


async def test_a_log_that_is_closed_closes_its_consumers(log: EventLog, url: str, topic: str) -> None:
    # With a lease that is longer than this test waits: nobody's heartbeat goes on, and none is waited for.
    patient = await open_event_log(url.replace("lease_seconds=1.5", "lease_seconds=60"))
    await publish(log, topic, 20)
    left = [await patient.subscribe(topic, "g") for _ in range(2)]
    await left[0].poll(timeout_seconds=0.3)
    await patient.close()
    survivor = await log.subscribe(topic, "g")
    assert len(await gather(survivor, 20)) == 20
    for consumer in (*left, survivor):
        await consumer.close()


async def test_a_log_keeps_no_consumer_that_was_closed(log: EventLog, topic: str) -> None:
    gone = []
    for number in range(3):
        consumer = await log.subscribe(topic, f"g{number}")
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
def holding(url: str, topic: str, count: int) -> Iterator[subprocess.Popen[str]]:
    """Another process, in group g, that holds `count` records and has acknowledged none of them."""
    command = (sys.executable, "-m", "tests.harness.holding_consumer", url, topic, "g", str(count))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for _ in range(count):
                assert process.stdout.readline(), "the other consumer ended before it was given its records"
            yield process
        finally:
            process.kill()


async def test_a_killed_consumers_records_are_delivered_again(log: EventLog, url: str, topic: str) -> None:
    await publish(log, topic, 20)
    with holding(url, topic, 20) as lost:
        os.kill(lost.pid, signal.SIGKILL)
        survivor = await log.subscribe(topic, "g")
        again = await gather(survivor, 20)
    assert in_order_by_key(again)
    assert {record.deliveries for record in again} == {2}
    await survivor.acknowledge(again)
    assert await log.lag(topic, "g") == 0
    await survivor.close()


async def test_a_consumer_that_was_stopped_past_its_lease_gives_nothing_stale(
    log: EventLog, url: str, topic: str
) -> None:
    await publish(log, topic, 20)
    with holding(url, topic, 20) as stopped:
        assert stopped.stdin is not None
        assert stopped.stdout is not None
        os.kill(stopped.pid, signal.SIGSTOP)
        survivor = await log.subscribe(topic, "g")
        records = await gather(survivor, 20)
        await survivor.acknowledge(records)
        os.kill(stopped.pid, signal.SIGCONT)
        stopped.stdin.write("go on\n")
        stopped.stdin.flush()
        assert await asyncio.to_thread(stopped.stdout.readline) == "acknowledged\n", "it was given a record again"
        assert await log.lag(topic, "g") == 0, "a late acknowledgement took the group back"
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


async def test_acknowledging_out_of_order_loses_nothing_and_repeats_nothing(log: EventLog, topic: str) -> None:
    await publish(log, topic, 40)
    first = await log.subscribe(topic, "g")
    records = await gather(first, 40)
    kept = [record for index, record in enumerate(records) if index % 3 == 0]
    await first.acknowledge([record for index, record in enumerate(records) if index % 3 != 0][::-1])
    assert await log.lag(topic, "g") == len(kept)
    await first.close()
    second = await log.subscribe(topic, "g")
    again = await gather(second, len(kept))
    assert {(record.stream, record.position) for record in again} == {(one.stream, one.position) for one in kept}
    assert in_order_by_key(again)
    await second.acknowledge(again)
    assert await log.lag(topic, "g") == 0
    await second.close()
