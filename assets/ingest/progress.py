"""How much of an ingest each stage is, in per cent and in the chain's order. So a title's per cent only grows."""

from typing import Final

from marquee.documents import STAGES

WEIGHTS: Final[dict[str, float]] = {
    "source": 6,
    "analysis": 4,
    "plan": 1,
    "renditions": 64,
    "streams": 10,
    "subtitles": 1,
    "quality": 6,
    "images": 2,
    "manifest": 1,
    "prewarm": 2,
    "title": 1,
    "search_document": 2,
}
"""Measured on a film of 3 minutes with four rungs. Most of the time is the encode."""


def overall_percent(stage: str, share: float) -> float:
    """Per cent of the whole ingest when `share` (0 to 1) of `stage` is done."""
    before = sum(WEIGHTS[name] for name in STAGES[: STAGES.index(stage)])
    return before + WEIGHTS[stage] * min(1.0, max(0.0, share))


def comes_after_publishing(stage: str) -> bool:
    """After `title` the version is playable: a later stage's failure does not change that."""
    return STAGES.index(stage) > STAGES.index("title")
