"""The event log: order by key, at least once, one owner a stream, nothing lost."""

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.errors import InputInvalid, StoreUnavailable
from marquee.platform import engines
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import MAX_RECORD_BYTES, Consumer, EventLog, Record
from tests.restarting import RestartingServer

ENGINES = {"valkey": "valkey_log_url"}
SERVERS = {"valkey": engines.valkey_log}
"""For each engine, a server that a test may kill."""


@pytest.fixture(params=ENGINES.values(), ids=ENGINES.keys())
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


async def publish(log: EventLog, topic: str, count: int, *, keys: int = 7) -> None:
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


async def test_a_closed_consumers_streams_are_taken_over_at_once_and_in_order(log: EventLog, topic: str) -> None:
    await publish(log, topic, 40)
    first = await log.subscribe(topic, "g")
    records = await gather(first, 40)
    await first.acknowledge(records[:10])
    done = {(record.stream, record.position) for record in records[:10]}
    second = await log.subscribe(topic, "g")
    await first.close()
    await log.publish(topic, "k0", b"1000")
    started = time.monotonic()
    again = await gather(second, 31)
    assert time.monotonic() - started < 4.5, "the takeover waited for a time-out"
    assert not done & {(record.stream, record.position) for record in again}, "an acknowledged record came again"
    assert in_order_by_key(again), "what was new came before what was left unacknowledged"
    assert all(record.deliveries == 2 for record in again if record.value != b"1000")
    await second.close()


async def test_a_dead_consumers_records_are_delivered_again(log: EventLog, url: str, topic: str) -> None:
    await publish(log, topic, 20)
    other = await open_event_log(url)
    lost = await other.subscribe(topic, "g")
    assert len(await gather(lost, 20)) == 20
    # As after SIGKILL: its connections go, nobody gives anything up, its lease runs out.
    heartbeat = vars(lost)["_heartbeat_task"]
    heartbeat.cancel()
    await other.close()
    survivor = await log.subscribe(topic, "g")
    again = await gather(survivor, 20)
    assert in_order_by_key(again)
    assert {record.deliveries for record in again} == {2}
    await survivor.acknowledge(again)
    assert await log.lag(topic, "g") == 0
    await survivor.close()


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
    await consumer.poll(timeout_seconds=0.1)
    waiting = asyncio.create_task(consumer.poll(timeout_seconds=10))
    await asyncio.sleep(0.05)
    started = time.monotonic()
    await log.publish(topic, "k", b"1")
    assert len(await waiting) == 1
    assert time.monotonic() - started < 8, "the record waited for the end of the poll"
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
    await log.publish(topic, "a", b"1")
    await asyncio.sleep(0.01)
    moment = (await log.publish(topic, "b", b"2")).published_at_ms
    await log.publish(topic, "c", b"3")
    records, _ = await log.read(topic, await log.cursor_at(topic, moment))
    assert sorted(record.value for record in records) == [b"2", b"3"]


@pytest.mark.parametrize("cursor", ["x", "1-2-3", "1", "-", "1-x,2-3", "é-1"])
async def test_a_forged_cursor_is_refused(log: EventLog, topic: str, cursor: str) -> None:
    with pytest.raises(InputInvalid):
        await log.read(topic, cursor)


async def test_trimming_keeps_what_a_group_has_not_acknowledged(log: EventLog, topic: str) -> None:
    await publish(log, topic, 30, keys=3)
    consumer = await log.subscribe(topic, "slow")
    records = await gather(consumer, 30)
    kept = {(record.stream, record.position) for record in records[20:]}
    await consumer.acknowledge(records[:20])
    await asyncio.sleep(0.01)
    await log.trim(topic, older_than_ms=0)
    left, _ = await log.read(topic, None)
    assert kept <= {(record.stream, record.position) for record in left}, "an unacknowledged record was dropped"
    await consumer.acknowledge(records[20:])
    await log.trim(topic, older_than_ms=0)
    left, _ = await log.read(topic, None)
    assert len(left) <= 4, "acknowledged records were kept"
    await log.publish(topic, "k0", b"100")
    assert [record.value for record in await gather(consumer, 1)] == [b"100"]
    await consumer.close()


@pytest.mark.parametrize("engine", SERVERS)
async def test_killing_the_server_under_load_loses_no_acknowledged_record(engine: str, tmp_path: Path) -> None:
    async with RestartingServer(SERVERS[engine], tmp_path) as server:
        log = await open_event_log(f"{server.settings.event_log}?lease_seconds=1.5")
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

        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            writers = [tasks.create_task(load(writer)) for writer in range(4)]
            tasks.create_task(consume())
            for _ in range(2):
                await more(200)
                server.kill()
                await server.start()
            await more(200)
            stop.set()
            await asyncio.gather(*writers)
        for found in received.values():
            firsts = list(dict.fromkeys(found))
            assert firsts == sorted(firsts), "a key's records came in another order than they were published"
        await consumer.close()
        await log.close()


@pytest.mark.parametrize("engine", SERVERS)
async def test_a_server_that_stays_away_is_said_so(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marquee.stores.event_log.valkey.OUTLAST_SECONDS", 0.5)
    async with RestartingServer(SERVERS[engine], tmp_path) as server:
        log = await open_event_log(server.settings.event_log)
        await log.ensure_topic("t", streams=1)
        server.kill()
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await log.ping()
        with pytest.raises(StoreUnavailable):
            await log.publish("t", "k", b"v")
        assert time.monotonic() - started < 30, "a server that stays away hangs its callers"
        await log.close()


@given(st.lists(st.tuples(st.integers(0, 2**48), st.integers(0, 2**64 - 1)), min_size=1, max_size=20))
def test_positions_are_ordered_by_number(positions: list[tuple[int, int]]) -> None:
    from marquee.stores.event_log.valkey_records import order

    written = [f"{milliseconds}-{sequence}" for milliseconds, sequence in positions]
    assert sorted(written, key=order) == [f"{a}-{b}" for a, b in sorted(positions)]
