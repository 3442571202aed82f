"""The frame grid: no frame is lost or counted twice, and boundaries fall on whole segments, at any rate."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain import grid

RATES = st.fractions(min_value=Fraction(1, 10), max_value=1000, max_denominator=1001)


@pytest.mark.parametrize(
    ("rate", "gop", "segment"),
    [("24000/1001", 48, 144), ("25", 50, 150), ("30000/1001", 60, 180), ("60", 120, 360), ("8797/1000", 18, 54)],
)
def test_gop_and_segment_are_counted_in_frames(rate: str, gop: int, segment: int) -> None:
    assert grid.gop_frames(Fraction(rate)) == gop
    assert grid.segment_frames(Fraction(rate)) == segment


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("120", "60"),
        ("100", "50"),
        ("60.04", "60"),
        ("144", "48"),
        ("1", "5"),
        ("2/123", "5"),
        ("1/60", "5"),
        ("25", "25"),
        ("600", "60"),
    ],
)
def test_output_rate(source: str, output: str) -> None:
    assert grid.output_rate(Fraction(source)) == Fraction(output)


@given(rate=RATES)
def test_output_rate_stays_within_its_bounds(rate: Fraction) -> None:
    out = grid.output_rate(rate)
    assert grid.MIN_FRAME_RATE <= out <= grid.MAX_FRAME_RATE
    assert 1.9 <= grid.gop_frames(out) / out <= 2.1


@given(total=st.integers(1, 2_000_000), rate=RATES, per_chunk=st.integers(1, 60))
def test_chunks_cover_every_frame_once(total: int, rate: Fraction, per_chunk: int) -> None:
    segment = grid.segment_frames(grid.output_rate(rate))
    found = grid.chunks(total, segment, per_chunk)
    assert [chunk.index for chunk in found] == list(range(len(found)))
    at = 0
    for chunk in found:
        assert chunk.start_frame == at, "chunks overlap or leave a hole"
        assert chunk.start_frame % segment == 0, "a chunk starts inside a segment"
        at += chunk.frames
    assert at == total
    assert len(found) == 1 or min(chunk.frames for chunk in found) >= segment, "a chunk is shorter than a segment"


@given(total=st.integers(1, 2_000_000), segment=st.integers(1, 400))
def test_only_the_last_segment_is_short(total: int, segment: int) -> None:
    lengths = grid.segment_lengths(total, segment)
    assert sum(lengths) == total
    assert all(length == segment for length in lengths[:-1])
    assert 0 < lengths[-1] <= segment


@given(rate=RATES, frames=st.integers(1, 1_000_000))
def test_frames_and_duration_are_exact_inverses(rate: Fraction, frames: int) -> None:
    assert grid.frame_count(frames / rate, rate) == frames
