"""A film's true frame rate, from the times of its frames. The header's rates only decide between close candidates.

Headers are often wrong: a phone's says 57600, a screen recorder's 1000, a field-coded file's twice the truth. If the
steps between frames are (nearly) all equal, the rate is constant and gets its exact name (24000/1001, not 23.98), so
that an hour does not drift. Otherwise the rate is variable, and the film gets the next standard rate above its median
step.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

STANDARD_RATES: Final = tuple(
    sorted(
        [Fraction(n) for n in (1, 2, 5, 8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 144, 240)]
        + [Fraction(n * 1000, 1001) for n in (12, 15, 24, 30, 48, 60, 120, 240)]
        + [Fraction(25, 2)]
    )
)
_VARIABLE_RATES: Final = tuple(Fraction(n) for n in (24, 25, 30, 48, 50, 60))
"""Output rates that a film of variable rate may get."""
STILL_RATE: Final = Fraction(5)
"""Of pictures that stand still: the lowest output rate. It is whole, so a segment lasts exactly 6 seconds; a slide changes within
0.1 s of its time; and an hour has a fifth of the frames of 25 a second."""
_MAX_STEP_SECONDS: Final = 1
"""A film whose frames usually last longer is a series of slides."""
_MAX_MOVING_SECONDS: Final = Fraction(1, 2)
_MIN_MOVING_STEPS: Final = 5
"""So many frames that last half a second or less are a moving part between slides: it decides the rate."""
_DEFAULT_RATE: Final = Fraction(25)
"""For a film of one frame whose header has no usable rate."""
_REGULAR_SHARE: Final = 0.9
"""Share of steps that must be regular for a constant rate."""
_JITTER: Final = 0.1
"""A step is regular if it differs from the median by at most this share of it."""
_MAX_TOLERANCE: Final = 5e-3
"""How far a named rate may be from the mean rate, as a share."""


class FrameRate(NamedTuple):
    """Frames per second. `variable`: not every step between frames is regular."""

    rate: Fraction
    variable: bool


def frame_rate(times: Sequence[int], time_base: Fraction, hints: Sequence[Fraction] = ()) -> FrameRate:
    """The rate of frames shown at `times`, in order and in units of `time_base`. `hints` are the header's rates."""
    steps = [b - a for a, b in pairwise(times) if b > a]
    if not steps:
        return FrameRate(next((hint for hint in hints if hint <= 240), _DEFAULT_RATE), variable=False)
    usual = median(steps)
    if usual * time_base > _MAX_STEP_SECONDS:
        moving = [step for step in steps if step * time_base <= _MAX_MOVING_SECONDS]
        if len(moving) >= _MIN_MOVING_STEPS:
            steps, usual = [*moving, steps[0]], median(moving)
    regular = [step for step in steps if abs(step - usual) <= max(_JITTER * usual, min(1, usual / 2))]
    if len(regular) < _REGULAR_SHARE * len(steps):
        about = 1 / (Fraction(usual) * time_base)
        if usual * time_base > _MAX_STEP_SECONDS:
            return FrameRate(STILL_RATE, variable=True)
        return FrameRate(
            next((rate for rate in _VARIABLE_RATES if rate >= about * Fraction(97, 100)), _VARIABLE_RATES[-1]), True
        )
    total = sum(regular) * time_base
    mean = len(regular) / total
    exact = max(regular) - min(regular) <= 1
    # A named rate must not drift by half a frame over the film. Inexact steps are a camera's jitter: more tolerance.
    drift = min(_MAX_TOLERANCE, 0.5 / len(regular))
    tolerance = max(drift if exact else _MAX_TOLERANCE, float(2 * time_base / total))
    named = [rate for rate in hints if rate in STANDARD_RATES]
    for rates in (named, STANDARD_RATES, hints):
        if found := _nearest(mean, rates, tolerance):
            return FrameRate(found, variable=len(regular) < len(steps))
    return FrameRate(mean.limit_denominator(1001), variable=len(regular) < len(steps))


def _nearest(mean: Fraction, rates: Sequence[Fraction], tolerance: float) -> Fraction | None:
    close = [rate for rate in rates if abs(rate / mean - 1) <= tolerance]
    return min(close, key=lambda rate: abs(rate - mean), default=None)
