"""The 95 % rule to the millisecond, and which positions and event times are credible."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marquee.domain.playback import (
    OVERRUN_SECONDS,
    credible_position,
    event_time_ms,
    is_watched,
    position_ms,
    resume_position,
    watched_from_ms,
    watched_percent,
)
from marquee.errors import InputInvalid

MICROSECONDS = st.integers(1, 36_000_000_000)
"""Durations up to 10 hours."""


@given(MICROSECONDS, st.integers(-3, 3))
@example(duration_us=6_966_667, beside_ms=0)
@example(duration_us=4_020_000, beside_ms=-1)
@example(duration_us=4_020_000, beside_ms=0)
@example(duration_us=20_000_000, beside_ms=-1)
def test_a_title_is_watched_from_the_floor_of_950_ms_for_each_second(duration_us: int, beside_ms: int) -> None:
    first = 950 * duration_us // 1_000_000
    at = max(0, first + beside_ms)
    duration = duration_us / 1_000_000
    assert watched_from_ms(duration) == first
    assert is_watched(at, duration) == (at >= first)
    assert resume_position(at, duration) == (0.0 if at >= first else at / 1000)


@given(MICROSECONDS, st.integers(-2_000_000, 2_000_000))
@example(duration_us=6_966_667, beside_ns=-1_000)
def test_no_rounding_on_the_way_in_moves_a_position_across_the_rule(duration_us: int, beside_ns: int) -> None:
    first_ns = 950 * duration_us // 1_000_000 * 1_000_000
    at_ns = max(0, first_ns + beside_ns)
    stored = position_ms(float(Fraction(at_ns, 10**9)))
    assert is_watched(stored, duration_us / 1_000_000) == (at_ns >= first_ns)


@given(MICROSECONDS)
def test_a_client_that_multiplies_the_duration_by_0_95_has_watched_the_title(duration_us: int) -> None:
    duration = duration_us / 1_000_000
    assert is_watched(position_ms(0.95 * duration), duration)


@given(st.integers(0, 7 * 24 * 3_600_000))
def test_a_whole_number_of_milliseconds_is_stored_as_it_is(milliseconds: int) -> None:
    assert position_ms(milliseconds / 1000) == milliseconds


@given(MICROSECONDS, st.integers(0, 2**53 - 1))
def test_a_resume_position_is_never_in_the_last_twentieth(duration_us: int, at: int) -> None:
    duration = duration_us / 1_000_000
    assert resume_position(at, duration) in (0.0, at / 1000)
    assert not is_watched(position_ms(resume_position(at, duration)), duration) or watched_from_ms(duration) == 0
    assert 0 <= watched_percent(at, duration) <= 100
    assert is_watched(at, duration) or watched_percent(at, duration) < 95


def test_a_title_without_a_duration_is_never_watched() -> None:
    assert not is_watched(5, 0.0)
    assert watched_percent(5, 0.0) == 0.0
    assert resume_position(None, 100.0) == 0.0


@given(st.integers(0, 2**50), st.integers(-(2**40), 2**60))
def test_an_event_is_never_in_the_future(now: int, age: int) -> None:
    assert 0 <= event_time_ms(now, age) <= now


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(min_value=0.1, max_value=100_000))
def test_a_position_is_refused_or_lies_within_the_title(position: float, duration: float) -> None:
    if 0 <= position <= duration + OVERRUN_SECONDS:
        assert 0 <= credible_position(position, duration) <= duration
    else:
        with pytest.raises(InputInvalid) as refused:
            credible_position(position, duration)
        assert refused.value.field == "position_seconds"
