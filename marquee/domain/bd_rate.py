"""The Bjøntegaard delta rate (BD-rate): how many more bits one ladder needs than another one at equal quality. Pure.

Formula: G. Bjøntegaard, "Calculation of average PSNR differences between RD-curves", ITU-T VCEG-M33 (2001): the logarithm of the
rate over the quality, integrated over the range of qualities that both curves reach; the mean difference, as a ratio of rates.
The curves are interpolated by PCHIP instead of one cubic, as AOM's common test conditions do: a cubic swings between points that
are far apart. `bench.media` and the analysis page use it.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple


class RatePoint(NamedTuple):
    """One encode: its rate, in any unit that both curves share, and its quality, for example VMAF."""

    rate: float
    quality: float


def bd_rate(reference: Iterable[RatePoint], tested: Iterable[RatePoint]) -> float:
    """By which share `tested` needs more bits than `reference` at equal quality: -0.2 means 20 % fewer.

    Points that another point of the same curve beats (no more bits, no less quality) are left out. Raises ValueError if a curve
    has fewer than two points then, or if the curves have no common range of qualities.
    """
    first, second = Pchip(_rising(reference)), Pchip(_rising(tested))
    low, high = max(first.low, second.low), min(first.high, second.high)
    if low >= high:
        raise ValueError(
            f"the curves reach qualities from {first.low:g} to {first.high:g} and from {second.low:g} to {second.high:g}: "
            "they have no range in common"
        )
    difference = (second.integral(low, high) - first.integral(low, high)) / (high - low)
    return math.expm1(difference)


def _rising(points: Iterable[RatePoint]) -> list[tuple[float, float]]:
    """(quality, logarithm of the rate), both strictly rising: a player has no use for any other point."""
    best: list[RatePoint] = []
    for point in sorted(points, key=lambda one: (one.rate, -one.quality)):
        if point.rate <= 0:
            raise ValueError(f"a rate must be positive, not {point.rate:g}")
        if not best or point.quality > best[-1].quality:
            best.append(point)
    if len(best) < 2:
        raise ValueError(f"a curve needs two points that rise in rate and quality, and has {len(best)}")
    return [(point.quality, math.log(point.rate)) for point in best]


class Pchip:
    """Piecewise cubic Hermite interpolation that keeps the points' monotony, as `scipy.interpolate.PchipInterpolator`.

    Slopes: F. N. Fritsch and J. Butland, "A method for constructing local monotone piecewise cubic interpolants", SIAM J. Sci.
    Stat. Comput. 5 (1984): inside the weighted harmonic mean of the neighbours' slopes, at both ends a three-point formula.
    SciPy is in the extra `analytics` alone: the chain must not need it.
    """

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        """`points` are (x, y), at least two; x rises strictly."""
        self._x = [x for x, _ in points]
        self._y = [y for _, y in points]
        widths = [b - a for a, b in pairwise(self._x)]
        if not widths or min(widths) <= 0:
            raise ValueError("PCHIP needs two points or more, and their x must rise")
        slopes = [(b - a) / width for (a, b), width in zip(pairwise(self._y), widths, strict=True)]
        self._slopes = _slopes_at_points(widths, slopes)

    @property
    def low(self) -> float:
        return self._x[0]

    @property
    def high(self) -> float:
        return self._x[-1]

    def __call__(self, x: float) -> float:
        """The value at `x`. Outside of the points the outermost piece goes on."""
        piece, t = self._place(x)
        width = self._x[piece + 1] - self._x[piece]
        c0, c1, c2, c3 = self._cubic(piece, width)
        return c0 + t * (c1 + t * (c2 + t * c3))

    def integral(self, low: float, high: float) -> float:
        """The integral from `low` to `high`."""
        return self._integral_to(high) - self._integral_to(low)

    def _integral_to(self, x: float) -> float:
        last, t = self._place(x)
        total = 0.0
        for piece in range(last + 1):
            width = self._x[piece + 1] - self._x[piece]
            end = t if piece == last else 1.0
            c0, c1, c2, c3 = self._cubic(piece, width)
            total += width * end * (c0 + end * (c1 / 2 + end * (c2 / 3 + end * c3 / 4)))
        return total

    def _place(self, x: float) -> tuple[int, float]:
        """The piece that holds `x`, and where in it: 0 at its begin, 1 at its end."""
        piece = min(max(0, bisect_right(self._x, x) - 1), len(self._x) - 2)
        return piece, (x - self._x[piece]) / (self._x[piece + 1] - self._x[piece])

    def _cubic(self, piece: int, width: float) -> tuple[float, float, float, float]:
        """The coefficients of the piece's cubic, the constant first, over 0 to 1."""
        rise = self._y[piece + 1] - self._y[piece]
        begin, end = self._slopes[piece] * width, self._slopes[piece + 1] * width
        return self._y[piece], begin, 3 * rise - 2 * begin - end, begin + end - 2 * rise


def _slopes_at_points(widths: Sequence[float], slopes: Sequence[float]) -> list[float]:
    """The interpolant's slope at each point."""
    if len(slopes) == 1:
        return [slopes[0], slopes[0]]
    inside = []
    for (h0, h1), (d0, d1) in zip(pairwise(widths), pairwise(slopes), strict=True):
        w0, w1 = 2 * h1 + h0, h1 + 2 * h0
        inside.append((w0 + w1) / (w0 / d0 + w1 / d1) if d0 * d1 > 0 else 0.0)
    first = _slope_at_end(widths[0], widths[1], slopes[0], slopes[1])
    return [first, *inside, _slope_at_end(widths[-1], widths[-2], slopes[-1], slopes[-2])]


def _slope_at_end(h0: float, h1: float, d0: float, d1: float) -> float:
    """The three-point formula at the end, bounded so that the curve keeps the points' monotony."""
    slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    if slope * d0 <= 0:
        return 0.0
    if d0 * d1 <= 0 and abs(slope) > 3 * abs(d0):
        return 3 * d0
    return slope
