"""What was seen of a video, as figures. Pure.

`startup_seconds`: from the click to the first frame; None if none was shown. `rebuffer_ratio`: the part of the time since then
in which the position stood still. `quality`: mean height of the picture while it moved, weighted by time. `switches`: changes
of height. `recovery_seconds`: from the end of a dip to the last moment at which less was shown than the line carries, until
the end of what was watched; 0 if nothing lower was shown; None for a line without a dip.
"""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

STANDS_STILL = 0.02
"""Seconds of film in a sample of 0.1 s: less than this is standing still."""
CARRIED = 0.8
"""A line carries a rung if it needs at most this part of the bandwidth."""


@dataclass(frozen=True)
class Rung:
    height: int
    bits_per_second: int


@dataclass(frozen=True)
class Figures:
    startup_seconds: float | None
    rebuffer_ratio: float
    quality: float
    switches: int
    bytes: int
    recovery_seconds: float | None
    ahead_seconds: float
    """The most that was buffered ahead of the position."""
    first_height: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def right_height(rungs: Sequence[Rung], bits_per_second: float) -> int:
    """The best rung that a line of this bandwidth carries; the lowest one if it carries none."""
    carried = [rung.height for rung in rungs if rung.bits_per_second <= CARRIED * bits_per_second]
    return max(carried, default=min(rung.height for rung in rungs))


def figures(seen: dict[str, Any], received: int, seconds: float, dip_ends: float | None, right: int) -> Figures:
    """`seen`: what `page/watch.js` wrote down. `right`: height of the rung that is right after the dip."""
    first = seen["first"]
    heights = [(at / 1000, height) for at, height in seen["heights"] if at <= seconds * 1000]
    samples = [sample for sample in seen["samples"] if first is not None and first <= sample[0] <= seconds * 1000]
    still = moved = weighed = 0.0
    for before, after in itertools.pairwise(samples):
        passed = (after[0] - before[0]) / 1000
        if after[4]:
            continue
        if after[1] - before[1] < STANDS_STILL * passed / 0.1:
            still += passed
        else:
            moved += passed
            weighed += passed * _height_at(heights, before[0] / 1000)
    return Figures(
        startup_seconds=None if first is None else round(first / 1000, 2),
        rebuffer_ratio=round(still / (still + moved), 4) if still + moved else 1.0,
        quality=round(weighed / moved, 1) if moved else 0.0,
        switches=max(0, len(heights) - 1),
        bytes=received,
        recovery_seconds=None if dip_ends is None else _recovery(heights, dip_ends, seconds, right),
        ahead_seconds=round(max((sample[2] for sample in samples), default=0.0), 1),
        first_height=heights[0][1] if heights else 0,
    )


def _height_at(heights: Sequence[tuple[float, int]], second: float) -> int:
    return next((height for at, height in reversed(heights) if at <= second), heights[0][1] if heights else 0)


def _recovery(heights: Sequence[tuple[float, int]], dip_ends: float, seconds: float, right: int) -> float:
    """A change to a height lasts until the next change."""
    ends = [at for at, _ in heights[1:]] + [seconds]
    low = [end for (_, height), end in zip(heights, ends, strict=True) if height < right and end > dip_ends]
    return round(max(low, default=dip_ends) - dip_ends, 1) if heights else round(seconds - dip_ends, 1)
