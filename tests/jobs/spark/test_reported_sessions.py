"""Sessions as other systems' bug reports describe them (docs/reports.md). The figures that are expected are worked out by hand.

All of them are one frame and one job of Spark: a test looks at its own sessions.
"""

from typing import TYPE_CHECKING, Any, Final

import pytest

pytest.importorskip("pyspark")

from jobs.spark.stalls import MAX_STALL_MS
from marquee.domain.ids import new_playback_id
from tests.jobs.spark.frames import FIRST_MS, Events, by_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(900)]

HOUR: Final = 3600
EVENING, MORNING = new_playback_id(FIRST_MS + 86_399_999), new_playback_id(FIRST_MS + 86_400_000)
Sessions = dict[str, dict[str, Any]]


class Scenarios(Events):
    def begin(self, session: str, **fields: Any) -> None:
        """An attempt at 0 s and a first frame at 1 s."""
        self.add(session, "attempt", 0, **fields)
        self.add(session, "first_frame", 1, duration_ms=1000, **fields)

    def beats(self, session: str, first: int, last: int, watched_ms: int) -> None:
        """A heartbeat every ten seconds."""
        for second in range(first, last + 1, 10):
            self.add(session, "heartbeat", second, watched_ms=watched_ms)

    def lost_end(self, session: str, *after: tuple[str, float, int | None]) -> None:
        """A stall at 10 s whose end was lost, then (kind, time, watched time), then an hour of film."""
        self.begin(session)
        self.add(session, "stall_begin", 10)
        for kind, at, watched_ms in after:
            fields = {"is_fatal": True, "error_code": "media"} if kind == "error" else {}
            self.add(session, kind, at, watched_ms=watched_ms, **fields)
        self.beats(session, 220, HOUR, 10_000)


def _mended(events: Scenarios) -> None:
    events.add("v_mended_at_2x", "attempt", 0)
    events.add("v_mended_at_2x", "error", 3, is_fatal=True, error_code="network")
    events.add("v_mended_at_2x", "stall_end", 8, duration_ms=2000)
    events.add("v_mended_at_2x", "first_frame", 9, duration_ms=9000)
    events.add("v_mended_at_2x", "heartbeat", 19, watched_ms=20_000)
    events.add("v_lost_first_frame", "heartbeat", 10, watched_ms=8000)
    events.add("v_lost_first_frame", "error", 15, is_fatal=True, error_code="media")
    events.add("v_lost_first_frame", "first_frame", 30, duration_ms=2000)


def _stalls(events: Scenarios) -> None:
    events.begin("v_abandoned")
    events.add("v_abandoned", "stall_begin", 10)
    events.beats("v_abandoned", 20, 3 * HOUR, 0)
    events.begin("v_long_stall")
    events.add("v_long_stall", "stall_begin", 10)
    events.beats("v_long_stall", 20, HOUR, 0)
    events.add("v_long_stall", "stall_end", HOUR + 10, duration_ms=HOUR * 1000)
    events.add("v_long_stall", "stall_end", 2 * HOUR, duration_ms=4000)
    # The heartbeat at 20 tells of film before the stall; that at 30 of film since 22.
    beats = (("heartbeat", 20, 9000), ("heartbeat", 30, 8000), ("heartbeat", 40, 10_000))
    events.lost_end("v_end_lost_film", *beats)
    events.lost_end("v_end_lost_seek", ("seek", 14, None), ("heartbeat", 20, 6000))
    events.lost_end("v_end_lost_pause", ("pause", 15, None), ("play", 200, None), ("heartbeat", 210, 10_000))
    events.lost_end("v_end_lost_error", ("error", 16, None), ("heartbeat", 40, 0))


def _odd_players(events: Scenarios) -> None:
    events.begin("v_paused")
    events.add("v_paused", "rendition", 1, kbps=1000, height=360)
    events.add("v_paused", "heartbeat", 11, watched_ms=10_000)
    events.add("v_paused", "pause", 11)
    events.add("v_paused", "rendition", 12, kbps=9000, height=2160)
    events.add("v_paused", "play", 8 * HOUR)
    events.add("v_paused", "exit", 8 * HOUR + 10, watched_ms=10_000)
    events.begin("v_at_2x", movie_id="m_short")
    for second in range(11, 62, 10):
        position = 2.0 * (second - 1)
        events.add("v_at_2x", "heartbeat", second, watched_ms=20_000, position_seconds=position)
    events.add("v_hours_at_once", "first_frame", 0, duration_ms=10, source="cmcd")
    events.add("v_hours_at_once", "exit", 2 * HOUR, watched_ms=2 * HOUR * 1000, source="cmcd")
    events.begin("v_storm")
    for number in range(1100):
        at = 2 + number / 10
        events.add("v_storm", "seek", at + 0.05, duration_ms=50, position_seconds=1.0)
        events.add("v_storm", "stall_end", at + 0.09, duration_ms=10)


def _odd_numbers(events: Scenarios) -> None:
    events.begin("v_huge")
    events.add("v_huge", "rendition", 1, kbps=2000, height=720)
    events.add("v_huge", "heartbeat", 11, watched_ms=10_000)
    for number, huge in enumerate((2**62, 2**63 - 1, -(2**62), 2**62)):
        at = 12 + number / 10
        fields = {"position_seconds": float(huge), "kbps": huge, "height": huge}
        events.add("v_huge", "heartbeat", at, watched_ms=huge, **fields)
        events.add("v_huge", "stall_end", at, duration_ms=huge)
        events.add("v_huge", "seek", at, duration_ms=huge)
        events.add("v_huge", "dropped_frames", at, count=huge)
        seen = {"source": "edge", "object_kind": "video", "kbps": huge, "height": 99_999, "sent_bytes": huge}
        events.add("v_huge", "request", at, **seen)
    events.add("v_nan", "attempt", 0)
    events.add("v_nan", "first_frame", 1, duration_ms=-5)
    events.add("v_nan", "exit", 11, watched_ms=10_000, position_seconds=float("nan"))
    for session, second in (("v_br", {"kbps": 999_999_999}), ("v_refused", {"kbps": 9000, "height": 2160})):
        events.add(session, "heartbeat", 11, watched_ms=10_000)
        seen = {"source": "edge", "object_kind": "video"}
        events.add(session, "request", 1, **seen, kbps=1000, height=360, status=206)
        events.add(session, "request", 2, **seen, status=404 if session == "v_refused" else 200, **second)


def _whole_sessions(events: Scenarios) -> None:
    events.play(EVENING, 12 * HOUR - 0.001, watched=120)
    events.play(MORNING, 12 * HOUR, watched=30)
    events.play("v_tv", 0, watched=60, device="tv")
    events.play("v_phone", 0, watched=60, device="phone")
    events.add("v_failed", "error", 1, is_fatal=True, error_code=None)
    events.add("v_left", "attempt", 0)
    events.add("v_left", "exit", 2, watched_ms=0)
    events.add("v_requested", "request", 1, source="edge", object_kind="video", sent_bytes=10)


@pytest.fixture(scope="module")
def scenarios() -> Scenarios:
    events = Scenarios()
    for add in (_mended, _stalls, _odd_players, _odd_numbers, _whole_sessions):
        add(events)
    return events


@pytest.fixture(scope="module")
def found(spark: "SparkSession", scenarios: Scenarios) -> Sessions:
    return by_session(scenarios, spark, m_one=7200.0, m_short=125.0)


def test_a_failure_that_was_mended_before_the_first_frame_is_no_failure_at_double_speed(found: Sessions) -> None:
    one = found["v_mended_at_2x"]
    assert (one["outcome"], one["error_code"], one["stall_seconds"]) == ("played", None, 0), (
        "20 s of film in 10 s were taken for film before the first frame"
    )
    assert found["v_lost_first_frame"]["outcome"] == "playback_failure", (
        "film was told of before the first frame that came"
    )


def test_a_stall_without_end_does_not_swallow_the_day(found: Sessions) -> None:
    """An abandoned tab: the player stands still for hours, and its page says every ten seconds that it lives."""
    assert found["v_abandoned"]["stall_seconds"] == MAX_STALL_MS / 1000
    assert found["v_long_stall"]["stall_seconds"] == MAX_STALL_MS / 1000 + 4


@pytest.mark.parametrize(("after", "seconds"), [("film", 12), ("seek", 4), ("pause", 5), ("error", 6)])
def test_a_stall_whose_end_was_lost_ends_when_something_else_happens(
    found: Sessions, after: str, seconds: float
) -> None:
    one = found[f"v_end_lost_{after}"]
    assert (one["stalls"], one["stall_seconds"]) == (1, seconds), "watched time counts as stalled too"


def test_a_tab_that_was_paused_for_eight_hours_was_not_watched(found: Sessions) -> None:
    one = found["v_paused"]
    assert (one["watch_seconds"], one["stall_seconds"], one["mean_kbps"]) == (20, 0, (10 * 1000 + 10 * 9000) / 20)


def test_a_film_at_double_speed_is_watched_in_half_the_time(found: Sessions) -> None:
    assert (found["v_at_2x"]["watch_seconds"], found["v_at_2x"]["is_completed"]) == (120, True)


def test_a_player_that_tells_of_hours_at_its_end_has_shown_them(found: Sessions) -> None:
    assert found["v_hours_at_once"]["watch_seconds"] == 2 * HOUR


def test_numbers_that_no_player_can_have_are_left_out(found: Sessions) -> None:
    """Another writer of the log, or a key that a viewer put into an address: each overflowed a sum, or moved a mean."""
    one = found["v_huge"]
    assert (one["watch_seconds"], one["stall_seconds"], one["dropped_frames"], one["sent_bytes"]) == (10, 0, 0, 0)
    assert (one["mean_kbps"], one["top_height"], one["max_position_seconds"]) == (2000, 720, None)
    nan = found["v_nan"]
    assert (nan["is_completed"], nan["startup_ms"], nan["watch_seconds"]) == (False, None, 10)
    assert found["v_br"]["mean_kbps"] == 1000, "one address with br=999999999 moves the mean of a day"


def test_an_edge_that_refused_a_request_has_shown_nothing(found: Sessions) -> None:
    assert (found["v_refused"]["mean_kbps"], found["v_refused"]["top_height"]) == (1000, 360)


def test_a_storm_of_seeks_costs_no_hours(found: Sessions) -> None:
    """Each stall was compared with each seek: 30,000 of both took six minutes. The first thousand are looked at."""
    one = found["v_storm"]
    assert (one["outcome"], one["stalls"], one["stall_seconds"]) == ("played", 999, 9.99)


def test_midnight_and_a_leap_second_lose_no_session(
    spark: "SparkSession", scenarios: Scenarios, found: Sessions
) -> None:
    """Unix time has no leap second: 23:59:60 is the first second of the next day, once."""
    tomorrow = Events()
    tomorrow.rows = [row for row in scenarios.rows if row["session_id"] in (EVENING, MORNING)]
    assert MORNING not in found
    assert found[EVENING]["watch_seconds"] == 120
    assert {id_: row["watch_seconds"] for id_, row in by_session(tomorrow, spark, day=1).items()} == {MORNING: 30}


def test_two_devices_of_one_profile_are_two_sessions(found: Sessions) -> None:
    assert [(found[name]["device"], found[name]["watch_seconds"]) for name in ("v_tv", "v_phone")] == [
        ("tv", 60),
        ("phone", 60),
    ]


def test_a_session_that_only_failed_or_only_left_has_no_watch_time(found: Sessions) -> None:
    assert "v_requested" not in found, "what edges saw alone was asked for by nobody"
    rows = [found[name] for name in ("v_failed", "v_left")]
    assert [(row["outcome"], row["error_code"], row["watch_seconds"]) for row in rows] == [
        ("start_failure", "unknown", 0),
        ("exit_before_start", None, 0),
    ]
