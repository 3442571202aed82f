"""From a few trials to every encode that a title could have: its bitrate and VMAF, as expected at the profile's preset. Pure.

Along the CRF, the logarithm of the bitrate and that of what VMAF lacks are nearly straight lines, and their slopes hardly differ
between neighbouring sizes. So the largest two sizes are tried at two CRFs and the others at one. (No size is interpolated between
others: a size that is expected to be a little better than it is, is chosen.)

`CALIBRATIONS` says how the trials' fast preset differs from the profile's. `hull` chooses among the candidates.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from marquee.domain.bd_rate import Pchip
from marquee.domain.hull import Candidate
from marquee.media.ladder.trial_scores import Trial

Size = tuple[int, int]

CRFS: Final = range(17, 43)
"""The CRFs that a rung may have. Below, x264 spends bits that nobody sees; above, a smaller picture is better."""
_TRIED_CRFS: Final = ((20, 32), (20, 32))
"""Of the largest and of the second size."""
_OTHER_CRF: Final = 25
_PERFECT: Final = 101.0
"""VMAF ends at 100, and is seldom reached: the logarithm is of the distance to this."""
_MIN_MISSING: Final = 0.5
_MIN_SCALED_CRF: Final = 19
"""Of a size below the largest: bits beyond that are better spent on more pixels."""


class Calibration(NamedTuple):
    """The profile's preset as a shift of the trials' CRF, at two CRFs; between and beyond them linear.

    x264's `medium` at CRF q has the bitrate of `veryfast` at q - `rate`, and the VMAF of `veryfast` at q - `quality`.
    """

    crfs: tuple[float, float]
    rate: tuple[float, float]
    quality: tuple[float, float]

    def shifts(self, crf: float) -> tuple[float, float]:
        """(of the bitrate, of the quality)"""
        share = min(1.25, max(-0.25, (crf - self.crfs[0]) / (self.crfs[1] - self.crfs[0])))
        rate, quality = ((ends[0] + share * (ends[1] - ends[0])) for ends in (self.rate, self.quality))
        return rate, quality


NONE: Final = Calibration((20, 36), (0.0, 0.0), (0.0, 0.0))
"""For trials that were made with the profile's own preset."""
MEDIUM: Final = Calibration((20, 36), (0.9, 2.5), (2.5, 3.6))
"""Medians over ten clips at three to five sizes and CRF 20, 28, 36 (x264 core 165): 0.9, 1.7, 2.6 and 2.3, 3.5, 3.3, with
standard deviations of 0.6 to 1.2. A shift hardly depends on size and content. A factor of the bitrate or points of VMAF do."""
CALIBRATIONS: Final[Mapping[str, Calibration]] = {"veryfast": NONE, "medium": MEDIUM}
"""By the profile's preset of x264. `profiles.contract.TRIED_PRESETS` lets a profile have no other one."""


class Point(NamedTuple):
    """What one trial showed."""

    trial: Trial
    bitrate_bps: float
    vmaf: float


class _Curve(NamedTuple):
    """One size: logarithms of the bitrate and of what VMAF lacks, over the CRF."""

    log_pixels: float
    log_rate: Pchip
    log_missing: Pchip


def worthwhile(sizes: Sequence[Size]) -> list[Size]:
    """The sizes without those that are nearly the largest: 432 lines of 480 save few bits, and each size costs a trial."""
    falling = _by_pixels(sizes)[::-1]
    return [falling[0], *(one for one in falling[1:] if _pixels(falling[0]) >= _MIN_PIXELS_RATIO * _pixels(one))][::-1]


_MIN_PIXELS_RATIO: Final = 1.3


def tried(sizes: Sequence[Size]) -> list[Trial]:
    """The trials of a title whose ladder may have these sizes."""
    falling = _by_pixels(sizes)[::-1]
    crfs = [*_TRIED_CRFS, *[(_OTHER_CRF,)] * len(falling)]
    return [Trial(*size, crf) for size, some in zip(falling, crfs, strict=False) for crf in some]


def expected(points: Iterable[Point], sizes: Sequence[Size], calibration: Calibration) -> list[Candidate]:
    """Every size at every CRF, as expected at the profile's preset. Raises ValueError without points."""
    curves = _curves(points)
    largest = max(sizes, key=_pixels)
    return [
        Candidate(*size, crf, *_at(curves, size, crf, calibration))
        for size in sizes
        for crf in CRFS
        if size == largest or crf >= _MIN_SCALED_CRF
    ]


def expected_at(points: Iterable[Point], size: Size, crf: int, max_bps: float, calibration: Calibration) -> Candidate:
    """One encode under a maximum rate: where the CRF would exceed it, the quality is that of the CRF which just does not."""
    curves = _curves(points)
    for value in range(crf, 52):
        bits, vmaf = _at(curves, size, value, calibration)
        if bits <= max_bps:
            break
    return Candidate(*size, crf, min(bits, max_bps), vmaf)


def _curves(points: Iterable[Point]) -> list[_Curve]:
    """The tried sizes' curves at the trials' preset, from the smallest to the largest."""
    of_size: dict[Size, list[tuple[int, float, float]]] = {}
    for one in points:
        logs = math.log(max(1.0, one.bitrate_bps)), math.log(max(_MIN_MISSING, _PERFECT - one.vmaf))
        of_size.setdefault((one.trial.width, one.trial.height), []).append((one.trial.crf, *logs))
    if not of_size:
        raise ValueError("a title's encodes cannot be expected without a trial")
    rate_slope, missing_slope, missing_at = _USUAL
    curves = []
    for size in _by_pixels(of_size)[::-1]:
        found = sorted(of_size[size])
        if len(found) == 1:
            crf, rate, missing = found[0]
            slope = missing_slope * math.exp(_MISSING_EXPONENT * min(0.0, missing_at - missing))
            found.append((crf + 8, rate + 8 * rate_slope, missing + 8 * slope))
        else:
            width = found[-1][0] - found[0][0]
            rate_slope = (found[-1][1] - found[0][1]) / width
            missing_slope = (found[-1][2] - found[0][2]) / width
            missing_at = (found[0][2] + found[-1][2]) / 2
        curves.append(
            _Curve(
                math.log(_pixels(size)),
                Pchip([(crf, rate) for crf, rate, _ in found]),
                Pchip([(crf, missing) for crf, _, missing in found]),
            )
        )
    return curves[::-1]


_USUAL: Final = (-0.145, 0.11, math.log(20))
"""Of a typical clip: how the logarithms of the bitrate and of what VMAF lacks change with each CRF, and the latter's middle."""
_MISSING_EXPONENT: Final = 0.6
"""A smaller size lacks more from the start, and a CRF adds less to it: with what it lacks to this power (five clips)."""


def _at(curves: Sequence[_Curve], size: Size, crf: float, calibration: Calibration) -> tuple[float, float]:
    """Bitrate and VMAF of one encode at the profile's preset."""
    x = math.log(_pixels(size))
    above = next((number for number, one in enumerate(curves) if one.log_pixels >= x - 1e-9), len(curves) - 1)
    low, high = curves[max(0, above - 1)], curves[above]
    width = high.log_pixels - low.log_pixels
    share = (x - low.log_pixels) / width if width > 0 else 1.0
    shifts = calibration.shifts(crf)
    rates = [_straight(one.log_rate, crf - shifts[0]) for one in (low, high)]
    missing = [_straight(one.log_missing, crf - shifts[1]) for one in (low, high)]
    vmaf = _PERFECT - math.exp(missing[0] + share * (missing[1] - missing[0]))
    return math.exp(rates[0] + share * (rates[1] - rates[0])), min(100.0, max(0.0, vmaf))


def _straight(curve: Pchip, crf: float) -> float:
    """The curve, continued beyond its points with the slope between its first and its last one."""
    if curve.low <= crf <= curve.high:
        return curve(crf)
    slope = (curve(curve.high) - curve(curve.low)) / (curve.high - curve.low)
    end = curve.low if crf < curve.low else curve.high
    return curve(end) + slope * (crf - end)


def _by_pixels(sizes: Iterable[Size]) -> list[Size]:
    return sorted(set(sizes), key=_pixels)


def _pixels(size: Size) -> int:
    return size[0] * size[1]
