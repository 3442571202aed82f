"""What the stage `analysis` found out about a title: trial encodes, their convex hull, and the rungs that were chosen.

The stage writes the document; `plan` reads the rungs. Nothing else of it reaches a chunk's identity. VMAF is 0 to 100, at the
size `compared_width` x `compared_height` for every encode.
"""

from typing import Literal

import msgspec

from marquee.documents.plan import ProfileName
from marquee.notes import Note


class LadderPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One encode of the title, measured or expected: a picture size at a constant quality, its mean bitrate and its VMAF."""

    width: int
    height: int
    crf: int
    bitrate_bps: int
    vmaf: float
    vmaf_neg: float | None = None
    """VMAF NEG, which gives nothing for sharpening; None where it was not measured."""


class AnalysedSample(msgspec.Struct, frozen=True, kw_only=True):
    """Frames of the title's grid that were encoded on trial."""

    start_frame: int
    frames: int


class RungOverride(msgspec.Struct, frozen=True, kw_only=True):
    """What an engineer decided about one rung of the title, and why."""

    action: Literal["pin", "add", "drop"]
    rung: str
    reason: str


class AnalysisDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The ladder of one title, and what it was chosen from."""

    movie_id: str
    version: int
    ladder: Literal["fixed", "by-title"]
    """`fixed`: the profile asks for no other, or no trial could be made. `rungs` is then empty."""
    profile: ProfileName | None = None
    """Which profile asked for this ladder. `plan` makes the analysis again for another one. None: of an earlier release."""
    compared_width: int = 0
    compared_height: int = 0
    trial_preset: str = ""
    samples: list[AnalysedSample] = []
    trials: list[LadderPoint] = []
    """As measured, with the trial's fast preset."""
    hull: list[LadderPoint] = []
    """As expected at the profile's preset, rising."""
    rungs: list[LadderPoint] = []
    """The chosen ones, as expected, rising."""
    fixed: list[LadderPoint] = []
    """What the fixed ladder would have given, as expected."""
    bd_rate: float | None = None
    """The chosen ladder against the fixed one, as expected: -0.2 is 20 % fewer bits at equal VMAF."""
    cpu_seconds: float = 0.0
    overrides: list[RungOverride] = []
    notes: list[Note] = []
