"""The event sink: each event in its own hour exactly once, what cannot be kept is buried, and nothing stops it."""

import asyncio
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from marquee.errors import StoreUnavailable
from marquee.ingest.lake.sink import EventSink, Limits
from marquee.stores.event_log.contract import EventLog
from marquee.stores.lake.contract import EVENTS, Lake
from marquee.stores.lake.errors import SinkOvertaken
from tests.harness.lake.events import encoded, event
from tests.harness.lake.lakes import live_rows

NEVER = Limits(rows=10**6, size_bytes=2**40, seconds=3600.0)


async def sink_of(event_log: EventLog, lake: Lake, topic: str, limits: Limits = NEVER) -> EventSink:
    made = EventSink(event_log, lake, topic, limits)
    await made.begin()
    return made


async def drain(sink: EventSink) -> None:
    while await sink.step():
        pass
    await sink.flush()


def soon() -> datetime:
    """A moment of an hour that has begun, by the log's clock: the sink compares it with the time of publication."""
    return datetime.now().astimezone()


async def publish(event_log: EventLog, topic: str, numbers: range, *, at: datetime, profile_id: str = "p_1") -> None:
    for number in numbers:
        await event_log.publish(topic, f"v_{number % 7}", encoded(event(number, at=at, profile_id=profile_id)))


async def ids(lake: Lake, folder: Path) -> list[str]:
    return sorted(row["event_id"] for row in await live_rows(lake, folder))


async def test_events_come_once_each_in_the_file_of_their_own_hour(
    event_log: EventLog, lake: Lake, topic: str, tmp_path: Path
) -> None:
    now = soon()
    for hours in (0, 1, 30, 24 * 300):
        await publish(event_log, topic, range(100 * hours, 100 * hours + 20), at=now - timedelta(hours=hours))
    sink = await sink_of(event_log, lake, topic)
    await drain(sink)
    assert await ids(lake, tmp_path) == sorted(
        f"e_{number}" for hours in (0, 1, 30, 24 * 300) for number in range(100 * hours, 100 * hours + 20)
    )
    files = await lake.live_files(EVENTS)
    assert [file.rows for file in files] == [20] * 4
    for file in files:
        rows = await asyncio.to_thread(_read, file.uri)
        assert {row["at_ms"] // 3_600_000 for row in rows} == {int(file.hour.timestamp()) // 3600}
    await drain(await sink_of(event_log, lake, topic))
    assert len(await ids(lake, tmp_path)) == 80, "a second sink wrote events again"


def _read(uri: str) -> list[dict[str, int]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, int]] = pq.ParquetFile(uri).read().to_pylist()
    return rows


async def test_what_cannot_be_kept_is_buried_with_its_reason_and_the_rest_is_written(
    event_log: EventLog, lake: Lake, topic: str, tmp_path: Path
) -> None:
    now = soon()
    good = msgspec.structs.asdict(event(1, at=now))
    poison = {
        "not JSON": b"\xff\xfe{",
        "another object": b'{"a": 1}',
        "an unknown kind": msgspec.json.encode(good | {"kind": "flew"}),
        "a text for a number": msgspec.json.encode(good | {"watched_ms": "long"}),
        "a number of 70 bits": msgspec.json.encode(good).replace(b'"watched_ms":10000', b'"watched_ms":' + b"9" * 22),
        "deep": b'{"event_id":' + b"[" * 50_000,
        "the far future": encoded(event(2, at=now + timedelta(days=3650))),
        "the far past": encoded(event(3, at=now - timedelta(days=3650))),
        "before 1970": msgspec.json.encode(good | {"at_ms": -1}),
        "no year at all": msgspec.json.encode(good | {"at_ms": 10**18}),
        "too large": msgspec.json.encode(good | {"query": "q" * 70_000}),
        "a character that PostgreSQL does not hold": msgspec.json.encode(good | {"query": "a\0b"}),
        "nothing": b"",
    }
    for number, value in enumerate(poison.values()):
        await event_log.publish(topic, f"v_{number}", value)
        await publish(event_log, topic, range(100 + number, 101 + number), at=now)
    await drain(await sink_of(event_log, lake, topic))
    assert await ids(lake, tmp_path) == sorted(f"e_{100 + number}" for number in range(len(poison)))
    dead, _ = await event_log.read(f"{topic}.dead", None, limit=1000)
    assert sorted(record.value for record in dead) == sorted(poison.values())
    assert all(record.headers["dead-reason"] and record.headers["dead-topic"] == topic for record in dead)


async def test_a_batch_of_poison_alone_moves_the_position(event_log: EventLog, lake: Lake, topic: str) -> None:
    await event_log.publish(topic, "k", b"poison")
    await drain(await sink_of(event_log, lake, topic))
    position = await lake.position(topic)
    assert position is not None
    assert position.cursor
    assert (await event_log.read(topic, position.cursor))[0] == []


async def test_a_batch_is_written_at_each_of_its_limits(event_log: EventLog, lake: Lake, topic: str) -> None:
    now = soon()
    await publish(event_log, topic, range(30), at=now)
    sink = await sink_of(event_log, lake, topic, Limits(rows=30, size_bytes=2**40, seconds=3600))
    await sink.step()
    assert sum(file.rows for file in await lake.live_files(EVENTS)) == 30
    assert sink.lag_seconds() == 0
    sink = await sink_of(event_log, lake, topic, Limits(rows=10**6, size_bytes=100, seconds=3600))
    await publish(event_log, topic, range(30, 40), at=now)
    await sink.step()
    assert sum(file.rows for file in await lake.live_files(EVENTS)) == 40
    sink = await sink_of(event_log, lake, topic, Limits(rows=10**6, size_bytes=2**40, seconds=0.001))
    await publish(event_log, topic, range(40, 50), at=now)
    async with asyncio.timeout(30):
        while sum(file.rows for file in await lake.live_files(EVENTS)) < 50:
            await sink.step()


async def test_in_an_outage_of_the_lake_nothing_further_is_read(
    event_log: EventLog, lake: Lake, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(event_log, topic, range(400), at=soon())
    sink = await sink_of(event_log, lake, topic, Limits(rows=20, size_bytes=2**40, seconds=3600))
    append, read, reads = lake.append, event_log.read, []

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("PostgreSQL does not answer")

    async def counted(*arguments: Any, **options: Any) -> Any:
        reads.append(arguments)
        return await read(*arguments, **options)

    monkeypatch.setattr(event_log, "read", counted)
    monkeypatch.setattr(lake, "append", away)
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            await sink.step()
    assert len(reads) == 1, "memory grows with each attempt of an outage"
    monkeypatch.setattr(lake, "append", append)
    await drain(sink)
    assert await ids(lake, tmp_path) == sorted(f"e_{number}" for number in range(400))


async def test_of_two_sinks_the_later_one_writes(event_log: EventLog, lake: Lake, topic: str, tmp_path: Path) -> None:
    await publish(event_log, topic, range(40), at=soon())
    older = await sink_of(event_log, lake, topic)
    while await older.step():
        pass
    newer = await sink_of(event_log, lake, topic)
    while await newer.step():
        pass
    with pytest.raises(SinkOvertaken):
        await older.flush()
    await newer.flush()
    with pytest.raises(SinkOvertaken):
        await older.flush()
    assert await ids(lake, tmp_path) == sorted(f"e_{number}" for number in range(40))


async def test_no_row_of_an_erased_profile_is_written_even_if_the_request_comes_meanwhile(
    event_log: EventLog, lake: Lake, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(event_log, topic, range(10), at=soon(), profile_id="p_gone")
    await publish(event_log, topic, range(10, 20), at=soon(), profile_id="p_stays")
    sink = await sink_of(event_log, lake, topic)
    while await sink.step():
        pass
    put = lake.files.put
    asked: list[str] = []

    async def ask_meanwhile(path: str, body: memoryview) -> None:
        await put(path, body)
        if not asked:
            asked.append(path)
            await lake.ask_erasure("p_gone")

    monkeypatch.setattr(lake.files, "put", ask_meanwhile)
    await sink.flush()
    assert asked
    assert {row["profile_id"] for row in await live_rows(lake, tmp_path)} == {"p_stays"}


async def test_a_position_of_another_event_log_is_left_and_this_one_is_read_from_its_beginning(
    event_log: EventLog, lake: Lake, topic: str, tmp_path: Path
) -> None:
    position = await lake.take_over(topic)
    await lake.append([], topic, position, f"of-another-engine-{secrets.token_hex(2)}", erased=0)
    await publish(event_log, topic, range(5), at=soon())
    await drain(await sink_of(event_log, lake, topic))
    assert len(await ids(lake, tmp_path)) == 5
