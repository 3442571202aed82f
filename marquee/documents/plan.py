"""What `plan` decides about a film: its ladder, its frame grid, its chunks and its encoder settings.

The settings are hashed into the identity of each chunk's job (`renditions.ChunkJob`). So a chunk with equal settings,
range and master is encoded once, even if two titles ask for it.
"""

from fractions import Fraction
from typing import Literal

import msgspec

from marquee.notes import Note


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the ladder. `bitrate_bps` is the target average, `max_bitrate_bps` the VBV maximum."""

    name: str
    width: int
    height: int
    bitrate_bps: int
    max_bitrate_bps: int
    buffer_bits: int
    codec: Literal["h264"] = "h264"
    profile: Literal["baseline", "main", "high"] = "high"
    level: str = "4.0"


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
    """Raised with every change of the encoder's other options: chunks from before the change are then not reused."""
    rungs: list[Rung]
    filters: str
    """The ffmpeg filter graph up to the split (deinterlace, rotate, square pixels, rate, tone map)."""
    encoder: str
    """Encoder name and version, such as `libx264 core 165`."""


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `plan` decided: ladder, chunks and the exact frame grid."""

    movie_id: str
    version: int
    total_frames: int
    settings: EncodingSettings
    settings_hash: str
    chunks: list[Chunk]
    notes: list[Note] = []

    @property
    def duration_seconds(self) -> float:
        """The duration of the renditions: output frames / output rate."""
        return float(self.total_frames / Fraction(self.settings.frame_rate))
