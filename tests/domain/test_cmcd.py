"""CMCD reports as viewing events: what a player's states mean, one after the other."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.cmcd import MAX_SHOWN_MS, MAX_SILENT_MS, CmcdReport, PlayerState, next_state
from marquee.events.viewing import EVENT_KINDS

Told = list[tuple[str, int, dict[str, Any]]]


def _run(*reports: CmcdReport) -> Told:
    state, told = PlayerState(), []
    for report in reports:
        state, events = next_state(state, report)
        told += events
    return [(event.kind, event.at_ms, event.fields) for event in told]


def _state(at_ms: int, sta: str, **keys: Any) -> CmcdReport:
    return CmcdReport(at_ms, "ps", sta=sta, **keys)


def _interval(at_ms: int, sta: str, **keys: Any) -> CmcdReport:
    return CmcdReport(at_ms, "t", sta=sta, **keys)


STARTED = (_state(1000, "d"), _state(2000, "s"), _state(2800, "p"))
TOLD = [("attempt", 2000, {}), ("first_frame", 2800, {"duration_ms": 800})]


def test_playing_begins_with_an_attempt_and_a_first_frame() -> None:
    assert _run(*STARTED) == TOLD


def test_the_players_own_start_delay_counts_before_the_difference_of_states() -> None:
    assert _run(_state(2000, "s"), _state(2800, "p", msd=650))[-1] == ("first_frame", 2800, {"duration_ms": 650})
    assert _run(_state(5000, "p", msd=900)) == [("attempt", 4100, {}), ("first_frame", 5000, {"duration_ms": 900})]


def test_a_start_whose_length_nobody_says_has_no_length() -> None:
    assert _run(_state(5000, "p")) == [("attempt", 5000, {}), ("first_frame", 5000, {})]
    assert _run(_state(5000, "p", msd=0))[-1] == ("first_frame", 5000, {"duration_ms": 0})


def test_a_stall_has_a_beginning_an_end_and_a_duration() -> None:
    assert _run(*STARTED, _state(9000, "r"), _state(11_500, "p")) == [
        *TOLD,
        ("heartbeat", 9000, {"watched_ms": 6200}),
        ("stall_begin", 9000, {}),
        ("stall_end", 11_500, {"duration_ms": 2500}),
    ]


def test_a_wait_after_a_seek_is_no_stall() -> None:
    told = _run(*STARTED, _state(9000, "k"), _state(9100, "r"), _state(9800, "p"))
    assert [kind for kind, _, _ in told] == ["attempt", "first_frame", "heartbeat", "seek"]
    assert told[-1] == ("seek", 9800, {"duration_ms": 800})


def test_a_seek_ends_a_stall() -> None:
    told = _run(*STARTED, _state(9000, "r"), _state(9500, "k"), _state(9900, "p"))
    assert told[-2:] == [("stall_end", 9500, {"duration_ms": 500}), ("seek", 9900, {"duration_ms": 400})]


def test_a_wait_before_the_first_frame_is_no_stall() -> None:
    assert _run(_state(2000, "s"), _state(2100, "r"), _state(2800, "p")) == TOLD


def test_a_pause_is_no_watching() -> None:
    told = _run(*STARTED, _state(5800, "a"), _state(65_800, "p"), _state(66_800, "e"))
    assert told == [
        *TOLD,
        ("heartbeat", 5800, {"watched_ms": 3000}),
        ("pause", 5800, {}),
        ("play", 65_800, {}),
        ("exit", 66_800, {"watched_ms": 1000}),
    ]


def test_an_interval_tells_what_was_watched_since_the_last_one() -> None:
    told = _run(*STARTED, _interval(32_800, "p"), _interval(62_800, "p", pr=2.0), _interval(72_800, "p"))
    assert [fields for kind, _, fields in told if kind == "heartbeat"] == [
        {"watched_ms": 30_000},
        {"watched_ms": 30_000},
        {"watched_ms": 20_000},
    ], "a rate of 2 shows two seconds of film in one"


def test_a_device_that_slept_has_watched_nothing() -> None:
    hours = 5 * 3_600_000
    told = _run(*STARTED, _interval(12_800, "p"), _interval(12_800 + hours, "p"))
    assert told[-1] == ("heartbeat", 12_800 + hours, {"watched_ms": MAX_SILENT_MS})
    assert _run(*STARTED, _state(2800 + hours, "e"))[-1] == ("exit", 2800 + hours, {"watched_ms": hours})
    assert _run(*STARTED, _state(2800 + 10 * hours, "q"))[-1][2] == {"watched_ms": MAX_SHOWN_MS}


def test_a_fatal_error_names_its_cause_first() -> None:
    failed = CmcdReport(3001, "e", sta="f", ec="manifestLoadError")
    assert _run(_state(2000, "s"), _state(3000, "f"), failed) == [
        ("attempt", 2000, {}),
        ("error", 3000, {"error_code": "fatal", "is_fatal": True}),
        ("error", 2999, {"error_code": "manifestLoadError", "is_fatal": True}),
    ]
    assert _run(_state(2000, "s"), failed)[1:] == [
        ("error", 3000, {"error_code": "manifestLoadError", "is_fatal": True})
    ]


def test_an_error_that_playing_survives_is_not_fatal() -> None:
    told = _run(*STARTED, CmcdReport(4000, "e", sta="p", ec="bufferStalledError"))
    assert told[-1] == ("error", 4000, {"error_code": "bufferStalledError", "is_fatal": False})


def test_other_qualities_dropped_frames_and_requests() -> None:
    assert _run(CmcdReport(1, "bc", br=2400, ot="v"))[0][2] == {"kbps": 2400}
    assert not _run(CmcdReport(1, "bc", br=128, ot="a")), "another sound is no other picture"
    frames = [
        fields for _, _, fields in _run(*(CmcdReport(at, "m", dfa=dfa) for at, dfa in ((1, 3), (2, 3), (3, 8), (4, 2))))
    ]
    assert frames == [{"count": 3}, {"count": 5}, {"count": 2}]
    assert _run(CmcdReport(1, "rr", ot="av", rc=404, ttlb=90)) == [
        ("request", 1, {"object_kind": "video", "status": 404, "request_ms": 90})
    ]


def test_a_player_that_reports_no_stalls_may_sum_them() -> None:
    assert ("stall_end", 9000, {"duration_ms": 700}) in _run(*STARTED, _interval(9000, "p", bsd=700))
    told = _run(*STARTED, _state(9000, "r"), _state(9700, "p", bsd=700))
    assert [kind for kind, _, _ in told].count("stall_end") == 1, "one stall counts twice"


REPORTS = st.builds(
    CmcdReport,
    st.integers(0, 10**7),
    st.sampled_from(["ps", "t", "e", "bc", "m", "um", "pr", "rr", "c", "b", "xx"]),
    sta=st.none() | st.sampled_from("spkraefqd"),
    br=st.none() | st.integers(0, 10**6),
    pr=st.none() | st.floats(0, 16),
    msd=st.none() | st.integers(0, 10**6),
    bsd=st.none() | st.integers(0, 10**6),
    dfa=st.none() | st.integers(0, 10**6),
    ec=st.none() | st.just("code"),
)


@given(st.lists(REPORTS, max_size=30))
def test_any_order_of_reports_gives_sound_events(reports: list[CmcdReport]) -> None:
    told = _run(*reports)
    assert all(kind in EVENT_KINDS for kind, _, _ in told)
    assert [kind for kind, _, _ in told].count("attempt") <= 1
    assert [kind for kind, _, _ in told].count("first_frame") <= 1
    for kind, _, fields in told:
        assert fields.get("duration_ms", 0) >= 0, f"{kind} has a negative duration"
        assert fields.get("watched_ms", 0) >= 0
    watched = sum(fields.get("watched_ms", 0) for _, _, fields in told)
    span = max((r.at_ms for r in reports), default=0)
    assert watched <= span * 16 + len(told), "more was watched than there was time"
    stalls = [kind for kind, _, _ in told if kind == "stall_begin"]
    assert len(stalls) <= [kind for kind, _, _ in told].count("stall_end") + 1, "two stalls are open at once"


@given(st.lists(REPORTS, max_size=15))
def test_a_report_that_comes_twice_changes_no_state(reports: list[CmcdReport]) -> None:
    state = PlayerState()
    for report in reports:
        state, _ = next_state(state, report)
        again, events = next_state(state, report)
        assert not {event.kind for event in events} & {"attempt", "first_frame", "stall_begin", "pause", "exit"}
        assert (again.sta, again.attempt_ms, again.is_shown, again.stall_ms) == (
            state.sta,
            state.attempt_ms,
            state.is_shown,
            state.stall_ms,
        )
