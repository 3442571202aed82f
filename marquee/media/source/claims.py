"""What a file claims of itself, and how much of that is believed: its length, the size of its picture. Pure.

A claim is not credible where the whole file could not hold it, or where the picture's own track claims less. What cannot be
ingested whatever its frames are (too long, too large) is refused here, before anything is decoded.
"""

from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from marquee.errors import SourceRefused
from marquee.media.source.probe import Probe, Stream

MIN_CREDIBLE_BPS: Final = 500
"""Even a still picture needs more bits a second than this; a duration that implies less is not believed."""


class SourceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform takes. Decoding may take `decode_seconds_base` plus a multiple of the film's length."""

    max_bytes: int = 200 * 1024**3
    max_seconds: float = 24 * 3600.0
    max_pixels: int = 8192 * 4320
    memory_bytes: int | None = 4 * 1024**3
    probe_timeout_seconds: float = 60.0
    decode_seconds_base: float = 300.0
    decode_seconds_per_second: float = 4.0


class Case(NamedTuple):
    """A file before the judge: what it claims, and which of its pictures is looked at."""

    path: Path
    size_bytes: int
    limits: SourceLimits
    probed: Probe
    picture: Stream

    @property
    def declared_seconds(self) -> float | None:
        return credible_seconds(self.picture, self.probed, self.size_bytes)


def credible_seconds(picture: Stream, probed: Probe, size_bytes: int) -> float | None:
    """The longest duration that the file credibly claims for its picture, or None where it claims none.

    A container is as long as its longest track, so the picture's own claim counts if it has one, and is in turn held to
    the container's. A claim that leaves fewer than 500 bits a second is not believed.
    """
    # Matroska's durations are ends on its clock; a picture that starts late is not missing what came before it.
    late = picture.start_seconds or 0.0 if probed.container.startswith("matroska") else 0.0
    claims = [one - late for one in (picture.duration_seconds, probed.duration_seconds) if one is not None]
    claims = [one for one in claims if one > 0]
    believed = [one for one in claims if size_bytes * 8 >= MIN_CREDIBLE_BPS * one]
    return min(believed, default=None)


def check_claims(case: Case) -> None:
    picture, limits = case.picture, case.limits
    if picture.width * picture.height > limits.max_pixels:
        raise SourceRefused(
            f"The picture is too large: {picture.width} x {picture.height}, and this platform takes "
            f"{limits.max_pixels} pixels at most."
        )
    seconds = case.declared_seconds
    if seconds is not None and seconds > limits.max_seconds:
        raise too_long(seconds, limits)


def too_long(seconds: float, limits: SourceLimits) -> SourceRefused:
    return SourceRefused(
        f"The film is too long: {seconds / 3600:.1f} hours, and this platform takes {limits.max_seconds / 3600:.1f}."
    )
