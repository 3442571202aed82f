"""What `plan` decides about a film: its ladder, its frame grid, its chunks and its encoder settings.

The settings are hashed into the identity of each chunk's job (`renditions.ChunkJob`). So a chunk with equal settings,
range and master is encoded once, even if two titles ask for it.
"""

from fractions import Fraction
from typing import Literal

import msgspec

from marquee.notes import Note

Codec = Literal["h264", "hevc", "av1"]


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the ladder. `bitrate_bps` is the target average, `max_bitrate_bps` the VBV maximum."""

    name: str
    width: int
    height: int
    bitrate_bps: int
    max_bitrate_bps: int
    buffer_bits: int
    codec: Codec = "h264"
    profile: Literal["baseline", "main", "high", "main10"] = "high"
    """The codec's own: H.264 has `high`, HEVC `main` or `main10`, AV1 `main` for both bit depths."""
    level: str = "4.0"
    bit_depth: Literal[8, 10] = 8
    crf: int | None = None
    """This rung's own constant quality. None: that of its settings."""


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A run of whole segments. Frames are output frames, counted from the title's first."""

    index: int
    start_frame: int
    frames: int


class EncodingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides an encoder's output besides the source and the range.

    Hashed into the chunk's identity.
    """

    frame_rate: str
    gop_frames: int
    segment_frames: int
    preset: str
    crf: int = 21
    """Constant quality, under each rung's VBV maximum.

    Chunks are encoded apart from each other. With an average rate each chunk would start by guessing, and its first
    frames would show a visible step.
    """
    options_version: int = 1
    """The codec's own, of `media.encode.encoders`: raised with every change of its encoder's other options."""
    rungs: list[Rung]
    filters: str
    """The ffmpeg filter graph up to the split (deinterlace, rotate, square pixels, rate, tone map)."""
    encoder: str
    """Encoder name and version, such as `libx264 core 165`."""
    film_grain: int = 0
    """AV1: strength of grain that the decoder adds. 0: none."""

    @property
    def codec(self) -> Codec:
        """The codec of all rungs: each codec of a title has settings of its own."""
        return self.rungs[0].codec


class ProfileName(msgspec.Struct, frozen=True, kw_only=True):
    """Which encoding profile a version was planned by. The hash is that of its content (`marquee.profiles`)."""

    name: str
    hash: str


class AudioBitrates(msgspec.Struct, frozen=True, kw_only=True):
    """Bits a second of AAC-LC: of stereo, of 5.1, and of stereo for slow lines.

    64 kbit/s a channel are in the range of Apple's authoring specification for stereo. 128 kbit/s would be half of a line of
    0.3 Mbit/s.
    """

    stereo_bps: int = 128_000
    surround_bps: int = 384_000
    low_bps: int = 64_000


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `plan` decided: ladder, chunks and the exact frame grid.

    Each codec has settings and chunk jobs of its own. So a title that gets one more codec keeps its H.264 chunks, and an optional
    codec fails alone.
    """

    movie_id: str
    version: int
    total_frames: int
    settings: EncodingSettings
    """H.264, with the grid that all codecs share."""
    settings_hash: str
    """Of `settings`: a part of the identity of each H.264 chunk."""
    chunks: list[Chunk]
    others: list[EncodingSettings] = []
    """The other codecs, on the same grid."""
    optional: list[Codec] = []
    """Codecs whose failed encode is a note."""
    profile: ProfileName | None = None
    """None: planned by an earlier release."""
    audio: AudioBitrates = AudioBitrates()
    notes: list[Note] = []

    @property
    def encodings(self) -> list[EncodingSettings]:
        """The settings of every codec, H.264 first."""
        return [self.settings, *self.others]

    @property
    def rungs(self) -> list[Rung]:
        """The rungs of every codec, H.264's first, each codec's from low to high. Their names differ."""
        return [rung for one in self.encodings for rung in one.rungs]

    @property
    def duration_seconds(self) -> float:
        """The duration of the renditions: output frames / output rate."""
        return float(self.total_frames / Fraction(self.settings.frame_rate))
