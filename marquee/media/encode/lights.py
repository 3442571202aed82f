"""Tells which frames of a title are converted by which way, if its light changes midway: HDR and SDR, PQ and HLG, wide primaries.

A trailer before a film, advertisements in a programme, clips of two cameras: each part is converted by its own transfer and
primaries, so none becomes grey or too dark. Reads `VideoStream.lights`. `filters` makes one way for each light, and the frame's
number on the title's grid chooses. Pure.
"""

import math
from collections import defaultdict
from fractions import Fraction
from itertools import zip_longest
from typing import NamedTuple

import msgspec

from marquee.documents import VideoStream


class Way(NamedTuple):
    """Frames of one light. `video`: the picture as if all of it were so. `when`: an expression of a chunk's frame number `n`."""

    video: VideoStream
    when: str


def by_light(video: VideoStream, rate: Fraction) -> list[Way]:
    """The ways, the title's own first; one way for a film whose light never changes."""
    if not video.lights:
        return [Way(video, "1")]
    own = video.color_transfer, video.color_primaries
    spans: dict[tuple[str | None, str | None], list[str]] = defaultdict(list, {own: []})
    for one, following in zip_longest(video.lights, video.lights[1:]):
        end = f"lt(n+{{start}},{_first_frame(following.start_seconds, rate)})" if following else "1"
        begin = _first_frame(one.start_seconds, rate)
        spans[one.color_transfer, one.color_primaries].append(f"gte(n+{{start}},{begin})*{end}")
    return [
        Way(msgspec.structs.replace(video, color_transfer=transfer, color_primaries=primaries), "+".join(when) or "0")
        for (transfer, primaries), when in spans.items()
    ]


def _first_frame(seconds: float, rate: Fraction) -> int:
    """The first frame of the grid that shows a picture of this time: ffmpeg's `fps` rounds half a frame up."""
    return math.floor(Fraction(seconds).limit_denominator(1_000_000) * rate + Fraction(1, 2))
