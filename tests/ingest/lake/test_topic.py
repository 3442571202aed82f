"""How long the event log keeps viewing events: what the lake lacks stays while a sink lives, and goes by age where none does."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from marquee.errors import StoreUnavailable
from marquee.ingest import retention
from marquee.ingest.lost_events import load_lost
from marquee.ingest.retention import trim_viewing_events
from marquee.settings import Settings
from marquee.stores.event_log.contract import EventLog
from marquee.stores.lake.contract import Lake


@pytest.fixture(autouse=True)
def own_topic(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "VIEWING_EVENTS", topic)
    monkeypatch.setattr(retention, "WRITTEN_RETENTION_MS", 0)


async def publish(event_log: EventLog, topic: str, first: int, count: int) -> None:
    for number in range(first, first + count):
        await event_log.publish(topic, f"v_{number}", str(number).encode())


async def kept(event_log: EventLog, topic: str) -> set[int]:
    records, _ = await event_log.read(topic, None, limit=1000)
    return {int(record.value) for record in records}


async def trim(
    event_log: EventLog, lake: Lake, state: Path, *, keep_unwritten_seconds: float = 0, keep_records: int = 10**6
) -> None:
    await asyncio.sleep(0.01)  # of this millisecond nothing is older than 0 ms
    await trim_viewing_events(
        event_log, lake, state, keep_unwritten_seconds=keep_unwritten_seconds, keep_records=keep_records
    )


async def test_what_a_living_sink_has_not_written_stays_however_old(
    event_log: EventLog, lake: Lake, topic: str, tmp_path: Path
) -> None:
    await publish(event_log, topic, 0, 20)
    position = await lake.take_over(topic)
    await trim(event_log, lake, tmp_path)
    assert await kept(event_log, topic) == set(range(20)), "the sink has written nothing yet"
    written, cursor = await event_log.read(topic, None, limit=12)
    await lake.append([], topic, position, cursor, erased=0)
    await trim(event_log, lake, tmp_path)
    unwritten = set(range(20)) - {int(record.value) for record in written}
    found = await kept(event_log, topic)
    assert found >= unwritten, "records were dropped that no lake has"
    assert len(found) < 20, "what is in the lake stays for ever"
    rest, _ = await event_log.read(topic, cursor, limit=100)
    assert {int(record.value) for record in rest} == unwritten


async def test_where_no_sink_lives_old_events_go_and_somebody_is_told(
    event_log: EventLog, lake: Lake, topic: str, where: Settings, tmp_path: Path
) -> None:
    await publish(event_log, topic, 0, 10)
    await trim(event_log, lake, tmp_path, keep_unwritten_seconds=3600)
    assert await kept(event_log, topic) == set(range(10))
    with capture_logs() as told:
        async with asyncio.timeout(30):
            while await kept(event_log, topic):  # the two clocks may differ by a little
                await trim(event_log, lake, tmp_path)
    assert load_lost(tmp_path).records == 10, "what is lost is not counted"
    assert "MARQUEE_VIEWING_EVENTS_KEEP_SECONDS" in str(told)
    assert "make analytics" in str(told)
    await publish(event_log, topic, 10, 10)
    await lake.take_over(topic)
    await trim(event_log, lake, tmp_path)
    assert await kept(event_log, topic) == set(range(10, 20))
    await asyncio.to_thread(_age_position, where)
    async with asyncio.timeout(30):
        while await kept(event_log, topic):
            await trim(event_log, lake, tmp_path)


def _age_position(where: Settings) -> None:
    with psycopg.connect(where.database) as connection:
        connection.execute("UPDATE lake_position SET written_at = now() - interval '2 days'")


async def test_a_position_of_another_event_log_protects_nothing_here(
    event_log: EventLog, lake: Lake, topic: str, tmp_path: Path
) -> None:
    position = await lake.take_over(topic)
    await lake.append([], topic, position, "of-another", erased=0)
    await publish(event_log, topic, 0, 5)
    async with asyncio.timeout(30):
        while await kept(event_log, topic):
            await trim(event_log, lake, tmp_path)


async def test_beyond_a_number_written_events_go_first_and_then_the_oldest(
    event_log: EventLog, lake: Lake, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "WRITTEN_RETENTION_MS", 3600_000)
    await publish(event_log, topic, 0, 40)
    position = await lake.take_over(topic)
    _, cursor = await event_log.read(topic, None, limit=1000)
    await lake.append([], topic, position, cursor, erased=0)
    await publish(event_log, topic, 40, 8)
    async with asyncio.timeout(30):
        while len(await kept(event_log, topic)) > 40:
            await trim(event_log, lake, tmp_path, keep_records=40)
    assert await kept(event_log, topic) >= set(range(40, 48)), "an event went that no lake has"
    assert load_lost(tmp_path).records == 0
    await publish(event_log, topic, 48, 60)
    await trim(event_log, lake, tmp_path, keep_records=20)
    left = await kept(event_log, topic)
    assert 0 < len(left) <= 20
    assert max(left) == 107, "the newest events went"
    assert load_lost(tmp_path).records > 0, "what is lost is not counted"


async def test_the_bound_by_number_holds_while_postgresql_is_away(
    event_log: EventLog, lake: Lake, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(topic: str) -> None:
        raise StoreUnavailable("PostgreSQL does not answer")

    monkeypatch.setattr(lake, "position", away)
    await publish(event_log, topic, 0, 60)
    with pytest.raises(StoreUnavailable):
        await trim(event_log, lake, tmp_path, keep_records=20)
    assert 0 < len(await kept(event_log, topic)) <= 20
    assert await event_log.count(topic) <= 20
