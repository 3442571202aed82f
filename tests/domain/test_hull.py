"""The convex hull and the rungs on it: by example, and what holds for every title."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.hull import (
    LOWEST_BPS,
    MAX_RUNGS,
    VISIBLE_VMAF,
    Candidate,
    Targets,
    bits_at,
    choose,
    convex_hull,
    not_dominated,
)

SIZES = ((416, 234), (640, 360), (960, 540), (1280, 720), (1920, 1080))


def title(complexity: float, crfs: range = range(18, 46)) -> list[Candidate]:
    """A title like real ones: bits fall by 11 % a CRF, larger pictures need more and lose less. `complexity` multiplies bits."""
    found = []
    for width, height in SIZES:
        ceiling = 100 - 900 / height**0.75
        for crf in crfs:
            bits = complexity * 0.11 * (width * height) ** 0.85 * 25 * math.exp(-0.115 * (crf - 23))
            found.append(Candidate(width, height, crf, bits, ceiling - 0.045 * (crf - 16) ** 2))
    return found


CANDIDATES = st.lists(
    st.builds(
        lambda size, crf, bits, vmaf: Candidate(*size, crf, bits, vmaf),
        st.sampled_from(SIZES),
        st.integers(16, 48),
        st.floats(1_000, 60_000_000),
        st.floats(0, 100),
    ),
    min_size=1,
    max_size=60,
)


def test_the_hull_leaves_out_what_lies_below_a_line_between_others() -> None:
    low, poor, high = (
        Candidate(640, 360, 30, 100_000, 40.0),
        Candidate(960, 540, 30, 1_000_000, 60.0),
        Candidate(1280, 720, 30, 2_000_000, 95.0),
    )
    assert convex_hull([high, poor, low]) == [low, high]


def test_small_pictures_serve_few_bits_and_large_ones_many() -> None:
    rungs = choose(title(1.0), Targets())
    heights = [rung.height for rung in rungs]
    assert heights == sorted(heights)
    assert heights[0] < heights[-1] == 1080
    assert abs(rungs[-1].vmaf - 95) < 2


def test_an_easy_title_needs_fewer_bits_and_a_hard_one_stays_within_the_highest_bitrate() -> None:
    easy, hard = (choose(title(complexity), Targets(highest_bps=8e6)) for complexity in (0.3, 12.0))
    assert easy[-1].bitrate_bps < choose(title(1.0), Targets())[-1].bitrate_bps
    assert hard[-1].bitrate_bps <= 8e6
    assert hard[-1].vmaf < 95


def test_a_title_that_is_good_on_a_slow_line_still_has_its_steps() -> None:
    easy = [Candidate(960, 540, crf, 2_000_000 * math.exp(-0.12 * crf), 100 - 0.5 * crf) for crf in range(10, 40)]
    rungs = choose(easy, Targets())
    assert len(rungs) > 2, "two rungs leave a viewer whose line allows one in the middle with the lower one"
    assert max(above.vmaf - below.vmaf for below, above in pairwise(rungs)) <= 6.5


def test_a_black_film_has_one_rung_at_its_own_size() -> None:
    black = [Candidate(*size, crf, 2_000 + size[1], 96 + size[1] / 300) for size in SIZES for crf in (20, 30)]
    (only,) = choose(black, Targets())
    assert only.height == 1080


def test_a_title_of_one_candidate_has_one_rung() -> None:
    only = Candidate(2, 2, 23, 50_000_000, 3.0)
    assert choose([only], Targets(highest_bps=1e6)) == [only]


def test_without_candidates_there_is_no_ladder() -> None:
    with pytest.raises(ValueError, match="at least one candidate"):
        choose([], Targets())


@given(CANDIDATES, st.integers(1, 12), st.floats(2, 20))
def test_rungs_rise_and_are_never_closer_than_a_viewer_sees(
    candidates: list[Candidate], max_rungs: int, step: float
) -> None:
    rungs = choose(candidates, Targets(max_rungs=max_rungs, step_vmaf=step))
    assert 1 <= len(rungs) <= max_rungs
    assert set(rungs) <= set(candidates), "a rung that no encode of the title is"
    for below, above in pairwise(rungs):
        assert above.bitrate_bps > below.bitrate_bps
        assert above.vmaf - below.vmaf >= VISIBLE_VMAF
        assert above.width * above.height >= below.width * below.height, "a rung is scaled from the next larger one"


@given(CANDIDATES)
def test_the_lowest_rung_is_for_a_slow_line_if_there_is_such_an_encode(candidates: list[Candidate]) -> None:
    lowest = choose(candidates, Targets())[0]
    assert lowest.bitrate_bps <= max(LOWEST_BPS, min(one.bitrate_bps for one in candidates))


@given(CANDIDATES, st.integers(0, 59), st.floats(0.01, 3), st.floats(0.01, 50))
def test_a_dominated_candidate_changes_nothing(
    candidates: list[Candidate], index: int, more_bits: float, less_quality: float
) -> None:
    better = candidates[index % len(candidates)]
    beaten = better._replace(
        crf=15, bitrate_bps=better.bitrate_bps * (1 + more_bits), vmaf=max(-1.0, better.vmaf - less_quality)
    )
    assert convex_hull([*candidates, beaten]) == convex_hull(candidates)
    assert choose([*candidates, beaten], Targets()) == choose(candidates, Targets())


@given(CANDIDATES)
def test_no_candidate_lies_above_the_hull(candidates: list[Candidate]) -> None:
    hull = convex_hull(candidates)
    assert hull == convex_hull(hull)
    for one in not_dominated(candidates):
        assert one.bitrate_bps >= bits_at(hull, one.vmaf) * (1 - 1e-9)
    slopes = [
        (above.vmaf - below.vmaf) / math.log(above.bitrate_bps / below.bitrate_bps) for below, above in pairwise(hull)
    ]
    assert slopes == sorted(slopes, reverse=True)


@given(st.floats(0.05, 20))
def test_steps_of_quality_are_equal_within_what_whole_crfs_allow(complexity: float) -> None:
    rungs = choose(title(complexity), Targets())
    assert len(rungs) <= MAX_RUNGS
    steps = [above.vmaf - below.vmaf for below, above in pairwise(rungs)]
    assert not steps or max(steps) - min(steps) < 8, f"steps of {steps}"
