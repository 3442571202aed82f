"""Rules of telemetry: the time of an event, the sample, the allowance of a session, the fields of a kind."""

from hypothesis import given
from hypothesis import strategies as st

from marquee.domain import telemetry
from marquee.domain.ids import is_playback_id, made_at_ms, new_playback_id
from marquee.domain.telemetry import MAX_LATE_MS, happened_at_ms, is_sampled, session_offset_ms, spend

NOW_MS = 1_790_000_000_000
CLOCKS = st.floats(min_value=-(2.0**53), max_value=2.0**53)


def test_the_batch_with_the_shortest_way_decides_the_offset() -> None:
    assert session_offset_ms(None, 5000) == 5000
    assert session_offset_ms(5000, 4800) == 4800, "a quicker batch was not believed"
    assert session_offset_ms(5000, 5000 + MAX_LATE_MS) == 5000, (
        "an old batch that is sent again moved the session's clock"
    )


def test_a_clock_that_was_set_back_or_stood_still_is_believed_anew() -> None:
    assert session_offset_ms(5000, 5001 + MAX_LATE_MS) == 5001 + MAX_LATE_MS


def test_events_keep_their_distances_by_the_servers_clock() -> None:
    offset = session_offset_ms(None, NOW_MS - 9000)
    first, second = (
        happened_at_ms(client, offset, began_ms=NOW_MS - 60_000, received_ms=NOW_MS) for client in (1000.0, 3500.4)
    )
    assert (first, second) == (NOW_MS - 8000, NOW_MS - 5500)


@given(client=CLOCKS, sent=CLOCKS, began=st.integers(0, NOW_MS))
def test_no_clock_puts_an_event_before_its_session_or_into_the_future(client: float, sent: float, began: int) -> None:
    offset = session_offset_ms(None, NOW_MS - round(sent))
    assert began <= happened_at_ms(client, offset, began_ms=began, received_ms=NOW_MS) <= NOW_MS


def test_a_session_that_began_by_another_hosts_faster_clock_still_has_no_future() -> None:
    assert happened_at_ms(0.0, NOW_MS, began_ms=NOW_MS + 5000, received_ms=NOW_MS) == NOW_MS


@given(st.integers(0, 2**48 - 1))
def test_a_session_tells_when_it_began(at_ms: int) -> None:
    session_id = new_playback_id(at_ms)
    assert is_playback_id(session_id)
    assert made_at_ms(session_id) == at_ms


def test_the_sample_has_its_share_and_is_the_same_everywhere() -> None:
    sessions = [new_playback_id(NOW_MS + number) for number in range(4000)]
    assert all(is_sampled(session, 1.0) for session in sessions)
    assert not any(is_sampled(session, 0.0) for session in sessions)
    kept = [session for session in sessions if is_sampled(session, 0.25)]
    assert 800 < len(kept) < 1200, f"{len(kept)} of 4000 are no quarter"
    assert all(is_sampled(session, 0.5) for session in kept), "a larger share left out what a smaller one kept"


def test_an_allowance_is_a_minutes_events_and_comes_back_with_time() -> None:
    allowance, wait = spend(None, 600, per_minute=600, now=0.0)
    assert wait == 0
    allowance, wait = spend(allowance, 100, per_minute=600, now=0.0)
    assert wait == 10, "the wait is not as long as it takes"
    allowance, wait = spend(allowance, 100, per_minute=600, now=10.0)
    assert wait == 0
    assert allowance.left == 0


@given(st.lists(st.tuples(st.integers(1, 200), st.floats(0, 30)), max_size=50))
def test_no_pace_takes_more_than_a_minutes_events_and_what_comes_back(asked: list[tuple[int, float]]) -> None:
    allowance, now, taken = None, 0.0, 0
    for events, pause in asked:
        now += pause
        allowance, wait = spend(allowance, events, per_minute=600, now=now)
        taken += 0 if wait else events
        _, later = spend(allowance, events, per_minute=600, now=now + wait)
        assert wait == 0 or later == 0, "who waits as long as he was told is refused again"
    assert taken <= 600 + now * 10 + 1e-6


def test_the_tables_of_fields_agree() -> None:
    for kind, fields in telemetry.NEEDED_FIELDS.items():
        for field in fields:
            assert kind in telemetry.FIELD_KINDS.get(field, (kind,)), f"{kind} needs {field}, which it may not have"
