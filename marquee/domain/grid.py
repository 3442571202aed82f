"""The frame grid that every rendition of a title shares: GOPs, segments and chunks, counted in output frames.

A GOP is round(2 x rate) frames and a segment three GOPs, so that boundaries fall on whole frames at any rate (a plain
6 seconds at 29.97 fps makes a stray segment after 33 minutes). A chunk is a run of whole segments, the unit of work of
a transcode worker. Only the title's last segment may be short; a last chunk shorter than one segment is joined to
the chunk before it. All rates are exact fractions.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from marquee.documents import Chunk

GOP_SECONDS: Final = 2
GOPS_PER_SEGMENT: Final = 3
MAX_FRAME_RATE: Final = Fraction(60)
"""A faster source keeps every second, third ... frame."""
_ROUNDED_DOWN: Final = Fraction(105, 100)
"""A camera's 60.04 fps is 60, not half of it."""
MIN_FRAME_RATE: Final = Fraction(5)
"""A slower source (slides) repeats its frames, so that a GOP still has about 2 seconds."""


def output_rate(rate: Fraction) -> Fraction:
    """The constant rate of the renditions of a source of `rate`: a whole multiple or part of it within 5 to 60 fps."""
    if rate <= 0:
        raise ValueError(f"a frame rate is positive, not {rate}")
    if rate > MAX_FRAME_RATE:
        if rate < MAX_FRAME_RATE * _ROUNDED_DOWN:
            return MAX_FRAME_RATE
        return rate / math.ceil(rate / MAX_FRAME_RATE)
    if rate < MIN_FRAME_RATE:
        return rate * math.ceil(MIN_FRAME_RATE / rate)
    return rate


def gop_frames(rate: Fraction) -> int:
    return max(1, round(GOP_SECONDS * rate))


def segment_frames(rate: Fraction) -> int:
    return GOPS_PER_SEGMENT * gop_frames(rate)


def frame_count(duration_seconds: Fraction, rate: Fraction) -> int:
    """The frames that show `duration_seconds` at `rate`, to the nearest; at least one."""
    return max(1, round(duration_seconds * rate))


def chunks(total_frames: int, segment: int, segments_per_chunk: int) -> list[Chunk]:
    """Cut `total_frames` into chunks of whole segments of `segment` frames."""
    if total_frames < 1 or segment < 1 or segments_per_chunk < 1:
        raise ValueError("frames, segment and segments per chunk are at least 1")
    size = segment * segments_per_chunk
    starts = list(range(0, total_frames, size))
    if len(starts) > 1 and total_frames - starts[-1] < segment:
        starts.pop()
    ends = [*starts[1:], total_frames]
    return [
        Chunk(index=index, start_frame=start, frames=end - start)
        for index, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def segment_lengths(total_frames: int, segment: int) -> Sequence[int]:
    """Frames of every segment of a title; only the last may be short."""
    whole, rest = divmod(total_frames, segment)
    return [segment] * whole + ([rest] if rest else [])
