"""The fixed H.264 ladder, as typed data, and which of its rungs a source gets.

Lines and bitrates come from Apple's "HLS Authoring Specification for Apple Devices": the table of H.264 bit rates for
16:9 at up to 30 fps. The table has two rates for 432, 720 and 1080 lines; the ladder uses the one that keeps its steps
even. Faster films get more bits (`rate_factor`), and so does a rung that misses the platform's floor (`raised`, once).

A rung is a 16:9 frame, upright or lying, and the picture is fitted into it. So a portrait film has the same ladder as a
landscape one, and a wide film (2.39:1) keeps within the step's pixels, bits and H.264 level. No rung is larger than the
source. A source between two steps gets one native rung on top, with a bitrate interpolated by its lines.
"""

import math
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

from marquee.documents import Rung


class Step(NamedTuple):
    """One step of the ladder: the lines of its 16:9 frame, and the target average bitrate."""

    lines: int
    bitrate_bps: int


LADDER: Final = (
    Step(234, 145_000),
    Step(360, 365_000),
    Step(432, 730_000),
    Step(540, 2_000_000),
    Step(720, 4_500_000),
    Step(1080, 7_800_000),
)
MIN_NATIVE_RATIO: Final = Fraction(103, 100)
"""A source gets a native rung if its lines are more than this multiple of the highest rung's lines."""
PEAK_FACTOR: Final = 1.25
"""VBV maximum / average rate. Demanding film averages near the rate; its peaks then stay well below Apple's 200 %."""
BUFFER_SECONDS: Final = 2
"""Size of the VBV buffer, in seconds of the VBV maximum."""
APPLE_RATE: Final = 30
"""Frames per second up to which Apple's bitrates hold."""
DOUBLE_RATE_FACTOR: Final = 1.5
"""How many times the bits a film of twice the frame rate gets: neighbours differ less. YouTube's recommended upload settings have
it: 5 and 7.5 Mbit/s at 720 lines, 8 and 12 Mbit/s at 1080, for up to 30 and for up to 60 frames a second."""
SMALL_EXPONENT: Final = 1.5
"""Below the first step the bitrate falls with the lines to this power: with the pixels to the power of 0.75, the usual rule of
thumb for scaling an encoder's bitrate. The slope of Apple's own first steps is steeper, and left 83 kbit/s to 180 lines."""
RAISE_FACTOR: Final = 3
"""A rung below the platform's floor gets this many times its bits, once."""
MAX_RAISED_BPS: Final = 12_000_000
"""... but no more than this at up to 30 frames a second: 1.5 times the ladder's highest step."""
_ASPECT: Final = Fraction(16, 9)


class Level(NamedTuple):
    """The limits of one H.264 level: picture, rate and decoded frames, in macroblocks of 16 x 16 pixels."""

    name: str
    macroblocks_per_second: int
    macroblocks_per_frame: int
    bits_per_second: int
    decoded_buffer_macroblocks: int


LEVELS: Final = (
    Level("1.0", 1_485, 99, 64_000, 396),
    Level("1.1", 3_000, 396, 192_000, 900),
    Level("1.2", 6_000, 396, 384_000, 2_376),
    Level("1.3", 11_880, 396, 768_000, 2_376),
    Level("2.0", 11_880, 396, 2_000_000, 2_376),
    Level("2.1", 19_800, 792, 4_000_000, 4_752),
    Level("2.2", 20_250, 1_620, 4_000_000, 8_100),
    Level("3.0", 40_500, 1_620, 10_000_000, 8_100),
    Level("3.1", 108_000, 3_600, 14_000_000, 18_000),
    Level("3.2", 216_000, 5_120, 20_000_000, 20_480),
    Level("4.0", 245_760, 8_192, 20_000_000, 32_768),
    Level("4.1", 245_760, 8_192, 50_000_000, 32_768),
    Level("4.2", 522_240, 8_704, 50_000_000, 34_816),
    Level("5.0", 589_824, 22_080, 135_000_000, 110_400),
    Level("5.1", 983_040, 36_864, 240_000_000, 184_320),
    Level("5.2", 2_073_600, 36_864, 240_000_000, 184_320),
)
"""ITU-T H.264 table A-1. The bit rates are for Baseline and Main; High may have 1.25 times as much."""
_HIGH_PROFILE_FACTOR: Final = 1.25
_DECODED_FRAMES: Final = 4
"""Frames that x264 keeps decoded with presets up to `medium`: three references and one pyramid B frame."""


def even(value: float | Fraction) -> int:
    """The nearest even number of pixels, at least 2: 4:2:0 has one colour sample for two by two pixels."""
    return max(2, 2 * round(value / 2))


def even_within(value: float | Fraction) -> int:
    """The largest even number of pixels that is not above `value`, rounded to a whole pixel; at least 2.

    An odd edge loses its last line: no pixel is invented.
    """
    return max(2, round(value) // 2 * 2)


def level_for(width: int, height: int, rate: Fraction, bits_per_second: int) -> str:
    """The lowest H.264 level (table A-1) that allows this picture, rate and peak bitrate in High profile."""
    across, down = math.ceil(width / 16), math.ceil(height / 16)
    macroblocks = across * down
    for level in LEVELS:
        side = math.isqrt(8 * level.macroblocks_per_frame)
        if (
            macroblocks <= level.macroblocks_per_frame
            and max(across, down) <= side
            and macroblocks * rate <= level.macroblocks_per_second
            and bits_per_second <= level.bits_per_second * _HIGH_PROFILE_FACTOR
            and macroblocks * _DECODED_FRAMES <= level.decoded_buffer_macroblocks
        ):
            return level.name
    return LEVELS[-1].name


def _interpolated(lines: float) -> float:
    """Bitrate of a picture of `lines`, interpolated linearly between the ladder's steps on logarithmic axes."""
    first = LADDER[0]
    if lines < first.lines:
        return first.bitrate_bps * math.pow(lines / first.lines, SMALL_EXPONENT)
    points = [(math.log(step.lines), math.log(step.bitrate_bps)) for step in LADDER]
    x = math.log(lines)
    steps = list(pairwise(points))
    (x0, y0), (x1, y1) = next((step for step in steps if x <= step[1][0]), steps[-1])
    return math.exp(y0 + (y1 - y0) * (x - x0) / (x1 - x0))


def rate_factor(rate: Fraction) -> float:
    """How many times the bits of Apple's table a film of `rate` frames per second gets: 1 up to 30, 1.5 at 60."""
    return math.pow(DOUBLE_RATE_FACTOR, math.log2(max(1.0, float(rate / APPLE_RATE))))


def raised(rung: Rung, rate: Fraction) -> Rung:
    """The rung with `RAISE_FACTOR` times its bits, within `MAX_RAISED_BPS`; never fewer than it has."""
    most = MAX_RAISED_BPS * rate_factor(rate)
    bits = max(float(rung.bitrate_bps), min(RAISE_FACTOR * rung.bitrate_bps, most))
    return _rung(rung.name, rung.width, rung.height, rate, bits / rate_factor(rate))


def _rung(name: str, width: int, height: int, rate: Fraction, bitrate: float) -> Rung:
    """A rung of `bitrate` bits a second at up to 30 frames a second; faster films get more."""
    bitrate_bps = max(50_000, round(bitrate * rate_factor(rate) / 1000) * 1000)
    peak = round(bitrate_bps * PEAK_FACTOR)
    return Rung(
        name=name,
        width=width,
        height=height,
        bitrate_bps=bitrate_bps,
        max_bitrate_bps=peak,
        buffer_bits=peak * BUFFER_SECONDS,
        level=level_for(width, height, rate, peak),
    )


def rungs_for(width: int, height: int, rate: Fraction) -> list[Rung]:
    """The rungs of a source shown at `width` x `height` square pixels and encoded at `rate`, the smallest first.

    No rung is above the source. A source smaller than the first step has one native rung.
    """
    lines = max(Fraction(min(width, height)), Fraction(max(width, height)) / _ASPECT)
    rungs = []
    for step in LADDER:
        if step.lines > lines:
            break
        size = (even(width * step.lines / lines), even(height * step.lines / lines))
        rungs.append(_rung(f"{step.lines}p", *size, rate, step.bitrate_bps))
    top = LADDER[len(rungs) - 1].lines if rungs else 0
    if lines < LADDER[-1].lines and lines > top * MIN_NATIVE_RATIO:
        rungs.append(_rung(f"{round(lines)}p", even(width), even(height), rate, _interpolated(float(lines))))
    return rungs
