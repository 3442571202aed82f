"""The typed form of an encoding profile. Pure: `loading` reads it from YAML, `media.encode.plan` turns it into a plan.

Every field has its bounds in its type: the loader's errors name them. A field that a later release adds gets a default, and
defaults are left out of the hash: an upgrade makes no title stale. One video a codec; all videos share GOPs and segments,
because players switch between them at segment boundaries.
"""

import hashlib
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from marquee.documents import AudioBitrates, Codec, ProfileName

SoftwarePreset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"
]
"""Presets that x264 and x265 share by name."""
Crf51 = Annotated[int, Meta(ge=1, le=51)]
BitDepth = Literal[8, 10]
TRIED_PRESETS: Final = ("veryfast", "medium")
"""x264's presets for which trials let a ladder be expected: `media.ladder.model.CALIBRATIONS` holds what was measured."""

DEFAULT_LINES: Final = (234, 360, 432, 540, 720, 1080)
"""The picture sizes of Apple's table for 16:9, by their lines."""
DEFAULT_GOPS_PER_SEGMENT: Final = 3
MIN_SEGMENT_SECONDS: Final = 2.0
MAX_SEGMENT_SECONDS: Final = 10.0


class _Video(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the codecs have in common: constant quality below a maximum rate (VBV), and for which pictures.

    The rate of a fixed ladder's rung is that of the H.264 table x `bitrate_share`. Its maximum is that x `peak_factor`.
    """

    bitrate_share: Annotated[float, Meta(ge=0.1, le=2)] = 1.0
    peak_factor: Annotated[float, Meta(ge=1, le=3)] = 1.25
    buffer_seconds: Annotated[float, Meta(ge=0.5, le=10)] = 2.0
    """Size of the VBV buffer, in seconds of the maximum rate."""
    optional: bool = False
    """A failed encode is a note, and the title is published without this codec."""
    max_lines: Annotated[int, Meta(ge=16, le=2160)] = 2160
    """Rungs above this are not made in this codec."""


class H264Video(_Video, tag_field="codec", tag="h264", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """H.264 by x264, High profile, 8 bit: what every client plays."""

    preset: SoftwarePreset
    crf: Crf51 = 21

    @property
    def codec(self) -> Codec:
        return "h264"

    @property
    def bit_depth(self) -> BitDepth:
        return 8


class HevcVideo(_Video, tag_field="codec", tag="hevc", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """HEVC by x265, as `hvc1`: Apple's devices and televisions."""

    preset: SoftwarePreset
    crf: Crf51
    bit_depth: BitDepth = 8

    @property
    def codec(self) -> Codec:
        return "hevc"


class Av1Video(_Video, tag_field="codec", tag="av1", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """AV1 by SVT-AV1. `preset` is 0 (slowest) to 13."""

    preset: Annotated[int, Meta(ge=0, le=13)]
    crf: Annotated[int, Meta(ge=1, le=63)]
    bit_depth: BitDepth = 10
    film_grain: Annotated[int, Meta(ge=0, le=50)] = 0
    """Strength of grain that the decoder adds instead of the source's. 0: none; VMAF cannot judge added grain."""

    @property
    def codec(self) -> Codec:
        return "av1"


VideoProfile = H264Video | HevcVideo | Av1Video


class QualityTargets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a ladder by title aims at. VMAF is 0 to 100."""

    highest_vmaf: Annotated[float, Meta(ge=50, le=100)] = 95.0
    """The top rung: above it viewers see no difference."""
    step_vmaf: Annotated[float, Meta(ge=1, le=30)] = 6.0
    """Between neighbours: one just-noticeable difference is about 6."""
    lowest_bitrate_bps: Annotated[int, Meta(ge=50_000, le=2_000_000)] = 145_000
    """The lowest rung's average: with sound for slow lines it fits a line of 0.3 Mbit/s."""


class AudioProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """AAC-LC, in bits a second: `AudioBitrates` with bounds."""

    stereo_bps: Annotated[int, Meta(ge=32_000, le=512_000)] = 128_000
    surround_bps: Annotated[int, Meta(ge=96_000, le=1_024_000)] = 384_000
    low_bps: Annotated[int, Meta(ge=32_000, le=128_000)] = 64_000
    """Stereo for slow lines."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An encoding profile."""

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,39}$")]
    description: Annotated[str, Meta(max_length=400)] = ""
    ladder: Literal["fixed", "by-title"] = "fixed"
    """`fixed`: the rates of Apple's table. `by-title`: sizes and rates are chosen for each title by trials."""
    lines: Annotated[tuple[Annotated[int, Meta(ge=16, le=2160)], ...], Meta(min_length=1, max_length=16)] = (
        DEFAULT_LINES
    )
    """The picture sizes that a ladder may have, by the lines of their 16:9 frame."""
    gop_seconds: Annotated[float, Meta(ge=0.5, le=5)] = 2.0
    gops_per_segment: Annotated[int, Meta(ge=1, le=12)] = DEFAULT_GOPS_PER_SEGMENT
    videos: Annotated[list[VideoProfile], Meta(min_length=1, max_length=3)]
    quality: QualityTargets = QualityTargets()
    audio: AudioProfile = AudioProfile()

    @property
    def hash(self) -> str:
        """The identity: SHA-256 of everything but name and description. Equal hashes give equal renditions."""
        told = {name: value for name, value in _told(self).items() if name not in {"name", "description"}}
        return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()

    @property
    def identity(self) -> ProfileName:
        """Name and hash, as documents and the version's row have them."""
        return ProfileName(name=self.name, hash=self.hash)

    @property
    def bitrates(self) -> AudioBitrates:
        """What the sound is encoded with."""
        return AudioBitrates(**msgspec.structs.asdict(self.audio))

    @property
    def codecs(self) -> list[Codec]:
        return [one.codec for one in self.videos]


def _told(one: msgspec.Struct) -> dict[str, object]:
    """The fields that are not at their defaults. A default that is written out changes nothing."""
    told: dict[str, object] = {}
    for field in msgspec.structs.fields(one):
        value = getattr(one, field.name)
        if value == field.default:
            continue
        told[field.name] = (
            _told(value)
            if isinstance(value, msgspec.Struct)
            else [_told(each) if isinstance(each, msgspec.Struct) else each for each in value]
            if isinstance(value, list | tuple)
            else value
        )
    tag = one.__struct_config__.tag
    return {**told, "codec": tag} if tag else told


def profile_fault(profile: Profile) -> tuple[tuple[str | int, ...], str] | None:
    """(path of the field, what is wrong and what to do) of the first rule that one field alone cannot break; None: no fault."""
    codecs = profile.codecs
    if codecs[0] != "h264" or profile.videos[0].optional:
        return ("videos", 0), "the first video must be H.264 and not optional: every client can play it. Put it first."
    preset = profile.videos[0].preset
    if profile.ladder == "by-title" and preset not in TRIED_PRESETS:
        return ("videos", 0, "preset"), (
            f"no trials tell what {preset} gives, so it has no ladder by title. Give one of {', '.join(TRIED_PRESETS)}, or "
            "write `ladder: fixed`."
        )
    for index, codec in enumerate(codecs):
        if codec in codecs[:index]:
            return ("videos", index, "codec"), f"{codec} is given twice. Remove one of the two."
    for index, (before, lines) in enumerate(zip(profile.lines, profile.lines[1:], strict=False)):
        if lines <= before:
            return ("lines", index + 1), f"{lines} does not follow {before}. List each number once, from low to high."
    for index, video in enumerate(profile.videos):
        if video.max_lines < profile.lines[0]:
            return (
                ("videos", index, "max_lines"),
                f"{video.max_lines} leaves no rung, because the lowest has {profile.lines[0]} lines. Raise it.",
            )
    segment = profile.gop_seconds * profile.gops_per_segment
    if not MIN_SEGMENT_SECONDS <= segment <= MAX_SEGMENT_SECONDS:
        given = "gop_seconds" if profile.gops_per_segment == DEFAULT_GOPS_PER_SEGMENT else "gops_per_segment"
        return (
            (given,),
            f"a segment would last {segment:g} s. Choose gop_seconds x gops_per_segment from {MIN_SEGMENT_SECONDS:g} to "
            f"{MAX_SEGMENT_SECONDS:g} s: players expect about 6.",
        )
    return None
