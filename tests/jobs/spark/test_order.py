"""Events of one millisecond are taken in the order in which the player counted; watched time is bounded over all processes."""

from typing import TYPE_CHECKING

import pytest

from marquee.domain.ids import new_playback_id
from marquee.domain.telemetry import MAX_PLAYBACK_RATE, WATCHED_GRACE_MS
from tests.jobs.spark.frames import NOON_MS, Events, by_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(900)]


def _orders() -> Events:
    """Event ids against the order of `seq`: a tie that is broken by id is wrong in each of them."""
    events = Events()

    def told(session: str, *said: tuple[str, float, dict[str, object]]) -> None:
        for seq, (kind, seconds, fields) in enumerate(said):
            events.add(session, kind, seconds, **{"seq": seq, "event_id": f"{session}{len(said) - seq:02}", **fields})

    attempt, frame = ("attempt", 0.0, {}), ("first_frame", 1.0, {"duration_ms": 1000})
    told("v_stall", attempt, frame, ("stall_begin", 5, {}), ("stall_end", 5, {"duration_ms": 0}), ("exit", 20, {}))
    told(
        "v_stalls_again",
        *(attempt, frame, ("stall_begin", 4, {}), ("stall_end", 5, {"duration_ms": 1000}), ("stall_begin", 5, {})),
        ("exit", 20, {}),
    )
    told("v_mended", attempt, ("error", 1, {"is_fatal": True, "error_code": "first"}), frame, ("exit", 20, {}))
    told("v_broken", attempt, frame, ("error", 1, {"is_fatal": True, "error_code": "then"}))
    told(
        "v_two_errors",
        *(attempt, ("error", 2, {"is_fatal": True, "error_code": "z-cause"})),
        ("error", 2, {"is_fatal": True, "error_code": "a-consequence"}),
    )
    told(
        "v_renditions",
        *(attempt, frame, ("rendition", 1, {"kbps": 800}), ("rendition", 1, {"kbps": 2400})),
        ("exit", 11, {"watched_ms": 10_000}),
    )
    return events


def test_the_players_count_orders_a_millisecond(spark: "SparkSession") -> None:
    found = by_session(_orders(), spark)
    assert (found["v_stall"]["stalls"], found["v_stall"]["stall_seconds"]) == (1, 0), "a stall that ended is open"
    again = found["v_stalls_again"]
    assert (again["stalls"], again["stall_seconds"]) == (2, 16), "a stall that begins as another ends is not seen"
    assert found["v_mended"]["outcome"] == "played", "a failure before the first frame is taken for one after it"
    assert (found["v_broken"]["outcome"], found["v_broken"]["error_code"]) == ("playback_failure", "then")
    assert found["v_two_errors"]["error_code"] == "z-cause", "a consequence is taken for the cause"
    assert found["v_renditions"]["mean_kbps"] == 2400, "what was shown for no time at all is taken for what was shown"


def test_counts_that_lie_move_nothing_past_its_time(spark: "SparkSession") -> None:
    events = _orders()
    honest = by_session(events, spark)
    of_time = [row for row in events.rows if row["session_id"] == "v_stall"]
    for row, seq in zip(of_time, (2**31 - 1, 7, 3, 4, 0), strict=True):
        row["seq"] = seq
    lying = by_session(events, spark)
    assert lying == honest, "a count outweighs the time"


def test_without_counts_as_before_and_bounded_over_all_processes(spark: "SparkSession") -> None:
    """Each process of the API has let pass what the session may have watched; the player said 10 minutes, over and over."""
    events = Events()
    events.play("v_old")
    events.add("v_old", "stall_begin", 3)
    events.add("v_old", "stall_end", 3, duration_ms=0)
    events.add("v_old", "error", 1, is_fatal=True, error_code="x")
    session, ended_ms = new_playback_id(NOON_MS), NOON_MS + 60_000
    events.add(session, "attempt", 0)
    events.add(session, "first_frame", 1, duration_ms=1000)
    for _ in range(40):
        events.add(session, "heartbeat", 60, watched_ms=600_000, received_at_ms=ended_ms)
    found = by_session(events, spark)
    assert (found["v_old"]["stalls"], found["v_old"]["outcome"]) == (1, "playback_failure")
    most_seconds = (60_000 * MAX_PLAYBACK_RATE + WATCHED_GRACE_MS) / 1000
    assert found[session]["watch_seconds"] == most_seconds, "the bound is by process, not by session"
