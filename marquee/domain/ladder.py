"""The fixed ladder, as typed data: which of its rungs a source gets, and what they are in each codec of a profile.

Lines and bitrates come from Apple's "HLS Authoring Specification for Apple Devices": the table of H.264 bit rates for
16:9 at up to 30 fps. The table has two rates for 432, 720 and 1080 lines; the ladder uses the one that keeps its steps
even. Faster films get more bits (`rate_factor`), and so does a rung that misses the platform's floor (`raised`, once).
A profile may name other lines: their rates are interpolated. Other codecs have the same sizes, with a share of the bits.

A rung is a 16:9 frame, upright or lying, and the picture is fitted into it. So a portrait film has the same ladder as a
landscape one, and a wide film (2.39:1) keeps within the step's pixels, bits and H.264 level. No rung is larger than the
source. A source between two steps gets one native rung on top, with a bitrate interpolated by its lines.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import msgspec

from marquee.documents import Rung
from marquee.domain.levels import level_of
from marquee.profiles.contract import DEFAULT_LINES, VideoProfile


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
_RATES: Final = {step.lines: step.bitrate_bps for step in LADDER}
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
MIN_BITRATE_BPS: Final = 50_000
_ASPECT: Final = Fraction(16, 9)


def even(value: float | Fraction) -> int:
    """The nearest even number of pixels, at least 2: 4:2:0 has one colour sample for two by two pixels."""
    return max(2, 2 * round(value / 2))


def even_within(value: float | Fraction) -> int:
    """The largest even number of pixels that is not above `value`, rounded to a whole pixel; at least 2.

    An odd edge loses its last line: no pixel is invented.
    """
    return max(2, round(value) // 2 * 2)


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
    return _with_bits(
        rung,
        rate,
        bits,
        peak_factor=rung.max_bitrate_bps / rung.bitrate_bps,
        buffer_seconds=rung.buffer_bits / rung.max_bitrate_bps,
    )


def in_codec(rungs: Sequence[Rung], video: VideoProfile, rate: Fraction) -> list[Rung]:
    """The H.264 `rungs` as `video` of a profile has them: those up to its lines, with its share of the bits.

    None of another codec may be left. H.264 always has the lowest: every title has a rung.
    """
    suffix = "" if video.codec == "h264" else f"-{video.codec}"
    return [
        _with_bits(
            msgspec.structs.replace(
                rung,
                name=rung.name + suffix,
                codec=video.codec,
                bit_depth=video.bit_depth,
                profile=_profile_of(video),
            ),
            rate,
            rung.bitrate_bps * video.bitrate_share,
            peak_factor=video.peak_factor,
            buffer_seconds=video.buffer_seconds,
        )
        for index, rung in enumerate(rungs)
        if (index == 0 and video.codec == "h264")
        # Both sides are rounded to even numbers: a rung may have up to one line more than its step.
        or frame_lines(rung.width, rung.height) <= video.max_lines + 1
    ]


def _profile_of(video: VideoProfile) -> Literal["main", "high", "main10"]:
    if video.codec == "h264":
        return "high"
    # AV1's Main profile has both bit depths.
    return "main10" if video.codec == "hevc" and video.bit_depth == 10 else "main"


def _with_bits(rung: Rung, rate: Fraction, bits: float, *, peak_factor: float, buffer_seconds: float) -> Rung:
    """The rung with an average of `bits` a second, and what follows from that: its maximum, its buffer, its level."""
    bitrate_bps = max(MIN_BITRATE_BPS, round(bits / 1000) * 1000)
    peak = round(bitrate_bps * peak_factor)
    return msgspec.structs.replace(
        rung,
        bitrate_bps=bitrate_bps,
        max_bitrate_bps=peak,
        buffer_bits=round(peak * buffer_seconds),
        level=level_of(rung.codec, rung.width, rung.height, rate, peak),
    )


def frame_lines(width: int, height: int) -> Fraction:
    """The lines of the 16:9 frame, upright or lying, into which a picture is fitted."""
    return max(Fraction(min(width, height)), Fraction(max(width, height)) / _ASPECT)


def _rung(name: str, width: int, height: int, rate: Fraction, bitrate: float) -> Rung:
    """A rung of `bitrate` bits a second at up to 30 frames a second; faster films get more."""
    empty = Rung(name=name, width=width, height=height, bitrate_bps=0, max_bitrate_bps=0, buffer_bits=0)
    return _with_bits(empty, rate, bitrate * rate_factor(rate), peak_factor=PEAK_FACTOR, buffer_seconds=BUFFER_SECONDS)


def rungs_for(width: int, height: int, rate: Fraction, steps: Sequence[int] = DEFAULT_LINES) -> list[Rung]:
    """The H.264 rungs of a source shown at `width` x `height` square pixels and encoded at `rate`, the smallest first.

    `steps` are the ladder's lines, rising. No rung is above the source. A source smaller than the first step has one native rung.
    """
    lines = frame_lines(width, height)
    rungs = []
    for step in steps:
        if step > lines:
            break
        size = (even(width * step / lines), even(height * step / lines))
        rungs.append(_rung(f"{step}p", *size, rate, _RATES.get(step) or _interpolated(step)))
    top = steps[len(rungs) - 1] if rungs else 0
    if lines < steps[-1] and lines > top * MIN_NATIVE_RATIO:
        rungs.append(_rung(f"{round(lines)}p", even(width), even(height), rate, _interpolated(float(lines))))
    return rungs
