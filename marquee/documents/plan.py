"""What `plan` decides of a film: its ladder, its grid of frames, its chunks, and all that decides an encoder's output.

The settings are hashed into the identity of each chunk's job (`renditions.ChunkJob`): equal settings, range and master are
encoded once, whichever title asks.
"""

from fractions import Fraction
from typing import Literal

import msgspec


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
    """A run of whole segments, counted in output frames from the title's first frame."""

    index: int
    start_frame: int
    frames: int


class EncodingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides an encoder's output besides the source and the range; hashed into the chunk's identity."""

    frame_rate: str
    gop_frames: int
    segment_frames: int
    preset: str
    crf: int = 21
    """Constant quality under each rung's VBV cap: chunks are encoded apart, and an average rate would start each one by
    guessing and show a step at every seam."""
    options_version: int = 1
    """Raised with any change of the encoder's other options, so that no chunk of before is taken for one of after."""
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

    @property
    def duration_seconds(self) -> float:
        return float(self.total_frames / Fraction(self.settings.frame_rate))
