"""How much of a film may be wrong: the rule in seconds. It does not depend on frame rate, order or the number of spans."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.damage import (
    FLOOR_SECONDS,
    MAX_RUN_SECONDS,
    MAX_SHARE,
    MIN_PAUSE_SECONDS,
    Damage,
    allowed_seconds,
    is_too_damaged,
    is_too_much,
    measured,
)

SECONDS = st.floats(0, 10_000, allow_nan=False)
LENGTHS = st.floats(0.04, 50_000, allow_nan=False)
FRAMES = st.sampled_from([1 / 120, 1 / 60, 1 / 30, 1 / 25, 1 / 24, 1 / 5])
SPANS = st.lists(
    st.tuples(SECONDS, st.floats(0, 30, allow_nan=False)).map(lambda one: (one[0], one[0] + one[1])), max_size=30
)


@given(spans=SPANS, chance=st.randoms())
def test_the_order_of_the_spans_says_nothing(spans: list[tuple[float, float]], chance: object) -> None:
    mixed = spans[:]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert measured(mixed) == measured(spans)


@given(spans=SPANS)
def test_no_second_counts_twice_and_a_run_is_no_more_than_all(spans: list[tuple[float, float]]) -> None:
    found = measured(spans)
    assert measured(spans + spans) == found, "a span told twice counts twice"
    assert 0 <= found.longest_run_seconds <= found.wrong_seconds + 1e-6
    assert found.wrong_seconds <= sum(end - start for start, end in spans) + 1e-6
    assert found.longest_run_seconds >= max((end - start for start, end in spans), default=0) - 1e-6


@given(spans=SPANS, more=SECONDS, length=LENGTHS, frame=FRAMES)
def test_more_damage_never_makes_a_film_acceptable(
    spans: list[tuple[float, float]], more: float, length: float, frame: float
) -> None:
    if is_too_damaged(measured(spans), length, frame):
        assert is_too_damaged(measured([*spans, (more, more + 1)]), length, frame)


@given(wrong=SECONDS, length=LENGTHS, longer=LENGTHS, frame=FRAMES)
def test_the_same_damage_is_never_worse_in_a_longer_film(
    wrong: float, length: float, longer: float, frame: float
) -> None:
    if is_too_much(wrong, length + longer, frame):
        assert is_too_much(wrong, length, frame)


@given(length=LENGTHS, frame=FRAMES)
def test_what_is_allowed_is_bounded(length: float, frame: float) -> None:
    allowed = allowed_seconds(length, frame)
    assert allowed <= length / 2
    assert allowed <= max(frame, FLOOR_SECONDS, MAX_SHARE * length)
    assert is_too_much(length / 2, length, frame), "half a film is shown"


def test_the_clip_of_the_report_is_shown() -> None:
    """4 of 72 frames are 5.6 %, and 0.13 s: hardly seen. In a long film the same share is minutes."""
    assert not is_too_damaged(Damage(4 / 30, 4 / 30), 72 / 30, 1 / 30)
    assert is_too_damaged(Damage(400.0, 1.0), 7200.0, 1 / 30)


@pytest.mark.parametrize(("seconds", "refused"), [(MAX_RUN_SECONDS - 0.1, False), (MAX_RUN_SECONDS + 0.1, True)])
def test_one_long_run_refuses_a_film_that_the_same_time_in_short_ones_does_not(seconds: float, refused: bool) -> None:
    short = [(60.0 * n, 60.0 * n + seconds / 20) for n in range(20)]
    assert not is_too_damaged(measured(short), 7200.0, 1 / 24)
    assert is_too_damaged(measured([(600.0, 600.0 + seconds)]), 7200.0, 1 / 24) is refused


def test_a_short_pause_does_not_end_a_run() -> None:
    pause = MIN_PAUSE_SECONDS / 2
    assert measured([(0.0, 1.0), (1.0 + pause, 2.0)]) == pytest.approx((2.0 - pause, 2.0 - pause, 0.0))
    assert measured([(0.0, 1.0), (2.0, 3.5)]) == pytest.approx((2.5, 1.5, 2.0))


def test_a_film_without_damage_has_none() -> None:
    assert measured([]) == Damage()
    assert not is_too_damaged(Damage(), 1.0, 0.04)
