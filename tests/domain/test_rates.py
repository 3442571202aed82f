"""A film's true rate from the times of its frames, whatever its header says."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.rates import STANDARD_RATES, STILL_RATE, frame_rate

MILLISECOND = Fraction(1, 1000)


def times(rate: Fraction, count: int, base: Fraction) -> list[int]:
    return [round(n / rate / base) for n in range(count)]


@given(rate=st.sampled_from([rate for rate in STANDARD_RATES if rate <= 120]), count=st.integers(400, 5000))
def test_a_standard_rate_is_named_exactly_from_rounded_times(rate: Fraction, count: int) -> None:
    found = frame_rate(times(rate, count, MILLISECOND), MILLISECOND, [rate])
    assert found == (rate, False)


def test_a_false_header_is_overruled() -> None:
    shown = times(Fraction(24000, 1001), 500, Fraction(1, 90000))
    assert frame_rate(shown, Fraction(1, 90000), [Fraction(57600), Fraction(1000)]).rate == Fraction(24000, 1001)


def test_an_odd_rate_is_kept() -> None:
    assert frame_rate([n * 2000 for n in range(100)], Fraction(1, 17594)).rate == Fraction(8797, 1000)


def test_a_cameras_jitter_is_no_rate() -> None:
    shown = [n * 3003 + (37 if n % 3 else -41) for n in range(300)]
    assert frame_rate(shown, Fraction(1, 90000)).rate == Fraction(30000, 1001)


@pytest.mark.parametrize(("steps", "rate"), [([1, 1, 1, 3], 24), ([2, 1, 5, 1], 24)])
def test_a_variable_rate_gets_the_standard_above_its_usual_step(steps: list[int], rate: int) -> None:
    shown = [0]
    for step in steps * 50:
        shown.append(shown[-1] + step)
    found = frame_rate(shown, Fraction(1, 24))
    assert found.variable
    assert found.rate in {rate, 25}


def test_a_single_frame_has_the_headers_rate() -> None:
    assert frame_rate([0], MILLISECOND, [Fraction(30)]).rate == 30
    assert frame_rate([0], MILLISECOND).rate == 25


def test_slides_of_unequal_length_get_the_rate_of_stills() -> None:
    assert frame_rate([0, 58_270, 110_300, 156_200, 300_000], MILLISECOND) == (STILL_RATE, True)


def test_a_moving_part_between_slides_decides_the_rate() -> None:
    moving = [300_000 + 40 * n for n in range(30)]
    slides = [30_000 * n for n in range(10)] + moving + [330_000 + 30_000 * n for n in range(60)]
    assert frame_rate(slides, MILLISECOND) == (25, True)


def test_one_short_step_between_slides_is_no_moving_part() -> None:
    assert frame_rate([0, 60_000, 131_000, 171_000, 171_040], MILLISECOND) == (STILL_RATE, True)
