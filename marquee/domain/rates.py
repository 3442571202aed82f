"""A film's true frame rate, from the times of its frames; what its header claims only breaks ties.

Headers lie: a phone's says 57600, a screen recorder's 1000, a field-coded one twice the truth. Steps that are (nearly)
all equal make a constant rate, named exactly (24000/1001, not 23.98) so that an hour does not drift; anything else is
variable, and gets the standard rate next above its usual step.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

STANDARD: Final = tuple(
    sorted(
        [Fraction(n) for n in (1, 2, 5, 8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 144, 240)]
        + [Fraction(n * 1000, 1001) for n in (12, 15, 24, 30, 48, 60, 120, 240)]
        + [Fraction(25, 2)]
    )
)
_FOR_VARIABLE: Final = tuple(Fraction(n) for n in (24, 25, 30, 48, 50, 60))
_UNKNOWN: Final = Fraction(25)
_REGULAR_SHARE: Final = 0.9
_JITTER: Final = 0.1
_MAX_TOLERANCE: Final = 5e-3


class FrameRate(NamedTuple):
    rate: Fraction
    variable: bool


def frame_rate(times: Sequence[int], time_base: Fraction, hints: Sequence[Fraction] = ()) -> FrameRate:
    """The rate of frames shown at `times` (units of `time_base`, in order); `hints` are the header's rates."""
    steps = [b - a for a, b in pairwise(times) if b > a]
    if not steps:
        return FrameRate(next((hint for hint in hints if hint <= 240), _UNKNOWN), variable=False)
    usual = median(steps)
    regular = [step for step in steps if abs(step - usual) <= max(_JITTER * usual, min(1, usual / 2))]
    if len(regular) < _REGULAR_SHARE * len(steps):
        about = 1 / (Fraction(usual) * time_base)
        return FrameRate(
            next((rate for rate in _FOR_VARIABLE if rate >= about * Fraction(97, 100)), _FOR_VARIABLE[-1]), True
        )
    total = sum(regular) * time_base
    mean = len(regular) / total
    exact = max(regular) - min(regular) <= 1
    # A named rate must not drift by half a frame over the whole film; a camera's own jitter is not a rate.
    drift = min(_MAX_TOLERANCE, 0.5 / len(regular))
    tolerance = max(drift if exact else _MAX_TOLERANCE, float(2 * time_base / total))
    named = [rate for rate in hints if rate in STANDARD]
    for rates in (named, STANDARD, hints):
        if found := _nearest(mean, rates, tolerance):
            return FrameRate(found, variable=len(regular) < len(steps))
    return FrameRate(mean.limit_denominator(1001), variable=len(regular) < len(steps))


def _nearest(mean: Fraction, rates: Sequence[Fraction], tolerance: float) -> Fraction | None:
    close = [rate for rate in rates if abs(rate / mean - 1) <= tolerance]
    return min(close, key=lambda rate: abs(rate - mean), default=None)
