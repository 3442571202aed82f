"""Which rungs a title gets: the convex hull over bitrate and VMAF of its possible encodes, and rungs at equal steps on it. Pure.

A candidate is one encode: a picture size at a constant quality (CRF), with the bitrate and the VMAF that it would have at one
common size. Below some bitrate a smaller picture looks better than a large one with too few bits. Where that is, depends on the
title. The hull is the best of all sizes (Netflix, "Per-Title Encode Optimization", 2015). `media.ladder` finds the candidates.

`choose` takes the lowest rung for the slowest line, the highest at the quality that a viewer takes for perfect, and the rest
between them at equal steps of VMAF.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

VISIBLE_VMAF: Final = 2.0
"""Rungs are never closer: below two points viewers see no difference (A. Kah et al., "Fundamental relationships between
subjective quality, user acceptance, and the VMAF metric for a quality-based bit-rate ladder design", SPIE 11842, 2021)."""
STEP_VMAF: Final = 6.0
"""The widest step, as far as `max_rungs` allows: about one just noticeable difference for most viewers of films."""
MAX_BITRATE_RATIO: Final = 2.0
"""Between neighbours, as far as `max_rungs` allows: else a line just below a rung is half empty. Apple's authoring specification
asks for 1.5 to 2."""
LOWEST_BPS: Final = 150_000
"""The lowest rung has no more bits: with 128 kbit/s of sound it plays on a line of 0.3 Mbit/s. Apple's lowest has 145,000."""
HIGHEST_VMAF: Final = 95.0
"""The highest rung's: the residual loss is hardly visible from there on (Netflix's ladders end at 93 to 96)."""
MAX_RUNGS: Final = 7
"""Apple's ladder has six up to 1080 lines. Each rung costs an encode, storage, and room in the edges' caches."""
_OFF_HULL_WEIGHT: Final = 40.0
"""VMAF points that a rung may miss its step by, for each factor e of bitrate above the hull: 0.4 for one per cent."""


class Candidate(NamedTuple):
    """One encode that the title could have. `crf` is x264's; `vmaf` is at the size at which all candidates are compared."""

    width: int
    height: int
    crf: int
    bitrate_bps: float
    vmaf: float


class Targets(NamedTuple):
    """What a profile asks of a ladder. `step_vmaf` is the widest step; where `max_rungs` are too few for it, steps are wider.

    Candidates above `highest_bps` are no rungs, except where there are no others.
    """

    highest_vmaf: float = HIGHEST_VMAF
    step_vmaf: float = STEP_VMAF
    lowest_bps: float = LOWEST_BPS
    highest_bps: float = math.inf
    max_rungs: int = MAX_RUNGS


def not_dominated(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates that no other one beats (no more bits, no less quality), rising in bitrate and in VMAF."""
    best: list[Candidate] = []
    for one in sorted(candidates, key=lambda one: (_log(one), -one.vmaf, one.width * one.height)):
        if not best or one.vmaf > best[-1].vmaf:
            best.append(one)
    return best


def convex_hull(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The upper convex hull over the logarithm of the bitrate and VMAF, rising in both: each further bit brings less."""
    hull: list[Candidate] = []
    for one in not_dominated(candidates):
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) <= _slope(hull[-2], one):
            hull.pop()
        hull.append(one)
    return hull


def choose(candidates: Iterable[Candidate], targets: Targets) -> list[Candidate]:
    """The rungs, rising in bitrate and VMAF: at least one, at most `targets.max_rungs`. Raises ValueError without candidates.

    The lowest is the best within `lowest_bps` (else the one with the fewest bits), the highest the one nearest to `highest_vmaf`.
    Where a viewer does not see the difference of these two, the title has one rung: the lowest, which plays on every line.
    """
    rising = not_dominated(candidates)
    if not rising:
        raise ValueError("a ladder needs at least one candidate")
    low = max((one for one in rising if one.bitrate_bps <= targets.lowest_bps), default=rising[0], key=_vmaf)
    within = [
        one
        for one in rising
        if one.vmaf >= low.vmaf
        and one.bitrate_bps <= targets.highest_bps
        and one.width * one.height >= low.width * low.height
    ] or [low]
    high = min(within, key=lambda one: abs(one.vmaf - targets.highest_vmaf))
    if high.vmaf - low.vmaf < VISIBLE_VMAF or targets.max_rungs < 2:
        return [low]
    steps = _steps(low, high, targets)
    hull, rungs = convex_hull(rising), [low]
    for number in range(1, steps):
        target = low.vmaf + (high.vmaf - low.vmaf) * number / steps
        inner = [one for one in rising if _is_between(rungs[-1], one, high)]
        if inner:
            rungs.append(min(inner, key=lambda one: _distance(one, target, hull)))
    return [*rungs, high]


def _steps(low: Candidate, high: Candidate, targets: Targets) -> int:
    """How many equal steps lead from `low` to `high`: neither too wide for a viewer nor for a line, none too small to see."""
    by_quality = math.ceil((high.vmaf - low.vmaf) / targets.step_vmaf)
    by_bitrate = math.ceil((_log(high) - _log(low)) / math.log(MAX_BITRATE_RATIO))
    visible = int((high.vmaf - low.vmaf) / VISIBLE_VMAF)
    return max(1, min(max(by_quality, by_bitrate), visible, targets.max_rungs - 1))


def _is_between(low: Candidate, one: Candidate, high: Candidate) -> bool:
    """Whether a viewer sees the difference to both, and the picture's size rises as its quality does."""
    sizes = [low.width * low.height, one.width * one.height, high.width * high.height]
    return min(one.vmaf - low.vmaf, high.vmaf - one.vmaf) >= VISIBLE_VMAF and sizes == sorted(sizes)


def bits_at(curve: Sequence[Candidate], vmaf: float) -> float:
    """The bitrate at which a rising curve reaches `vmaf`, interpolated on the logarithm; its ends outside of the curve."""
    if vmaf <= curve[0].vmaf:
        return curve[0].bitrate_bps
    for below, above in pairwise(curve):
        if vmaf <= above.vmaf:
            share = (vmaf - below.vmaf) / (above.vmaf - below.vmaf)
            return math.exp(_log(below) + share * (_log(above) - _log(below)))
    return curve[-1].bitrate_bps


def _distance(one: Candidate, target: float, hull: Sequence[Candidate]) -> float:
    """How badly a candidate serves as the rung at `target`: VMAF points from it, and its bits above the hull."""
    return abs(one.vmaf - target) + _OFF_HULL_WEIGHT * max(0.0, _log(one) - math.log(bits_at(hull, one.vmaf)))


def _slope(first: Candidate, second: Candidate) -> float:
    return (second.vmaf - first.vmaf) / (_log(second) - _log(first))


def _log(one: Candidate) -> float:
    return math.log(one.bitrate_bps)


def _vmaf(one: Candidate) -> float:
    return one.vmaf
