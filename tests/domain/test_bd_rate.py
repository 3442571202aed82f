"""BD-rate against values of SciPy's PCHIP, and its laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.bd_rate import Pchip, RatePoint, bd_rate

FIXED = [(145, 38.2), (365, 61.4), (730, 74.0), (2000, 87.5), (4500, 94.1), (7800, 97.2)]
OWN = [(150, 47.3), (420, 66.1), (900, 80.7), (1900, 90.2), (3600, 95.1)]


def curve(points: list[tuple[float, float]], factor: float = 1.0) -> list[RatePoint]:
    return [RatePoint(rate * factor, quality) for rate, quality in points]


def test_the_value_is_that_of_scipys_pchip() -> None:
    # scipy 1.17: PchipInterpolator(quality, log(rate)).integrate over 47.3 to 95.1, difference / width, exp, - 1.
    assert bd_rate(curve(FIXED), curve(OWN)) == pytest.approx(-0.18558237495923546, abs=1e-12)


def test_the_interpolant_is_scipys() -> None:
    fixed = Pchip([(quality, math.log(rate)) for rate, quality in FIXED])
    own = Pchip([(quality, math.log(rate)) for rate, quality in OWN])
    # scipy 1.17: PchipInterpolator(...)(50.0)
    assert fixed(50.0) == pytest.approx(5.3971390739753335, abs=1e-12)
    assert own(50.0) == pytest.approx(5.161819787841517, abs=1e-12)


def test_a_curve_that_does_not_rise_throughout_keeps_flat_ends_flat() -> None:
    # scipy 1.17: PchipInterpolator([0, 1, 3, 4], [0, 1, 1, 0])
    bend = Pchip([(0, 0), (1, 1), (3, 1), (4, 0)])
    assert [bend(x) for x in (0.5, 2.0, 3.5)] == pytest.approx([0.6666666666666667, 1.0, 0.6666666666666667])


@given(st.floats(0.05, 20))
def test_a_curve_with_so_many_times_the_bits_differs_by_that_share(factor: float) -> None:
    assert bd_rate(curve(FIXED), curve(FIXED, factor)) == pytest.approx(factor - 1, rel=1e-9, abs=1e-9)


@given(st.floats(0.5, 2))
def test_the_other_way_round_it_is_the_inverse(factor: float) -> None:
    there, back = bd_rate(curve(FIXED), curve(OWN, factor)), bd_rate(curve(OWN, factor), curve(FIXED))
    assert (1 + there) * (1 + back) == pytest.approx(1)


def test_points_that_are_beaten_change_nothing() -> None:
    beaten = [*OWN, (2500, 88.0), (4000, 95.1)]
    assert bd_rate(curve(FIXED), curve(beaten)) == bd_rate(curve(FIXED), curve(OWN))


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([(100, 10.0), (200, 20.0)], "no range in common|have no range"),
        ([(100, 50.0)], "needs two points"),
        ([(100, 50.0), (200, 50.0)], "needs two points"),
        ([(0, 50.0), (200, 60.0)], "must be positive"),
    ],
)
def test_curves_that_cannot_be_compared_are_refused_in_words(points: list[tuple[float, float]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        bd_rate(curve(FIXED), curve(points))
