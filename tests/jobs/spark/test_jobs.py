"""The jobs from the lake's files to PostgreSQL: the same twice, late and empty days, skew, and files that are poisoned."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.spark import candidates, popularity, sessions, taste
from jobs.spark.poisoned import EventsUnusable
from marquee.domain.ids import new_playback_id
from marquee.settings import Settings
from marquee.stores.lake import open_lake
from tests.jobs.spark.conftest import Run
from tests.jobs.spark.frames import DAY, END_MS, Events
from tests.jobs.spark.lakes import add_title, ask, store, store_file, store_table, table_of

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(900)]

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
FACTS = ("daily_title", "daily_profile", "daily_quality", "daily_failure", "daily_search")


def _facts(platform: Settings) -> dict[str, list[tuple[Any, ...]]]:
    return {table: sorted(ask(platform, f"SELECT * FROM {table}"), key=str) for table in FACTS}


def _day_of_viewers() -> Events:
    events = Events()
    events.play("v_one", watched=96)
    events.play("v_two", 7, profile_id="p_two", device="phone", movie_id="m_two")
    events.add("v_fails", "attempt", 0)
    events.add("v_fails", "error", 1, is_fatal=True, error_code="network")
    events.play("v_robot", device="robot")
    for number, (query, results) in enumerate((("Léon ", 3), ("leon", 3), ("zzz", 0))):
        events.add(None, "search_asked", number, source="server", query=query, results=results)
    events.add(None, "search_opened", 5, query="leon", place=2)
    return events


def test_a_day_of_viewers_becomes_facts_and_the_same_twice(platform: Settings, run: Run, tmp_path: Path) -> None:
    add_title(platform, "m_one")
    events = _day_of_viewers()
    events.play(new_playback_id(END_MS + 60_000), 12 * 3600 + 60)  # of the day after: read and checked, and not counted
    store(platform, events.rows, tmp_path)
    figures = run(sessions.run)
    assert (figures["events"], figures["sessions"]) == (len(events.rows), 4)
    found = _facts(platform)
    assert found["daily_title"] == [(DAY, "m_one", 2, 1, 1, 1, 96.0), (DAY, "m_two", 1, 1, 1, 0, 10.0)]
    assert found["daily_profile"] == [(DAY, "p_one", 1, 96.0), (DAY, "p_two", 1, 10.0)]
    assert found["daily_failure"] == [(DAY, "network", 1, 0)]
    assert found["daily_search"] == [(DAY, "leon", 2, 0, 1, 2, 1), (DAY, "zzz", 1, 1, 0, 0, 1)]
    quality = {row[1:3]: row[3:] for row in found["daily_quality"]}
    assert quality["all", ""] == (3, 2, 0, 1, 0, 1.0, 1.0, 0.0, None, 106.0, 0.0)
    for cut in ("title", "edge", "device", "rendition", "player"):
        assert sum(row[0] for (named, _), row in quality.items() if named == cut) == 3, f"{cut} loses attempts"
    assert run(sessions.run) == figures
    assert _facts(platform) == found, "the same day again gives the same"

    late = Events()
    late.play("v_late", 60, profile_id="p_late", event_id=None)
    for number, row in enumerate(late.rows):
        row["event_id"] = f"late{number}"
    store(platform, late.rows, tmp_path)
    run(sessions.run)
    assert (DAY, "p_late", 1, 10.0) in _facts(platform)["daily_profile"]
    files = asyncio.run(_live(platform))
    assert [(file.hour.date(), file.rows) for file in files] == [(DAY, 5)]


async def _live(platform: Settings) -> list[Any]:
    lake = open_lake(platform)
    try:
        return await lake.live_files("sessions")
    finally:
        await lake.close()


def _truncated(platform: Settings, folder: Path) -> str:
    local = folder / "truncated.parquet"
    pq.write_table(table_of(_day_of_viewers().rows), local)
    local.write_bytes(local.read_bytes()[:-300])
    return store_file(platform, local, NOON, rows=16)


def _cut_off_later(platform: Settings, folder: Path) -> str:
    [path] = store(platform, _day_of_viewers().rows, folder)
    stored = Path(platform.lake_url.removeprefix("file://")) / path
    stored.write_bytes(b"")
    return path


def _wrong_type(platform: Settings, folder: Path) -> str:
    table = table_of(_day_of_viewers().rows)
    place = table.schema.get_field_index("at_ms")
    texts = pa.array([str(value) for value in table["at_ms"].to_pylist()])
    return store_table(platform, table.set_column(place, "at_ms", texts), NOON, folder)


def _nulls(platform: Settings, folder: Path) -> str:
    rows = _day_of_viewers().rows
    return store_table(platform, table_of([*rows, {**rows[0], "event_id": None}]), NOON, folder)


def _fewer_rows_than_listed(platform: Settings, folder: Path) -> str:
    local = folder / "fewer.parquet"
    pq.write_table(table_of(_day_of_viewers().rows), local)
    store_file(platform, local, NOON, rows=99)
    return f"the lake's list says {99 + 3}"


def test_a_poisoned_file_is_named_and_the_old_facts_stay(platform: Settings, run: Run, tmp_path: Path) -> None:
    good = Events()
    good.play("v_good")
    store(platform, good.rows, tmp_path)
    run(sessions.run)
    before = _facts(platform)
    listed = {path for (path,) in ask(platform, "SELECT path FROM lake_file")}
    for poison in (_truncated, _cut_off_later, _wrong_type, _nulls, _fewer_rows_than_listed):
        name = poison(platform, tmp_path)
        with pytest.raises(EventsUnusable) as refused:
            run(sessions.run)
        assert name in refused.value.detail, f"{poison.__name__}: {refused.value.detail}"
        assert "Nothing was changed" in refused.value.detail
        assert _facts(platform) == before
        with psycopg.connect(platform.database) as connection:
            connection.execute("DELETE FROM lake_file WHERE NOT path = ANY(%s)", [list(listed)])


def test_an_empty_day_is_empty_and_facts_outlive_the_lake(platform: Settings, run: Run, tmp_path: Path) -> None:
    assert run(sessions.run)["sessions"] == 0
    nobody = (DAY, "all", "", 0, 0, 0, 0, 0, None, None, None, None, 0.0, 0.0)
    assert _facts(platform) == {table: [nobody] if table == "daily_quality" else [] for table in FACTS}
    with psycopg.connect(platform.database) as connection:
        connection.execute("INSERT INTO daily_title VALUES (%s, 'm_one', 1, 1, 1, 1, 5)", [DAY])
    with pytest.raises(EventsUnusable, match="--empty"):
        run(sessions.run)
    assert len(ask(platform, "SELECT * FROM daily_title")) == 1, "the lake's retention must not remove facts"
    run(sessions.run, empty=True)
    assert ask(platform, "SELECT * FROM daily_title") == []

    neighbours = Events()
    neighbours.play("v_before", -12 * 3600 - 600)
    neighbours.play("v_after", 12 * 3600 + 600)
    store(platform, neighbours.rows, tmp_path)
    with psycopg.connect(platform.database) as connection:
        connection.execute("INSERT INTO daily_title VALUES (%s, 'm_one', 1, 1, 1, 1, 5)", [DAY])
    with pytest.raises(EventsUnusable, match="has no events of 2026-11-30"):
        run(sessions.run)
    assert len(ask(platform, "SELECT * FROM daily_title")) == 1, "events of the days around it are none of the day"


def test_a_day_that_retention_has_cut_keeps_its_facts(platform: Settings, run: Run, tmp_path: Path) -> None:
    cut = (datetime.now(UTC) - timedelta(days=5)).date()
    events = Events()
    events.play("v_left_over", (cut - DAY).days * 86_400 + 11 * 3600)
    store(platform, events.rows, tmp_path)
    keeps_five_days = platform.model_copy(update={"lake_days": 5})
    assert run(sessions.run, cut, settings=keeps_five_days)["sessions"] == 1, "a day without facts loses nothing"
    before = _facts(platform)
    with pytest.raises(EventsUnusable, match="keeps events for 5 days"):
        run(sessions.run, cut, settings=keeps_five_days)
    assert _facts(platform) == before
    assert run(sessions.run, cut, settings=keeps_five_days, empty=True)["sessions"] == 1


def test_a_platform_without_events_gives_empty_batches(platform: Settings, run: Run) -> None:
    assert run(popularity.run)["rows"] == 0
    assert run(candidates.run)["rows"] == 0
    tasted = run(taste.run)
    assert (tasted["suggestions"], tasted["genre_tastes"], tasted["titles"]) == (0, 0, 0)


def test_files_with_more_or_fewer_columns_are_read(platform: Settings, run: Run, tmp_path: Path) -> None:
    table = table_of(_day_of_viewers().rows)
    older = table.drop_columns(["sent_bytes", "cache", "place"])
    newer = table_of(
        [
            {
                **row,
                "event_id": f"n{number}",
                "session_id": None if row["session_id"] is None else f"n_{row['session_id']}",
            }
            for number, row in enumerate(_day_of_viewers().rows)
        ]
    )
    newer = newer.append_column("mood", pa.array(["good"] * newer.num_rows))
    store_table(platform, older, NOON, tmp_path)
    store_table(platform, newer, NOON, tmp_path)
    assert run(sessions.run)["sessions"] == 8


def test_one_title_with_most_of_the_events_is_counted_right(platform: Settings, run: Run, tmp_path: Path) -> None:
    events = Events()
    for number in range(1000):
        events.play(
            f"v_{number}", number / 10, profile_id=f"p_{number % 300}", movie_id="m_hit" if number % 10 else "m_other"
        )
    store(platform, events.rows, tmp_path)
    run(sessions.run)
    found = {row[1]: row[2:] for row in _facts(platform)["daily_title"]}
    assert found == {"m_hit": (900, 900, 270, 0, 9000.0), "m_other": (100, 100, 30, 0, 1000.0)}


def test_a_week_of_sessions_becomes_batches(platform: Settings, run: Run, tmp_path: Path) -> None:
    for number in range(4):
        add_title(platform, f"m_{number}", title=f"Film {number}", popularity=float(number))
    add_title(platform, "m_announced", state="announced", duration_seconds=None)
    events = Events()
    for profile in range(6):
        for movie in range(3):
            if (profile + movie) % 4:
                events.play(
                    f"v_{profile}_{movie}",
                    watched=90,
                    profile_id=f"p_{profile}",
                    movie_id=f"m_{movie}",
                    height=720,
                    kbps=2000,
                )
    store(platform, events.rows, tmp_path)
    run(sessions.run)
    trending = run(popularity.run)
    assert {row[0] for row in ask(platform, "SELECT DISTINCT genre FROM popularity")} == {"", "Drama"}
    assert trending["titles"] == 3
    tasted = run(taste.run)
    assert tasted["is_proved"]
    assert tasted["suggestions"] == len(ask(platform, "SELECT * FROM suggestion")) > 0
    watched = {(row["profile_id"], row["movie_id"]) for row in events.rows}
    assert not watched & set(ask(platform, "SELECT profile_id, movie_id FROM suggestion")), "nothing that was watched"
    assert len(ask(platform, "SELECT * FROM genre_taste WHERE share = 1")) == 6
    similar = ask(platform, "SELECT movie_id, similar_id FROM similar_title")
    assert {movie for movie, _ in similar} == {"m_0", "m_1", "m_2", "m_3", "m_announced"}, "also what nobody watched"
    assert "m_announced" not in {other for _, other in similar}
    assert run(candidates.run)["rows"] == 3
    assert ask(platform, "SELECT DISTINCT state FROM analytics_batch") == [("written",)], (
        "viewers see none until it is judged"
    )
