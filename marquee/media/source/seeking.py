"""Starts decoding midway, and proves that it shows the same pictures as the decode from the film's start.

An index may be wrong even in a file that plays well, and a right index may lead to a place where decoding does not hold: an open
GOP, an intra refresh, a parameter set that stands only at the film's start. So no seek is trusted: `proven_margin` decodes the
pictures that are wanted, and compares their checksums with the linear decode's (`DecodedFrames`). Where they differ, it starts
earlier. Where no start holds, the caller decodes from the film's start.
`judge` tries three places by `seeks_exactly`; every chunk (`encode.transcode`) and every sample of the quality measure
(`encode.quality`) prove their own place.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import ffmpeg

from marquee.documents import DecodedFrames
from marquee.errors import ProcessFailed
from marquee.logs import get_logger
from marquee.media.programs import binaries, process
from marquee.media.source.checksums import DECODING, FrameChecksum, checksummed, read_checksum
from marquee.media.source.probe import untrusted_input

SEEK_MARGINS_SECONDS: Final = (1.0, 15.0, 60.0)
"""How long before the first wanted picture decoding starts, tried in this order. One second is more than frames are reordered by.
15 s: an intra refresh ends by then (x264's default is 250 frames), and an open GOP. 60 s: a place in another part of the film."""
MAX_LEAD_SECONDS: Final = 120.0
"""A seek that lands earlier than that is not worth it. In a film with one key frame each would decode the film from its start."""
_TRIED_FRAMES: Final = 8
_MAX_ONE_CHUNK_SECONDS: Final = 6
"""A film up to one segment long is one chunk, and nothing seeks in it."""
_TIMEOUT_BASE_SECONDS: Final = 300.0
_TIMEOUT_PER_SECOND: Final = 10.0
"""A seek in a film with one key frame decodes everything before the place."""

log = get_logger()


class Proof(NamedTuple):
    """A start that was proven. `errors`: error lines that its decode printed up to the last compared picture."""

    margin_seconds: float
    errors: int
    cpu_seconds: float


class Window(NamedTuple):
    """Wanted pictures: the numbers `first` to `last` (included) of `DecodedFrames`.

    `at_seconds` is the time at which the seek aims, on the container's clock.
    """

    at_seconds: float
    first: int
    last: int


def seek_input(path: Path, at_seconds: float, *, margin_seconds: float, **options: object) -> dict[str, object]:
    """ffmpeg input options that start decoding at a key frame `margin_seconds` or more before `at_seconds`.

    `at_seconds` is a time on the container's own clock.
    """
    seek = {"ss": f"{at_seconds - margin_seconds:.6f}", "seek_timestamp": 1, "noaccurate_seek": None}
    return {**untrusted_input(path), **options, **seek, "copyts": None, "noautorotate": None, "display_rotation": 0}


class _Decoded(NamedTuple):
    """What one decode showed: its pictures and the number of its error lines. `failed`: ffmpeg's words if it failed."""

    pictures: list[FrameChecksum]
    errors: int
    cpu_seconds: float = 0.0
    failed: str | None = None


async def _decode(output: Any, timeout_seconds: float, memory_bytes: int | None) -> _Decoded:
    """Run ffmpeg for an output of `checksummed`."""
    pictures: list[FrameChecksum] = []
    errors = 0

    def take(line: str) -> None:
        if found := read_checksum(line):
            pictures.append(found)

    def complain(line: str) -> None:
        nonlocal errors
        errors += bool(line.strip())

    argv = output.global_args("-hide_banner", "-nostdin", "-loglevel", "repeat+error").compile(
        cmd=str(binaries.picture_ffmpeg())
    )
    try:
        finished = await process.run(
            argv,
            timeout_seconds=timeout_seconds,
            memory_bytes=memory_bytes,
            on_stdout_line=take,
            on_stderr_line=complain,
        )
    except ProcessFailed as error:
        return _Decoded(pictures, errors, failed=error.detail)
    return _Decoded(pictures, errors, finished.cpu_seconds)


async def proven_margin(
    path: Path,
    stream_index: int,
    frames: DecodedFrames,
    window: Window,
    *,
    threads: int = 1,
    memory_bytes: int | None = None,
    max_pixels: int | None = None,
) -> Proof | None:
    """The smallest of `SEEK_MARGINS_SECONDS` that shows every picture of `window` as the linear decode does; None without one."""
    begins = float(frames.times[0] * Fraction(frames.time_base))
    first, last = frames.times[window.first], frames.times[window.last]
    wanted = list(frames.pictures(window.first, window.last + 1))
    limits = {"threads": threads} | ({"max_pixels": max_pixels} if max_pixels is not None else {})
    cpu_seconds = 0.0
    for margin in SEEK_MARGINS_SECONDS:
        source = ffmpeg.input(**seek_input(path, window.at_seconds, margin_seconds=margin, **limits, **DECODING))
        picture = source[str(stream_index)].filter("trim", start_pts=first, end_pts=last + 1)
        timeout = _TIMEOUT_BASE_SECONDS + _TIMEOUT_PER_SECOND * max(0.0, window.at_seconds - begins)
        found = await _decode(checksummed(picture), timeout, memory_bytes)
        cpu_seconds += found.cpu_seconds
        if found.failed is None and found.pictures == wanted:
            return Proof(margin, found.errors, cpu_seconds)
        log.info(
            "seek shows other pictures",
            at_seconds=window.at_seconds,
            margin_seconds=margin,
            errors=found.errors,
            reason=(found.failed or "")[-500:],
        )
    return None


async def seeks_exactly(
    path: Path, stream_index: int, frames: DecodedFrames, *, memory_bytes: int | None = None, max_pixels: int
) -> bool:
    """Whether it is worth it that chunks seek in the file `path`: at 1/3, 2/3 and 19/20 of the film, a seek must be proven.

    First the cheap way: eight pictures from where the seek lands must be those of the linear decode. They are not in an open GOP
    or an intra refresh: then by `proven_margin`. Where key frames are further apart than MAX_LEAD_SECONDS, no seek is worth it.
    A film up to one segment long always passes: nothing seeks in it.
    """
    tick, first, last = Fraction(frames.time_base), frames.times[0], frames.times[-1]
    if (last - first) * tick < _MAX_ONE_CHUNK_SECONDS:
        return True
    for share in (Fraction(1, 3), Fraction(2, 3), Fraction(19, 20)):
        at = float((first + int((last - first) * share)) * tick)
        shown = frames.shown_at(at)
        window = Window(at, shown, min(len(frames.times) - 1, shown + _TRIED_FRAMES - 1))
        landed = await _landing(path, stream_index, frames, window, memory_bytes, max_pixels)
        if landed.lead_seconds > MAX_LEAD_SECONDS:
            log.info("seeks land too early", at_seconds=at, lead_seconds=landed.lead_seconds)
            return False
        if landed.is_exact:
            continue
        proof = await proven_margin(
            path, stream_index, frames, window, memory_bytes=memory_bytes, max_pixels=max_pixels
        )
        if proof is None:
            return False
    return True


class _Landing(NamedTuple):
    """Where a seek led. `is_exact`: the pictures from there on are those of the linear decode, without an error."""

    is_exact: bool
    lead_seconds: float = 0.0


async def _landing(
    path: Path, stream_index: int, frames: DecodedFrames, window: Window, memory_bytes: int | None, max_pixels: int
) -> _Landing:
    margin = SEEK_MARGINS_SECONDS[0]
    sought = seek_input(path, window.at_seconds, margin_seconds=margin, max_pixels=max_pixels, **DECODING)
    output = checksummed(ffmpeg.input(**sought)[str(stream_index)], **{"frames:v": _TRIED_FRAMES})
    found = await _decode(output, 120, memory_bytes)
    seen = found.pictures
    if not seen:
        return _Landing(False)
    begins = seen[0].time * Fraction(frames.time_base)
    lead = window.at_seconds - float(begins)
    if found.failed is not None or found.errors or seen[0].time > frames.times[window.first]:
        return _Landing(False, lead)
    landed = frames.shown_at(begins)
    return _Landing(seen == list(frames.pictures(landed, landed + len(seen))), lead)
