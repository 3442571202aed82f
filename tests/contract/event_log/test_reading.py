"""Reading the event log without a group, from a cursor; and what trimming leaves to be read."""

import asyncio
from collections.abc import Collection, Sequence

import pytest

from marquee.errors import CursorInvalid
from marquee.stores.event_log.contract import EventLog, Record
from tests.harness.event_log.records import gather, in_order_by_key, publish


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


async def test_reading_stream_by_stream_leaves_nothing_out_and_gives_nothing_twice(log: EventLog, topic: str) -> None:
    await publish(log, topic, 60)
    seen: list[Record] = []
    cursor = None
    while True:
        records, cursor = await log.read(topic, cursor, limit=8, by_time=False)
        assert len(records) <= 8
        if not records:
            break
        seen += records
    assert sorted(int(record.value) for record in seen) == list(range(60))
    assert in_order_by_key(seen)
    await publish(log, topic, 3)
    records, _ = await log.read(topic, cursor, limit=8, by_time=False)
    assert sorted(record.value for record in records) == [b"0", b"1", b"2"]


async def test_trimming_keeps_what_is_past_a_cursor(log: EventLog, topic: str) -> None:
    await publish(log, topic, 30)
    read, cursor = await log.read(topic, None, limit=17)
    unread = {int(record.value) for record in await everything(log, topic)} - {int(record.value) for record in read}
    async with asyncio.timeout(30):
        while len(found := await everything(log, topic)) == 30:  # of this millisecond nothing is older than 0 ms
            await log.trim(topic, older_than_ms=0, read_to=cursor)
    assert {int(record.value) for record in found} >= unread, "a record was dropped that the cursor had not passed"
    assert await log.trim(topic, older_than_ms=0, read_to="") == 0, "nothing is read yet, and something was dropped"
    with pytest.raises(CursorInvalid):
        await log.trim(topic, older_than_ms=0, read_to="x")


async def test_a_topic_is_cut_to_a_number_and_keeps_its_newest(log: EventLog, topic: str) -> None:
    await publish(log, topic, 60)
    assert await log.count(topic) == 60
    before = await everything(log, topic)
    dropped = await log.trim_to(topic, records=20)
    left = await everything(log, topic)
    assert 0 < len(left) <= 20
    assert len(left) == 60 - dropped == await log.count(topic)
    assert left[-1].value == before[-1].value, "the newest record went"
    assert await log.trim_to(topic, records=20) == 0
    await publish(log, topic, 1)
    assert await log.count(topic) == len(left) + 1


async def everything(log: EventLog, topic: str) -> Sequence[Record]:
    return (await log.read(topic, None, limit=1000))[0]


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


async def trimmed(
    log: EventLog, topic: str, *, to: int, needed_by: Collection[str] = (), seconds: float = 15.0
) -> Sequence[Record]:
    """Trim until so many records are left at most: of this millisecond none is older than 0 ms."""
    async with asyncio.timeout(seconds):
        while True:
            await log.trim(topic, older_than_ms=0, needed_by=needed_by)
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


async def test_trimming_keeps_everything_for_a_group_that_has_no_place_yet(log: EventLog, topic: str) -> None:
    await publish(log, topic, 30)
    quick = await log.subscribe(topic, "quick")
    await quick.acknowledge(await gather(quick, 30))
    assert await log.trim(topic, older_than_ms=0, needed_by=["quick", "late"]) == 0
    late = await log.subscribe(topic, "late")
    records = await gather(late, 30)
    assert sorted(int(record.value) for record in records) == list(range(30)), "a record went before it was read"
    await late.acknowledge(records)
    await trimmed(log, topic, to=4, needed_by=["quick", "late"])
    await asyncio.gather(quick.close(), late.close())
