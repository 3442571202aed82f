"""What a file claims about its length and picture size, and which of these claims are believed. Pure.

A claimed length is not credible if the whole file could not hold it (fewer than 500 bits a second), or if the picture's own
track claims less. `check_claims` refuses a film that is too long or too large before anything is decoded: decoding could
not change that. Next: `judge` decodes the picture and compares it with the credible claim.
"""

from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from marquee.errors import SourceRefused
from marquee.media.source.probe import Probe, Stream

MIN_CREDIBLE_BPS: Final = 500
"""Even a still picture needs more bits a second than this. A claimed duration that implies fewer is not believed."""


MIN_STILL_BPS: Final = 50
"""A recording of an idle screen has 200 bits a second. Where the clock leaves fewer than 50, the clock is broken."""


class SourceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform accepts, and how long it works on one file.

    Decoding may take `decode_seconds_base` seconds plus `decode_seconds_per_second` for each second of film (of Full HD at 30
    frames a second; larger pictures get more, see `judge`).
    """

    max_bytes: int = 200 * 1024**3
    max_seconds: float = 24 * 3600.0
    max_pixels: int = 8192 * 4320
    memory_bytes: int | None = 4 * 1024**3
    probe_timeout_seconds: float = 60.0
    decode_seconds_base: float = 300.0
    decode_seconds_per_second: float = 4.0


class Candidate(NamedTuple):
    """A file under judgement: its claims, and the picture stream that may become the title."""

    path: Path
    size_bytes: int
    limits: SourceLimits
    probed: Probe
    picture: Stream

    @property
    def declared_seconds(self) -> float | None:
        """See `credible_seconds`."""
        return credible_seconds(self.picture, self.probed, self.size_bytes)


def credible_seconds(picture: Stream, probed: Probe, size_bytes: int) -> float | None:
    """The duration in seconds that the file credibly claims for its picture; None where it claims nothing credible.

    The smaller of the picture track's claim and the container's: a container is as long as its longest track, which may be
    sound. A claim that implies fewer than `MIN_CREDIBLE_BPS` is not believed.
    """
    # A Matroska duration is the end time on the file's clock. A picture that starts late is not missing its beginning.
    late = picture.start_seconds or 0.0 if probed.container.startswith("matroska") else 0.0
    contained = None if probed.duration_seconds is None else probed.duration_seconds - late
    claims = [one for one in (picture.duration_seconds, contained) if one is not None and one > 0]
    believed = [one for one in claims if size_bytes * 8 >= MIN_CREDIBLE_BPS * one]
    return min(believed, default=None)


def check_claims(candidate: Candidate) -> None:
    """Raise `SourceRefused` where the claimed picture is too large or the claimed film too long."""
    picture, limits = candidate.picture, candidate.limits
    if picture.width * picture.height > limits.max_pixels:
        raise too_large(picture.width, picture.height, limits)
    seconds = candidate.declared_seconds
    if seconds is not None and seconds > limits.max_seconds:
        raise too_long(seconds, limits)


def too_long(seconds: float, limits: SourceLimits) -> SourceRefused:
    """The refusal of a film of `seconds` seconds."""
    return SourceRefused(
        f"The film is too long: {seconds / 3600:.1f} hours. This platform accepts at most "
        f"{limits.max_seconds / 3600:.1f} hours: upload it in parts."
    )


def too_large(width: int, height: int, limits: SourceLimits) -> SourceRefused:
    """The refusal of a picture of `width` x `height` pixels."""
    return SourceRefused(
        f"The picture is too large: {width} x {height}. This platform accepts at most {limits.max_pixels} pixels: "
        "export it smaller."
    )
