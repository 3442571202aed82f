"""Hours of the lake are judged by Great Expectations on Parquet files: each expectation with good and with bad events."""

import asyncio
import io
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from assets.analytics.events import judge_hour
from assets.analytics.judging import KEPT_DOCS, Verdict
from assets.analytics.lake_hours import COLUMNS, Hour, opened_lake, past_rows, read_hour
from marquee.client.dagster_runs import RANGE_END_TAG, RANGE_START_TAG
from marquee.events.viewing import ViewingEvent
from marquee.settings import Settings
from marquee.stores.lake import EVENTS
from marquee.stores.lake.contract import LakeFile, NewFile
from marquee.stores.lake.event_columns import table_of
from tests.assets.analytics.conftest import Run, failed_checks, materialized
from tests.harness.lake.events import HOUR, event

ROWS = 400


def of_hour(rows: int = ROWS, **fields: Any) -> list[ViewingEvent]:
    return [event(number, at=HOUR + timedelta(seconds=number), **fields) for number in range(rows)]


def changed(events: list[ViewingEvent], share: float, **fields: Any) -> list[ViewingEvent]:
    """The first `share` of the events with other fields."""
    count = round(len(events) * share)
    return [msgspec.structs.replace(one, **fields) for one in events[:count]] + events[count:]


async def add_file(settings: Settings, connection: psycopg.Connection, hour: datetime, body: bytes, rows: int) -> None:
    path = f"events/date={hour:%Y-%m-%d}/hour={hour:%H}/{hour:%d%H}-{rows}-{len(body)}.parquet"
    async with opened_lake(settings) as lake:
        await lake.files.ensure()
        await lake.files.put(path, memoryview(body))
    new = NewFile(path=path, dataset=EVENTS, hour=hour, rows=rows, size_bytes=len(body))
    connection.execute(
        "INSERT INTO lake_file (path, dataset, hour, rows, bytes) VALUES (%s, %s, %s, %s, %s)",
        [new.path, new.dataset, new.hour, new.rows, new.size_bytes],
    )


def parquet(events: list[ViewingEvent]) -> bytes:
    body = io.BytesIO()
    pq.write_table(pa.Table.from_batches([table_of(events)]), body)
    return body.getvalue()


GOOD = of_hour()
BAD: dict[str, tuple[Callable[[], list[ViewingEvent]], str]] = {
    "nulls in keys": (lambda: changed(GOOD, 0.01, event_id=None), "Every event has `event_id`"),
    "sessions without a session": (lambda: changed(GOOD, 0.05, session_id=None), "has `session_id`"),
    "every event twice": (lambda: GOOD + GOOD, "event ids are there once"),
    "unknown kinds": (lambda: changed(GOOD, 0.05, kind="teleport"), "Kinds are those that this version knows"),
    "another hour": (
        lambda: changed(GOOD, 0.01, at_ms=GOOD[0].at_ms - 3_600_000, received_at_ms=GOOD[0].at_ms),
        "Every event is of this hour",
    ),
    "impossible durations": (lambda: changed(GOOD, 0.05, duration_ms=-5), "A duration is 0 to 24 hours"),
    "impossible watching": (lambda: changed(GOOD, 0.05, watched_ms=9_000_000_000), "was watched is 0 to 24 hours"),
    "impossible positions": (lambda: changed(GOOD, 0.05, position_seconds=1e9), "A position is 0 to 7 days"),
    "received before it happened": (
        lambda: changed(GOOD, 0.05, received_at_ms=GOOD[0].at_ms - 60_000),
        "An event was received within 7 days",
    ),
    "half of the usual": (lambda: GOOD[:150], "The hour has 200 events or more"),
}


def good_hour() -> Hour:
    frame = table_of(GOOD).to_pandas()[list(COLUMNS)]
    file = LakeFile("a", EVENTS, HOUR, ROWS, 1, "/a", HOUR)
    return Hour(HOUR, [file], frame.assign(age_ms=frame["received_at_ms"] - frame["at_ms"]), [])


WITHOUT_ROWS = ("half of the usual", "every event twice")
"""A number that is wrong has no rows to show."""


async def judged(
    settings: Settings, connection: psycopg.Connection, bodies: list[tuple[bytes, int]], past: list[int]
) -> Verdict:
    """The verdict on an hour whose live files are these."""
    connection.execute("DELETE FROM lake_file")
    for body, rows in bodies:
        await add_file(settings, connection, HOUR, body, rows)
    async with opened_lake(settings) as lake:
        hour = await read_hour(settings, lake, HOUR)
    assert hour.rows == sum(rows for _, rows in bodies)
    return await asyncio.to_thread(judge_hour, settings, hour, past)


async def test_a_good_hour_passes_and_each_kind_of_bad_one_is_named_with_rows(
    own_settings: Settings, connection: psycopg.Connection
) -> None:
    past = [ROWS] * 7
    good = await judged(own_settings, connection, [(parquet(GOOD[:100]), 100), (parquet(GOOD[100:]), 300)], past)
    assert good.reason is None, good.failures
    assert good.metadata["events_looked_at"] == ROWS
    for name, (make, sentence) in BAD.items():
        events = make()
        bad = await judged(own_settings, connection, [(parquet(events), len(events))], past)
        said = [one for one in bad.failures if sentence in one.sentence]
        assert said, f"{name} passes: {[one.sentence for one in bad.failures]}"
        assert said[0].sample or name in WITHOUT_ROWS, f"{name}: no sample of its rows"
    assert bad.docs is not None
    assert (bad.docs / "index.html").is_file(), "the link to Data Docs leads nowhere"
    # Of later hours by their names, and made before: a backfill of an old day must not lose its own.
    older = [bad.docs.parent / f"2030-01-01-{number:03}" for number in range(80)]
    for folder in older:
        folder.mkdir()
        os.utime(folder, (1_000_000, 1_000_000))
    newest = older[3]
    os.utime(newest)
    half_known = await judged(own_settings, connection, [(parquet(GOOD[:150]), 150)], [0, 0, 0, 0, 0, 400, 400])
    assert half_known.reason is None, "two days say nothing of what is usual"
    kept = {*bad.docs.parent.iterdir()}
    assert len(kept) == KEPT_DOCS, "Data Docs grow for ever"
    assert {bad.docs, newest} <= kept, "the newest by time are not kept"
    assert (await asyncio.to_thread(judge_hour, own_settings, good_hour(), past, docs="of failures")).docs is None
    poisoned = await judged(own_settings, connection, [(parquet(GOOD), ROWS), (b"PAR1 no Parquet", 10)], past)
    assert "Every file can be read" in (poisoned.reason or "")
    resent = [msgspec.structs.replace(one, duration_ms=-5) for one in of_hour(3)]
    quiet = await judged(own_settings, connection, [(parquet(of_hour(9) + resent), 12)], past=[])
    assert quiet.reason is None, "a share of 12 events was judged: one odd player is a quarter of them"
    empty = await judged(own_settings, connection, [], [0] * 7)
    assert empty.reason is None, "a platform without events is sound"
    gone = await judged(own_settings, connection, [], past)
    assert "The hour has 200 events or more" in (gone.reason or ""), "a sink that stopped is not seen"


async def test_a_bad_hour_stops_its_day_until_a_person_lets_it_pass(
    run: Run, own_settings: Settings, connection: psycopg.Connection
) -> None:
    await add_file(own_settings, connection, HOUR, parquet(GOOD), ROWS)
    bad = BAD["impossible durations"][0]()
    later = [
        msgspec.structs.replace(one, at_ms=one.at_ms + 3_600_000, received_at_ms=one.at_ms + 3_600_005) for one in bad
    ]
    await add_file(own_settings, connection, HOUR + timedelta(hours=1), parquet(later), ROWS)
    sound = await asyncio.to_thread(run, "analytics_hour", day="2026-11-30-13:00")
    assert sound.success, failed_checks(sound)
    [asset] = sound.get_asset_materialization_events()
    assert asset.materialization.metadata["dagster/row_count"].value == ROWS
    held = await asyncio.to_thread(run, "analytics_hour", day="2026-11-30-14:00")
    assert "A duration is 0 to 24 hours: 20 of 400" in failed_checks(held)["hour_is_sound"]
    only = ["event_day", "sessions"]
    day = await asyncio.to_thread(run, "analytics_day", day="2026-11-30", only=only)
    assert "14:00: A duration is 0 to 24 hours" in failed_checks(day)["day_is_sound"]
    assert materialized(day) == {"event_day"}, "sessions were made of a bad hour"
    tags = {RANGE_START_TAG: "2026-11-29", RANGE_END_TAG: "2026-11-30"}
    both = await asyncio.to_thread(run, "analytics_day", only=only, tags=tags)
    assert "2026-11-30 14:00: A duration is 0 to 24 hours" in failed_checks(both)["day_is_sound"]
    assert materialized(both) == {"event_day"}, "one bad hour holds back the range"
    accepted = {"ops": {"event_day_day_is_sound": {"config": {"accepted_hours": [14]}}}}
    passed = await asyncio.to_thread(run, "analytics_day", day="2026-11-30", only=["event_day"], run_config=accepted)
    assert passed.success, failed_checks(passed)
    both = await asyncio.to_thread(run, "analytics_day", only=["event_day"], run_config=accepted, tags=tags)
    assert both.success, failed_checks(both)
    tags = {RANGE_START_TAG: "2026-11-28", RANGE_END_TAG: "2026-11-29"}
    both = await asyncio.to_thread(run, "analytics_day", only=["event_day"], run_config=accepted, tags=tags)
    [check] = both.get_asset_check_evaluations()
    assert check.metadata["expectations_met"].value == 2 * 23, "an hour of the range was not judged"


async def test_what_is_usual_is_the_same_hour_of_the_days_before(
    own_settings: Settings, connection: psycopg.Connection
) -> None:
    for days_before, rows in ((1, 10), (7, 70), (8, 80)):
        await add_file(own_settings, connection, HOUR - timedelta(days=days_before), b"x", rows)
    await add_file(own_settings, connection, HOUR - timedelta(days=1, hours=1), b"x", 999)
    async with opened_lake(own_settings) as lake:
        assert await past_rows(lake, HOUR) == [10, 0, 0, 0, 0, 0, 70]
