"""What a few trials let expect of every encode of a title."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.media.ladder.model import CALIBRATIONS, CRFS, MEDIUM, NONE, Point, expected, expected_at, tried, worthwhile
from marquee.media.ladder.trial_scores import Trial
from marquee.media.ladder.trials import PRESET
from marquee.profiles.contract import TRIED_PRESETS

SIZES = [(416, 234), (640, 360), (768, 432), (960, 540), (1280, 720)]


def shown(trial: Trial, complexity: float = 1.0) -> Point:
    """A trial of a title whose logarithms are straight lines."""
    share = trial.width * trial.height / (1280 * 720)
    missing = math.exp(1.6 + 0.1 * (trial.crf - 20)) / share**0.5
    rate = complexity * 2e6 * share**0.8 * math.exp(-0.13 * (trial.crf - 20))
    return Point(trial, rate, max(0.0, 101 - missing))


def test_every_size_is_tried_and_the_largest_two_twice() -> None:
    trials = tried(SIZES)
    counts = [sum((one.width, one.height) == size for one in trials) for size in SIZES]
    assert counts == [1, 1, 1, 2, 2]


def test_what_was_tried_is_expected_as_it_was() -> None:
    points = [shown(one) for one in tried(SIZES)]
    found = {(one.width, one.height, one.crf): one for one in expected(points, SIZES, NONE)}
    for point in points:
        same = found[point.trial]
        assert same.bitrate_bps == pytest.approx(point.bitrate_bps)
        assert same.vmaf == pytest.approx(point.vmaf)


@given(st.floats(0.01, 50))
def test_a_higher_crf_has_fewer_bits_and_less_quality(complexity: float) -> None:
    points = [shown(one, complexity) for one in tried(SIZES)]
    for size in SIZES:
        curve = [one for one in expected(points, SIZES, MEDIUM) if (one.width, one.height) == size]
        assert len(curve) >= len(CRFS) - 3
        for better, worse in pairwise(curve):
            assert better.bitrate_bps > worse.bitrate_bps
            assert better.vmaf >= worse.vmaf


@given(
    st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 100)), min_size=7, max_size=7),
    st.integers(1, 5),
)
def test_any_result_of_the_trials_gives_expectations_within_bounds(
    results: list[tuple[float, float]], count: int
) -> None:
    sizes = SIZES[:count]
    points = [Point(trial, rate, vmaf) for trial, (rate, vmaf) in zip(tried(sizes), results, strict=False)]
    for one in expected(points, sizes, MEDIUM):
        assert one.bitrate_bps > 0
        assert math.isfinite(one.bitrate_bps)
        assert 0 <= one.vmaf <= 100


def test_a_maximum_rate_costs_quality() -> None:
    points = [shown(one) for one in tried(SIZES)]
    free, bound = (expected_at(points, (1280, 720), 21, rate, NONE) for rate in (1e9, 500_000))
    assert bound.bitrate_bps <= 500_000 < free.bitrate_bps
    assert bound.vmaf < free.vmaf


def test_without_a_trial_nothing_is_expected() -> None:
    with pytest.raises(ValueError, match="without a trial"):
        expected([], SIZES, NONE)


def test_every_preset_that_a_profile_may_have_is_calibrated_and_the_trials_own_needs_nothing() -> None:
    assert set(CALIBRATIONS) == set(TRIED_PRESETS)
    assert CALIBRATIONS[PRESET] == NONE, "a ladder at the trials' own preset is expected as if it were at medium"


def test_a_size_that_is_nearly_the_largest_is_not_tried() -> None:
    assert worthwhile([(416, 234), (640, 360), (768, 432), (854, 480)]) == [(416, 234), (640, 360), (854, 480)]
    assert worthwhile([(2, 2)]) == [(2, 2)]
    assert worthwhile(SIZES) == SIZES
