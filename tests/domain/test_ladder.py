"""The ladder: Apple's steps, never above the source, upright or lying, at a level that allows the picture."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.ladder import (
    APPLE_RATE,
    LADDER,
    MAX_RAISED_BPS,
    RAISE_FACTOR,
    raised,
    rate_factor,
    rungs_for,
)
from marquee.domain.levels import H264_LEVELS, level_for

SIZES = st.integers(1, 4320).map(lambda half: 2 * half)
RATE = Fraction(25)


def sizes(width: int, height: int) -> list[tuple[int, int]]:
    return [(rung.width, rung.height) for rung in rungs_for(width, height, RATE)]


def test_a_1080_line_source_has_all_of_apples_steps() -> None:
    rungs = rungs_for(1920, 1080, RATE)
    assert [(rung.width, rung.height, rung.bitrate_bps) for rung in rungs] == [
        (416, 234, 145_000),
        (640, 360, 365_000),
        (768, 432, 730_000),
        (960, 540, 2_000_000),
        (1280, 720, 4_500_000),
        (1920, 1080, 7_800_000),
    ]
    assert rungs == rungs_for(3840, 2160, RATE), "a larger source has the same ladder"


def test_a_portrait_film_has_the_same_ladder_upright() -> None:
    assert sizes(1080, 1920) == [(height, width) for width, height in sizes(1920, 1080)]


@pytest.mark.parametrize(
    ("size", "top"),
    [
        ((1280, 720), ("720p", 1280, 720)),
        ((1024, 576), ("576p", 1024, 576)),
        ((640, 480), ("480p", 640, 480)),
        ((3840, 1608), ("1080p", 1920, 804)),
        ((960, 400), ("540p", 960, 400)),
        ((50, 50), ("50p", 50, 50)),
        ((160, 120), ("120p", 160, 120)),
        ((2, 2), ("2p", 2, 2)),
    ],
)
def test_the_top_rung(size: tuple[int, int], top: tuple[str, int, int]) -> None:
    rung = rungs_for(*size, RATE)[-1]
    assert (rung.name, rung.width, rung.height) == top


@pytest.mark.parametrize(
    ("size", "rate", "level"),
    [
        ((1920, 1080), 30, "4.0"),
        ((1920, 1080), 60, "4.2"),
        ((1280, 720), 30, "3.1"),
        ((416, 234), 30, "1.3"),
        ((3840, 2160), 30, "5.1"),
    ],
)
def test_levels(size: tuple[int, int], rate: int, level: str) -> None:
    assert level_for(*size, Fraction(rate), 500_000) == level


@given(width=SIZES, height=SIZES)
def test_no_rung_is_above_the_source(width: int, height: int) -> None:
    rungs = rungs_for(width, height, RATE)
    assert rungs, "every source has at least one rung"
    assert len(rungs) <= len(LADDER)
    for rung in rungs:
        assert rung.width <= width
        assert rung.height <= height
        assert rung.width % 2 == rung.height % 2 == 0
        assert rung.bitrate_bps < rung.max_bitrate_bps < rung.buffer_bits


@given(width=SIZES, height=SIZES)
def test_rungs_rise_and_keep_the_aspect(width: int, height: int) -> None:
    rungs = rungs_for(width, height, RATE)
    for lower, upper in pairwise(rungs):
        assert lower.bitrate_bps <= upper.bitrate_bps
        assert lower.width <= upper.width
    for rung in rungs:
        assert abs(rung.width - rung.height * width / height) <= 2 * (1 + width / height), "the picture is distorted"
    assert len({rung.name for rung in rungs}) == len(rungs)


@given(
    width=st.integers(1, 960).map(lambda n: 2 * n),
    height=st.integers(1, 540).map(lambda n: 2 * n),
    rate=st.integers(5, 60),
)
def test_a_level_holds_what_it_is_given_to(width: int, height: int, rate: int) -> None:
    for rung in rungs_for(width, height, Fraction(rate)):
        level = next(level for level in H264_LEVELS if level.name == rung.level)
        blocks = -(-rung.width // 16) * -(-rung.height // 16)
        assert blocks * rate <= level.macroblocks_per_second
        assert rung.max_bitrate_bps <= 1.25 * level.bits_per_second


RATES = st.fractions(5, 60, max_denominator=1001)


def test_twice_the_frames_have_one_and_a_half_times_the_bits() -> None:
    slow, fast = (rungs_for(1920, 1080, Fraction(rate)) for rate in (30, 60))
    for one, other in zip(slow, fast, strict=True):
        assert other.bitrate_bps == pytest.approx(1.5 * one.bitrate_bps, abs=1000)
    assert rungs_for(1920, 1080, Fraction(24)) == slow, "Apple's rates hold up to 30 frames a second"


@given(rate=RATES, faster=RATES)
def test_a_faster_film_never_has_fewer_bits_and_more_bits_than_frames_never(rate: Fraction, faster: Fraction) -> None:
    rate, faster = sorted((rate, faster))
    assert rate_factor(rate) <= rate_factor(faster)
    assert rate_factor(faster) <= max(1, faster / APPLE_RATE) + 1e-9


def test_a_small_picture_has_its_share_of_bits() -> None:
    small = {lines: rungs_for(lines * 16 // 9, lines, Fraction(30))[-1].bitrate_bps for lines in (96, 144, 180, 234)}
    assert sorted(small.values()) == list(small.values())
    assert small[180] > 83_000, "the rate of the report, with which a sharp picture was rubble"


@given(width=SIZES, height=SIZES, rate=RATES)
def test_a_rung_is_raised_within_bounds(width: int, height: int, rate: Fraction) -> None:
    rung = rungs_for(width, height, rate)[-1]
    better = raised(rung, rate)
    assert (better.name, better.width, better.height) == (rung.name, rung.width, rung.height)
    assert rung.bitrate_bps <= better.bitrate_bps <= RAISE_FACTOR * rung.bitrate_bps + 1000
    assert better.bitrate_bps <= MAX_RAISED_BPS * rate_factor(rate) + 1000
    assert better.level == level_for(rung.width, rung.height, rate, better.max_bitrate_bps)
