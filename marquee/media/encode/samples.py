"""Which frames of a title are scored: the middle GOP of some segments, spread evenly. Pure. `quality` scores them."""

from typing import Final

import msgspec

from marquee.documents import PlanDocument, SourceDocument

MAX_SAMPLE_SHARE: Final = 0.1
"""Of all segments: a full score costs as much as the encode."""
MAX_SEGMENTS: Final = 20
"""At most twenty samples, spread over the title. More would cost more and hardly change the mean."""
MAX_UNSEEKABLE_SEGMENTS: Final = 3
"""Samples of a source in which a sample cannot be reached by a seek. Everything before each sample is decoded: three samples cost
one and a half decodes of the film."""


class Sample(msgspec.Struct, frozen=True):
    """`frames` frames of the title's grid from `start_frame` on, which is a key frame."""

    start_frame: int
    frames: int


def samples(plan: PlanDocument, max_share: float, *, maximum: int = MAX_SEGMENTS) -> list[Sample]:
    """What is scored: at most `max_share` of the segments (0 to 1) and at most `maximum`, at least one, spread evenly.

    Each segment is represented by its middle GOP: for the same cost, many short samples tell more than a few long ones. A
    title shorter than a GOP is scored whole.
    """
    segment, gop, total = plan.settings.segment_frames, plan.settings.gop_frames, plan.total_frames
    count = max(1, min(maximum, int(total / segment * max_share)))
    gops, in_segment = max(1, total // gop), segment // gop
    # The middle GOP of the middle segment of each of `count` equal stretches of the title.
    middles = [gops * (2 * index + 1) // (2 * count) for index in range(count)]
    places = [min(gops - 1, middle // in_segment * in_segment + in_segment // 2) for middle in middles]
    return [Sample(place * gop, min(gop, total - place * gop)) for place in places]


def taken_samples(source: SourceDocument, plan: PlanDocument, max_share: float) -> list[Sample]:
    """`samples`, fewer of a source in which nothing can seek."""
    return samples(plan, max_share, maximum=MAX_SEGMENTS if source.seekable else MAX_UNSEEKABLE_SEGMENTS)


def sample_timeout(sample: Sample, rungs: int) -> float:
    """Seconds for one sample: at worst 1 fps a rung (4K on a slow core), and the decoding of everything before the sample."""
    return 300 + sample.frames * rungs + sample.start_frame / 10
