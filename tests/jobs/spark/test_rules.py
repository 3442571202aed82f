"""The rules of one playback session, on small frames."""

import random
from typing import TYPE_CHECKING

import pytest

from marquee.domain.ids import made_at_ms, new_playback_id
from tests.jobs.spark.frames import END_MS, FIRST_MS, NOON_MS, Events, by_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(900)]


def _outcomes() -> Events:
    """One session of each outcome, and some that ask for nothing."""
    events = Events()
    events.play("v_played")
    events.play("v_broken_later", watched=5)
    events.add("v_broken_later", "error", 4, is_fatal=True, error_code="media")
    events.add("v_broken_first", "attempt", 0)
    events.add("v_broken_first", "error", 2, is_fatal=False, error_code="slow")
    events.add("v_broken_first", "error", 3, is_fatal=True, error_code="network")
    events.add("v_left", "attempt", 0)
    events.add("v_left", "exit", 3)
    events.add("v_vanished", "attempt", 0)
    events.add("v_mended", "attempt", 0)
    events.add("v_mended", "error", 1, is_fatal=True, error_code="network")
    events.add("v_mended", "first_frame", 9, duration_ms=9000)
    events.add("v_addresses_only", "stream_started", 0, source="server")
    events.add("v_warmed", "request", 0, source="edge", object_kind="video")
    events.add("v_sampled", "heartbeat", 30, watched_ms=10_000, source="cmcd")
    return events


def test_how_a_session_went(spark: "SparkSession") -> None:
    found = by_session(_outcomes(), spark)
    assert {session: (row["outcome"], row["error_code"]) for session, row in found.items()} == {
        "v_played": ("played", None),
        "v_broken_later": ("playback_failure", "media"),
        "v_broken_first": ("start_failure", "network"),
        "v_left": ("exit_before_start", None),
        "v_vanished": ("exit_before_start", None),
        "v_mended": ("played", None),
        "v_sampled": ("played", None),
    }, "a session without an attempt counts nowhere; a fatal error counts by whether film was shown before it"
    assert found["v_mended"]["startup_ms"] == 9000
    assert found["v_broken_first"]["startup_ms"] is None, "startup time is of played sessions only"


def test_an_attempt_that_may_still_begin_does_not_count_yet(spark: "SparkSession") -> None:
    events = Events()
    events.add("v_waiting", "attempt", 0)
    assert by_session(events, spark, as_of_ms=NOON_MS + 59_000) == {}
    assert by_session(events, spark, as_of_ms=NOON_MS + 60_000)["v_waiting"]["outcome"] == "exit_before_start"


def test_repeats_and_disorder_change_nothing(spark: "SparkSession") -> None:
    events = _outcomes()
    expected = by_session(events, spark)
    again = [{**row, "received_at_ms": row["received_at_ms"] + 5000, "at_ms": row["at_ms"] + 3} for row in events.rows]
    events.rows += again
    random.Random(5).shuffle(events.rows)
    assert by_session(events, spark) == expected, (
        "an event that a client sent again counts once, as it was received first"
    )


def test_a_session_over_midnight_belongs_to_the_day_of_its_attempt(spark: "SparkSession") -> None:
    events = Events()
    before_midnight = 12 * 3600 - 5
    events.play("v_late", before_midnight, watched=60)
    assert by_session(events, spark)["v_late"]["watch_seconds"] == 60
    assert by_session(events, spark, day=1) == {}


def test_late_events_add_to_their_session(spark: "SparkSession") -> None:
    events = Events()
    events.play("v_one", watched=10)
    before = by_session(events, spark)["v_one"]
    events.add("v_one", "heartbeat", 6, watched_ms=5000, received_at_ms=NOON_MS + 7 * 3_600_000)
    after = by_session(events, spark)["v_one"]
    assert (before["watch_seconds"], after["watch_seconds"]) == (10, 15)
    assert before["outcome"] == after["outcome"] == "played"


def test_rebuffering_leaves_out_seeks_and_what_comes_before_the_first_frame(spark: "SparkSession") -> None:
    events = Events()
    events.add("v_one", "attempt", 0)
    events.add("v_one", "stall_end", 2, duration_ms=1500)
    events.add("v_one", "first_frame", 3, duration_ms=3000)
    events.add("v_one", "stall_begin", 10)
    events.add("v_one", "stall_end", 12, duration_ms=2000)
    events.add("v_one", "stall_end", 19.9, duration_ms=800)
    events.add("v_one", "seek", 20, duration_ms=1000, position_seconds=50.0)
    events.add("v_one", "stall_begin", 30)
    events.add("v_one", "exit", 34, watched_ms=20_000)
    found = by_session(events, spark)["v_one"]
    assert (found["stalls"], found["stall_seconds"]) == (2, 6), (
        "the ended stall of 2 s, and the last one until the exit"
    )


def test_the_mean_bitrate_is_weighted_by_the_time_that_each_rendition_is_shown(spark: "SparkSession") -> None:
    events = Events()
    events.add("v_one", "attempt", 0)
    events.add("v_one", "first_frame", 1, duration_ms=1000)
    events.add("v_one", "rendition", 1, kbps=1000, height=360)
    events.add("v_one", "rendition", 11, kbps=3000, height=720)
    events.add("v_one", "pause", 21)
    events.add("v_one", "play", 51)
    events.add("v_one", "exit", 61, watched_ms=30_000)
    events.add("v_edges_only", "heartbeat", 0, watched_ms=1000)
    for number, kbps in enumerate((500, 1500)):
        events.add(
            "v_edges_only",
            "request",
            number,
            source="edge",
            object_kind="video",
            kbps=kbps,
            height=360,
            edge="edge-1",
            sent_bytes=700,
        )
    found = by_session(events, spark)
    assert found["v_one"]["mean_kbps"] == pytest.approx((10 * 1000 + 20 * 3000) / 30), "a pause shows nothing"
    assert found["v_one"]["top_height"] == 720
    only = found["v_edges_only"]
    assert (only["mean_kbps"], only["top_height"], only["edge"], only["sent_bytes"]) == (1000, 360, "edge-1", 1400)


@pytest.mark.parametrize(
    ("position", "watched_ms", "completed"), [(94.9, 9000, False), (95.0, 9000, True), (96.0, 0, False)]
)
def test_a_completion_is_95_percent_of_the_film(
    spark: "SparkSession", position: float, watched_ms: int, completed: bool
) -> None:
    events = Events()
    events.play("v_one", position_seconds=position, watched_ms=watched_ms)
    events.add("v_one", "seek", 5, position_seconds=99.0, duration_ms=10)
    assert by_session(events, spark)["v_one"]["is_completed"] is completed, (
        "the target of a seek is not what was watched"
    )


def test_a_title_that_the_catalogue_does_not_know_is_watched_all_the_same(spark: "SparkSession") -> None:
    events = Events()
    events.play("v_one", movie_id="m_gone")
    found = by_session(events, spark)["v_one"]
    assert (found["outcome"], found["duration_seconds"], found["is_completed"]) == ("played", None, False)


def test_what_engineers_and_robots_do_is_marked(spark: "SparkSession") -> None:
    events = Events()
    events.play("v_preview", is_preview=True)
    events.play("v_robot", device="robot")
    events.play("v_viewer")
    marks = {key: (row["is_preview"], row["is_robot"]) for key, row in by_session(events, spark).items()}
    assert marks == {"v_preview": (True, False), "v_robot": (False, True), "v_viewer": (False, False)}


def test_a_session_that_goes_on_in_the_morning_counts_once(spark: "SparkSession") -> None:
    events = Events()
    evening = new_playback_id(NOON_MS + 11 * 3_600_000)
    events.play(evening, 11 * 3600, watched=60)
    events.play(evening, 30 * 3600, watched=30)
    edge_cases = [new_playback_id(at_ms) for at_ms in (FIRST_MS - 1, FIRST_MS, END_MS - 1, END_MS)]
    for session in edge_cases:
        events.play(session, (made_at_ms(session) - NOON_MS) / 1000)
    today, tomorrow = by_session(events, spark), by_session(events, spark, day=1)
    assert today[evening]["watch_seconds"] == 90
    assert set(today) == {evening, *edge_cases[1:3]}, (
        "the second attempt of a session counts again, or a border is wrong"
    )
    assert set(tomorrow) == {edge_cases[3]}
    events.rows = [row for row in events.rows if row["at_ms"] >= END_MS]
    assert evening not in by_session(events, spark, day=1), "a session whose first events are not read counts again"


def test_odd_values_of_one_viewer_are_bounded(spark: "SparkSession") -> None:
    events = Events()
    events.play("v_odd", watched=10)
    for number in range(200):
        events.add("v_odd", "heartbeat", 2 + number / 100, watched_ms=600_000)
    events.add("v_slept_first", "attempt", 0)
    events.add("v_slept_first", "first_frame", 8 * 3600, duration_ms=8 * 3_600_000)
    events.play("v_twice")
    events.add("v_twice", "first_frame", 5, duration_ms=20)
    found = by_session(events, spark)
    assert found["v_odd"]["watch_seconds"] == 11 * 2 + 120, (
        "11 s at double speed, and what the first report may tell of"
    )
    assert (found["v_slept_first"]["outcome"], found["v_slept_first"]["startup_ms"]) == ("played", None)
    assert found["v_twice"]["startup_ms"] == 1000, "the startup is that of the earliest first frame"


@pytest.mark.parametrize(
    ("stall", "seconds"),
    [
        ([("stall_begin", 10, {}), ("stall_end", 10 + 8 * 3600, {"duration_ms": 8 * 3_600_000})], 60),
        ([("stall_begin", 10, {}), ("exit", 10 + 8 * 3600, {})], 60),
        ([("stall_begin", 10, {}), ("heartbeat", 40, {}), ("exit", 8 * 3600, {})], 90),
        ([("stall_end", 8 * 3600, {"duration_ms": 7 * 3_600_000})], 60),
        ([("stall_end", 300, {"duration_ms": 2000})], 2),
        ([("stall_begin", 10, {}), ("heartbeat", 60, {}), ("stall_end", 110, {"duration_ms": 100_000})], 100),
    ],
    ids=["slept", "slept and left", "told once more", "told at the end only", "short after silence", "long and told"],
)
def test_a_device_that_slept_was_not_stalled(
    spark: "SparkSession", stall: list[tuple[str, float, dict[str, int]]], seconds: float
) -> None:
    events = Events()
    events.add("v_one", "attempt", 0)
    events.add("v_one", "first_frame", 1, duration_ms=1000)
    for kind, at, fields in stall:
        events.add("v_one", kind, at, watched_ms=0 if kind in ("heartbeat", "exit") else None, **fields)
    assert by_session(events, spark)["v_one"]["stall_seconds"] == seconds
