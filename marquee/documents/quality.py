"""How good a version looks: VMAF of every rung on a sample of what viewers are sent. The stage `quality` writes it.

The blocking check `picture_good_enough` compares the top rung with the platform's floor.
"""

import msgspec


class QualityScore(msgspec.Struct, frozen=True, kw_only=True):
    """VMAF of a rendition on a sample of its segments, scored at the source's display size."""

    rung: str
    vmaf_mean: float
    vmaf_min: float
    frames_scored: int
    segments_scored: int
    cpu_seconds: float


class QualityDocument(msgspec.Struct, frozen=True, kw_only=True):
    movie_id: str
    version: int
    scores: list[QualityScore]
    """One for each rung, from the lowest to the highest."""
