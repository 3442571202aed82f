"""Which level of its codec a rung claims: decoders decide by it whether they can play the rung. Pure.

Levels come from the codecs' own tables: ITU-T H.264 table A-1, ITU-T H.265 tables A.8 and A.9, AV1 annex A.3 (main tiers).
`ladder` asks for the lowest level that allows picture, rate and peak bitrate. Encoders are told it and the manifests name it.
"""

import math
from fractions import Fraction
from typing import Final, NamedTuple

from marquee.documents import Codec


class Level(NamedTuple):
    """The limits of one H.264 level: picture, rate and decoded frames, in macroblocks of 16 x 16 pixels."""

    name: str
    macroblocks_per_second: int
    macroblocks_per_frame: int
    bits_per_second: int
    decoded_buffer_macroblocks: int


H264_LEVELS: Final = (
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


class PictureLevel(NamedTuple):
    """The limits of one HEVC or AV1 level: picture, side and shown pixels a second in luma samples, and bits a second."""

    name: str
    pixels: int
    longest_side: int
    pixels_per_second: int
    bits_per_second: int


HEVC_LEVELS: Final = (
    PictureLevel("1.0", 36_864, 543, 552_960, 128_000),
    PictureLevel("2.0", 122_880, 991, 3_686_400, 1_500_000),
    PictureLevel("2.1", 245_760, 1402, 7_372_800, 3_000_000),
    PictureLevel("3.0", 552_960, 2103, 16_588_800, 6_000_000),
    PictureLevel("3.1", 983_040, 2804, 33_177_600, 10_000_000),
    PictureLevel("4.0", 2_228_224, 4222, 66_846_720, 12_000_000),
    PictureLevel("4.1", 2_228_224, 4222, 133_693_440, 20_000_000),
    PictureLevel("5.0", 8_912_896, 8444, 267_386_880, 25_000_000),
    PictureLevel("5.1", 8_912_896, 8444, 534_773_760, 40_000_000),
    PictureLevel("5.2", 8_912_896, 8444, 1_069_547_520, 60_000_000),
)
"""The longest side is the root of 8 x `pixels` (A.4.1)."""
AV1_LEVELS: Final = (
    PictureLevel("2.0", 147_456, 2048, 4_423_680, 1_500_000),
    PictureLevel("2.1", 278_784, 2816, 8_363_520, 3_000_000),
    PictureLevel("3.0", 665_856, 4352, 19_975_680, 6_000_000),
    PictureLevel("3.1", 1_065_024, 5504, 31_950_720, 10_000_000),
    PictureLevel("4.0", 2_359_296, 6144, 70_778_880, 12_000_000),
    PictureLevel("4.1", 2_359_296, 6144, 141_557_760, 20_000_000),
    PictureLevel("5.0", 8_912_896, 8192, 267_386_880, 30_000_000),
    PictureLevel("5.1", 8_912_896, 8192, 534_773_760, 40_000_000),
    PictureLevel("5.2", 8_912_896, 8192, 1_069_547_520, 60_000_000),
)


def level_of(codec: Codec, width: int, height: int, rate: Fraction, bits_per_second: int) -> str:
    """The lowest level of `codec` that allows this picture, rate and peak bitrate; the highest one if none does."""
    if codec == "h264":
        return level_for(width, height, rate, bits_per_second)
    levels = HEVC_LEVELS if codec == "hevc" else AV1_LEVELS
    for level in levels:
        if (
            width * height <= level.pixels
            and max(width, height) <= level.longest_side
            and width * height * rate <= level.pixels_per_second
            and bits_per_second <= level.bits_per_second
        ):
            return level.name
    return levels[-1].name


def level_for(width: int, height: int, rate: Fraction, bits_per_second: int) -> str:
    """The lowest H.264 level (table A-1) that allows this picture, rate and peak bitrate in High profile."""
    across, down = math.ceil(width / 16), math.ceil(height / 16)
    macroblocks = across * down
    for level in H264_LEVELS:
        side = math.isqrt(8 * level.macroblocks_per_frame)
        if (
            macroblocks <= level.macroblocks_per_frame
            and max(across, down) <= side
            and macroblocks * rate <= level.macroblocks_per_second
            and bits_per_second <= level.bits_per_second * _HIGH_PROFILE_FACTOR
            and macroblocks * _DECODED_FRAMES <= level.decoded_buffer_macroblocks
        ):
            return level.name
    return H264_LEVELS[-1].name
