"""Which frames are encoded on trial: within the film, where its content differs, and never more than the bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.documents import AnalysedSample
from marquee.media.ladder.stretches import (
    LONG_SHARE,
    MAX_LINEAR_SECONDS,
    MAX_REFERENCE_BYTES,
    MAX_SECONDS,
    MAX_UNSEEKABLE_STRETCHES,
    MIN_FRAMES,
    SHORT_SECONDS,
    SHORT_SHARE,
    SUBSAMPLE,
    film_ratio,
    is_linear,
    stretches,
)


@given(
    total=st.integers(1, 400_000),
    rate=st.sampled_from([5.0, 10.0, 23.976, 24.0, 29.97, 60.0]),
    packets=st.lists(st.integers(0, 1_000_000), max_size=400),
    seekable=st.booleans(),
    frame_bytes=st.integers(0, 50_000_000),
)
def test_stretches_lie_in_the_film_apart_from_each_other_and_within_the_bound(
    total: int, rate: float, packets: list[int], seekable: bool, frame_bytes: int
) -> None:
    taken = stretches(packets, total, rate, round(2 * rate), seekable=seekable, frame_bytes=frame_bytes)
    assert taken, "a film without a stretch has no ladder by title"
    ends = [0, *(one.start_frame + one.frames for one in taken)]
    for end, one in zip(ends, taken, strict=False):
        assert one.start_frame >= end, "two stretches show the same frames"
    assert ends[-1] <= total
    for one in taken:
        assert one.frames == total or one.frames % SUBSAMPLE == 0, "stretches weigh differently in the scores"
    seconds = total / rate
    bound = min(MAX_SECONDS, SHORT_SHARE * min(seconds, SHORT_SECONDS) + LONG_SHARE * max(0.0, seconds - SHORT_SECONDS))
    frames = sum(one.frames for one in taken)
    assert frames <= max(MIN_FRAMES, bound * rate + 1)
    if is_linear(total, rate, seekable=seekable) and len(taken) > 1:
        assert frames * frame_bytes <= MAX_REFERENCE_BYTES
    if not seekable and seconds > MAX_LINEAR_SECONDS:
        assert len(taken) <= MAX_UNSEEKABLE_STRETCHES


@pytest.mark.parametrize("total", [1, 4, 19])
def test_a_film_of_a_few_frames_is_tried_whole(total: int) -> None:
    (whole,) = stretches([100] * total, total, 25.0, 50)
    assert (whole.start_frame, whole.frames) == (0, total)


def test_quiet_and_wild_parts_are_both_tried() -> None:
    """Ten minutes: a quiet film with one wild minute in its middle, which has a tenth of the frames."""
    packets = [1_000] * 6_750 + [20_000] * 1_500 + [1_000] * 6_750
    taken = stretches(packets, 15_000, 25.0, 50)
    wild = [one for one in taken if 6_750 <= one.start_frame < 8_250]
    assert len(wild) in {1, 2}, f"{len(wild)} of {len(taken)} stretches stand for a tenth of the film"


def test_packets_of_one_size_spread_the_stretches_over_the_film() -> None:
    taken = stretches([500] * 15_000, 15_000, 25.0, 50)
    thirds = [sum(start <= one.start_frame < start + 5_000 for one in taken) for start in (0, 5_000, 10_000)]
    assert max(thirds) - min(thirds) <= 1, f"the film's thirds have {thirds} stretches"


def test_a_film_whose_packets_cannot_be_read_is_tried_too() -> None:
    assert len(stretches([], 15_000, 25.0, 50)) > 5


def test_a_rate_on_quiet_stretches_is_raised_to_the_films() -> None:
    packets = [1_000] * 75 + [1_600] * 75
    quiet = [AnalysedSample(start_frame=20, frames=20)]
    assert film_ratio(packets, 150, quiet) == pytest.approx(1.3)
    assert film_ratio(packets, 150, [AnalysedSample(start_frame=0, frames=150)]) == 1
    assert film_ratio([1] * 75 + [1_000_000] * 75, 150, quiet) == 1.5, (
        "a master's own rate is not believed beyond a bound"
    )
    assert film_ratio([], 150, quiet) == 1
    assert film_ratio([0] * 10, 150, quiet) == 1
