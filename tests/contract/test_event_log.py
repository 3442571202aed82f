"""The event log: order by key, at least once, one owner a stream, nothing lost."""

import asyncio
import functools
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.engines.kafka import KAFKA
from marquee.errors import CursorInvalid, InputInvalid, StoreUnavailable
from marquee.platform import engines
from marquee.platform.program import Program
from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import MAX_RECORD_BYTES, Consumer, EventLog, Record
from marquee.telemetry import get_logger
from tests.restarting import RestartingServer
from tests.servers import home_of, program_of

KAFKAS_WORKER = pytest.mark.xdist_group("kafka")
ENGINES = [
    pytest.param("valkey_log_url", id="valkey"),
    pytest.param("kafka_log_url", id="kafka", marks=KAFKAS_WORKER),
]


@dataclass(frozen=True)
class Server:
    """A server of an engine that a test may kill; `outlast` names for how long the store waits for it."""

    program: Callable[[Settings], Program]
    url: Callable[[Settings], str]
    outlast: str


VALKEY_SERVER = Server(
    engines.valkey_log, lambda settings: settings.event_log, "marquee.stores.event_log.valkey.OUTLAST_SECONDS"
)
KAFKA_SERVER = Server(
    functools.partial(program_of, KAFKA),
    lambda settings: KAFKA.urls(home_of(KAFKA, settings))["MARQUEE_EVENT_LOG_URL"],
    "marquee.stores.event_log.kafka_clients.OUTLAST_SECONDS",
)
SERVERS = [
    pytest.param(VALKEY_SERVER, id="valkey"),
    pytest.param(KAFKA_SERVER, id="kafka", marks=KAFKAS_WORKER),
]


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def log(url: str) -> AsyncIterator[EventLog]:
    store = await open_event_log(url)
    yield store
    await store.close()


@pytest.fixture
async def topic(log: EventLog) -> str:
    name = f"test-{secrets.token_hex(6)}"
    await log.ensure_topic(name, streams=4)
    return name


async def gather(consumer: Consumer, count: int, *, seconds: float = 15.0, limit: int = 50) -> list[Record]:
    """Poll until `count` records came; they are not acknowledged."""
    records: list[Record] = []
    deadline = time.monotonic() + seconds
    while len(records) < count:
        assert time.monotonic() < deadline, f"only {len(records)} of {count} records came in {seconds} s"
        records += await consumer.poll(limit=limit, timeout_seconds=0.5)
    return records


async def publish(log: EventLog, topic: str, count: int, *, keys: int = 23) -> None:
    """Numbered records over so many keys, enough to reach every stream whatever the hash."""
    for number in range(count):
        await log.publish(topic, f"k{number % keys}", str(number).encode())


def in_order_by_key(records: Sequence[Record]) -> bool:
    numbers: dict[str, list[int]] = defaultdict(list)
    for record in records:
        numbers[record.key].append(int(record.value))
    return all(found == sorted(found) for found in numbers.values())


async def test_a_record_comes_back_as_it_was_published(log: EventLog, topic: str) -> None:
    before = int(time.time() * 1000) - 1000
    sent = await log.publish(topic, "movie", b"\x00\xffvalue", headers={"trace": "ä"})
    async with asyncio.timeout(10):
        consumer = await log.subscribe(topic, "g")
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


@contextmanager
def holding(url: str, topic: str, count: int) -> Iterator[subprocess.Popen[str]]:
    """Another process, in group g, that holds `count` records and has acknowledged none of them."""
    command = (sys.executable, "-m", "tests.contract.holding_consumer", url, topic, "g", str(count))
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


async def test_a_cancelled_poll_loses_no_record(log: EventLog, topic: str) -> None:
    consumer = await log.subscribe(topic, "g")
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


async def test_a_rewind_delivers_unacknowledged_records_again(log: EventLog, topic: str) -> None:
    await publish(log, topic, 12)
    consumer = await log.subscribe(topic, "g")
    records = await gather(consumer, 12)
    await consumer.acknowledge(records[::2])
    await consumer.rewind()
    await log.publish(topic, "k1", b"99")
    again = await gather(consumer, 7)
    assert {record.position for record in again} >= {record.position for record in records[1::2]}
    assert in_order_by_key(again)
    await consumer.close()


async def test_a_paused_consumer_keeps_its_streams_and_gets_nothing(log: EventLog, topic: str) -> None:
    consumer = await log.subscribe(topic, "g")
    await consumer.poll(timeout_seconds=0.1)
    await consumer.pause()
    await publish(log, topic, 3)
    assert list(await consumer.poll(timeout_seconds=0.3)) == []
    other = await log.subscribe(topic, "other")
    assert len(await gather(other, 3)) == 3
    await consumer.resume()
    assert len(await gather(consumer, 3)) == 3
    await asyncio.gather(consumer.close(), other.close())


async def test_a_waiting_consumer_is_woken_by_a_record(log: EventLog, topic: str) -> None:
    consumer = await log.subscribe(topic, "g")
    assert list(await consumer.poll(timeout_seconds=0.1)) == []
    async with asyncio.timeout(25):  # of the 30 that one poll waits which nothing wakes
        for number in range(10):
            waiting = asyncio.create_task(consumer.poll(timeout_seconds=30))
            # Meanwhile the poll begins to wait; where it has not yet, it only finds the record at once.
            assert await log.lag(topic, "g") == 0
            await log.publish(topic, "k", str(number).encode())
            [record] = await waiting
            assert record.value == str(number).encode()
            await consumer.acknowledge([record])
    await consumer.close()


async def test_a_dead_letter_keeps_the_record_and_its_reason(log: EventLog, topic: str) -> None:
    await log.publish(topic, "k", b"poison", headers={"a": "b"})
    consumer = await log.subscribe(topic, "g")
    [record] = await gather(consumer, 1)
    await consumer.dead_letter(record, "it cannot be read")
    assert await log.lag(topic, "g") == 0
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


async def test_a_cursor_reads_everything_once_in_pages(log: EventLog, topic: str) -> None:
    await publish(log, topic, 25)
    seen: list[Record] = []
    cursor = None
    while True:
        records, cursor = await log.read(topic, cursor, limit=4)
        if not records:
            break
        seen += records
    assert sorted(int(record.value) for record in seen) == list(range(25))
    assert in_order_by_key(seen)
    await log.publish(topic, "k", b"99")
    records, _ = await log.read(topic, cursor)
    assert [record.value for record in records] == [b"99"]


async def test_replay_starts_at_a_moment(log: EventLog, topic: str) -> None:
    sent = [await log.publish(topic, "k0", b"")]
    while sent[-1].published_at_ms == sent[0].published_at_ms:
        sent.append(await log.publish(topic, f"k{len(sent)}", b""))
    moment = sent[-1].published_at_ms
    sent.append(await log.publish(topic, "last", b""))
    records, _ = await log.read(topic, await log.cursor_at(topic, moment))
    assert {record.key for record in records} == {one.key for one in sent if one.published_at_ms >= moment}


@pytest.mark.parametrize("cursor", ["x", "1-2-3", "1", "-", "1-x,2-3", "é-1"])
async def test_a_forged_cursor_is_refused(log: EventLog, topic: str, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        await log.read(topic, cursor)


async def trimmed(log: EventLog, topic: str, *, to: int, seconds: float = 15.0) -> Sequence[Record]:
    """Trim until so many records are left at most: of this millisecond none is older than 0 ms."""
    async with asyncio.timeout(seconds):
        while True:
            await log.trim(topic, older_than_ms=0)
            left, _ = await log.read(topic, None)
            if len(left) <= to:
                return left


async def test_trimming_keeps_what_a_group_has_not_acknowledged(log: EventLog, topic: str) -> None:
    await publish(log, topic, 30, keys=3)
    consumer = await log.subscribe(topic, "slow")
    records = await gather(consumer, 30)
    kept = {(record.stream, record.position) for record in records[20:]}
    await consumer.acknowledge(records[:20])
    left = await trimmed(log, topic, to=29)
    assert kept <= {(record.stream, record.position) for record in left}, "an unacknowledged record was dropped"
    await consumer.acknowledge(records[20:])
    await trimmed(log, topic, to=4)
    await log.publish(topic, "k0", b"100")
    assert [record.value for record in await gather(consumer, 1)] == [b"100"]
    await consumer.close()


async def kill_under_load(server: Server, folder: Path, *, kills: int) -> None:
    """Publish and consume through `kills` of the server; fails where an acknowledged record does not come, or not in order."""
    async with RestartingServer(server.program, folder) as running:
        log = await open_event_log(f"{server.url(running.settings)}?lease_seconds=1.5")
        await log.ensure_topic("t", streams=2)
        consumer = await log.subscribe("t", "g")
        acknowledged: set[int] = set()
        stop = asyncio.Event()
        grown = asyncio.Condition()

        async def more(count: int) -> None:
            enough = len(acknowledged) + count
            async with grown:
                await grown.wait_for(lambda: len(acknowledged) >= enough)

        async def load(writer: int) -> None:
            number = writer
            while not stop.is_set():
                await log.publish("t", f"w{writer}", str(number).encode())
                number += 4
                async with grown:
                    acknowledged.add(number - 4)
                    grown.notify_all()

        received: dict[str, list[int]] = defaultdict(list)

        async def consume() -> None:
            while not (stop.is_set() and acknowledged <= {n for found in received.values() for n in found}):
                records = await consumer.poll(timeout_seconds=0.5)
                for record in records:
                    received[record.key].append(int(record.value))
                await consumer.acknowledge(records)

        async with asyncio.timeout(60 + 30 * kills), asyncio.TaskGroup() as tasks:
            writers = [tasks.create_task(load(writer)) for writer in range(4)]
            tasks.create_task(consume())
            for _ in range(kills):
                await more(200)
                running.kill()
                await running.start()
            await more(200)
            stop.set()
            await asyncio.gather(*writers)
        for found in received.values():
            firsts = list(dict.fromkeys(found))
            assert firsts == sorted(firsts), "a key's records came in another order than they were published"
        repeated = sum(len(found) - len(set(found)) for found in received.values())
        get_logger().info("killed under load", kills=kills, acknowledged=len(acknowledged), lost=0, repeated=repeated)
        await consumer.close()
        await log.close()


@pytest.mark.parametrize("server", SERVERS)
async def test_killing_the_server_under_load_loses_no_acknowledged_record(server: Server, tmp_path: Path) -> None:
    await kill_under_load(server, tmp_path, kills=2)


@pytest.mark.soak
@pytest.mark.parametrize("server", SERVERS)
async def test_killing_the_server_twenty_times_loses_no_acknowledged_record(server: Server, tmp_path: Path) -> None:
    await kill_under_load(server, tmp_path, kills=20)


@pytest.mark.parametrize("server", SERVERS)
async def test_a_server_that_stays_away_is_said_so(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.outlast, 0.5)
    async with RestartingServer(server.program, tmp_path) as running:
        log = await open_event_log(server.url(running.settings))
        await log.ensure_topic("t", streams=1)
        running.kill()
        # A caller that hangs is ended, and fails, by this time-out.
        async with asyncio.timeout(60):
            with pytest.raises(StoreUnavailable):
                await log.ping()
            with pytest.raises(StoreUnavailable):
                await log.publish("t", "k", b"v")
            with pytest.raises(StoreUnavailable):
                await log.subscribe("t", "g")
        await log.close()


@given(st.lists(st.tuples(st.integers(0, 2**48), st.integers(0, 2**64 - 1)), min_size=1, max_size=20))
def test_positions_are_ordered_by_number(positions: list[tuple[int, int]]) -> None:
    from marquee.stores.event_log.valkey_records import order

    written = [f"{milliseconds}-{sequence}" for milliseconds, sequence in positions]
    assert sorted(written, key=order) == [f"{a}-{b}" for a, b in sorted(positions)]
