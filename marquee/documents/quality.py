"""How good a version looks: VMAF of every rung, on a sample of the files that viewers get.

The stage `quality` writes the document. The blocking check `picture_good_enough` compares the top rung with the
platform's minimum.
"""

import msgspec

from marquee.notes import Note


class QualityScore(msgspec.Struct, frozen=True, kw_only=True):
    """VMAF of a rendition on a sample of its segments, scored at the source's display size."""

    rung: str
    vmaf_mean: float
    vmaf_min: float
    frames_scored: int
    segments_scored: int
    cpu_seconds: float


class QualityDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of a version."""

    movie_id: str
    version: int
    scores: list[QualityScore]
    """One for each rung, from the lowest to the highest."""
    notes: list[Note] = []
