"""The frame grid that all renditions of a title share: GOPs, segments and chunks, counted in output frames.

A GOP is round(2 x rate) frames and a segment is three GOPs, unless the profile says otherwise. So every boundary falls on a
whole frame at any rate. (A plain 6 seconds at 29.97 fps makes a stray segment after 33 minutes.) A chunk is a run of whole
segments and one job of a transcode worker. Only the title's last segment may be short; a last chunk shorter than one segment is
joined to the chunk before it. All rates are exact fractions.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from marquee.documents import Chunk

GOP_SECONDS: Final = 2
GOPS_PER_SEGMENT: Final = 3
MAX_FRAME_RATE: Final = Fraction(60)
"""Output frames per second. Of a faster source every second, third ... frame is kept."""
_MAX_RATE_TOLERANCE: Final = Fraction(105, 100)
"""A source up to 5 % above `MAX_FRAME_RATE` is encoded at that rate: a camera's 60.04 fps becomes 60, not 30.02."""
MIN_FRAME_RATE: Final = Fraction(5)
"""Output frames per second. A slower source (slides) repeats its frames, so that a GOP still lasts about 2 seconds."""


def output_rate(rate: Fraction) -> Fraction:
    """The constant rate of the renditions of a source with `rate` frames per second, from 5 to 60.

    It is the source's rate, or a whole multiple or a whole part of it. Slides that last longer than a second get the lowest rate,
    which is whole: no viewer notices that one changes 0.1 s late. Raises ValueError for a rate that is not
    positive.
    """
    if rate <= 0:
        raise ValueError(f"a frame rate must be positive, not {rate}")
    if rate > MAX_FRAME_RATE:
        if rate < MAX_FRAME_RATE * _MAX_RATE_TOLERANCE:
            return MAX_FRAME_RATE
        return rate / math.ceil(rate / MAX_FRAME_RATE)
    if rate < 1:
        return MIN_FRAME_RATE
    if rate < MIN_FRAME_RATE:
        return rate * math.ceil(MIN_FRAME_RATE / rate)
    return rate


def gop_frames(rate: Fraction, seconds: float = GOP_SECONDS) -> int:
    """Frames of a GOP: about `seconds` at `rate`, at least one."""
    return max(1, round(Fraction(seconds) * rate))


def segment_frames(rate: Fraction, gop_seconds: float = GOP_SECONDS, gops: int = GOPS_PER_SEGMENT) -> int:
    """Frames of a segment: a whole number of GOPs."""
    return gops * gop_frames(rate, gop_seconds)


def frame_count(duration_seconds: Fraction, rate: Fraction) -> int:
    """Frames that show `duration_seconds` at `rate`, rounded to the nearest number; at least one."""
    return max(1, round(duration_seconds * rate))


def chunks(total_frames: int, segment: int, segments_per_chunk: int) -> list[Chunk]:
    """Cut `total_frames` into chunks of `segments_per_chunk` segments; `segment` is the frames of a segment.

    Raises ValueError if a number is below 1.
    """
    if total_frames < 1 or segment < 1 or segments_per_chunk < 1:
        raise ValueError(
            f"frames ({total_frames}), segment ({segment}) and segments per chunk ({segments_per_chunk}) must be at least 1"
        )
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
    """Frames of every segment of a title. Only the last segment may be shorter than `segment`."""
    whole, rest = divmod(total_frames, segment)
    return [segment] * whole + ([rest] if rest else [])
