"""Decides whether an uploaded file can become a title, by decoding all of it; a refusal says why in plain words.

A name, an extension, a header are claims. A file is accepted when its picture decodes for at least 95 % of the longest
duration that it credibly claims and at most 5 % of its frames are damaged; everything else about the picture (size,
rate, fields, colours) is taken from the decoded frames. A claim is not credible where the whole file could not
hold it, or where the picture's own track claims less. Sound and text are listed here and judged by their stages.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from marquee.documents import SourceDocument
from marquee.errors import ProcessFailed, ProcessTimedOut, SourceRefused
from marquee.logs import get_logger
from marquee.media.programs import process
from marquee.media.source import recognise, source_streams
from marquee.media.source.claims import Case, SourceLimits, check_claims, too_long
from marquee.media.source.probe import Probe, Stream, probe
from marquee.media.source.scan import Scan, TooManyFrames, scan, seeks_exactly, sound_times

MIN_DECODED_SHARE: Final = 0.95
MAX_DAMAGED_SHARE: Final = 0.05
MIN_STILL_BPS: Final = 50
"""A screen recording of an idle screen has 200 bits a second; a clock that leaves fewer than this has gone wrong."""
MAX_FRAMES_PER_SECOND: Final = 1100
"""Frames a second that a slow-motion camera may have made; more is a clock that stands still."""
_FEW_FRAMES: Final = 10
_INDEXED: Final = ("mov", "matroska")
"""Containers with an index by time; others are cut by decoding from their start."""
_MENDED: Final = ("mpegts", "mpeg", "ogg", "flv", "asf")
"""Containers whose clock may jump; ffmpeg mends it as it reads from the start."""
_BROADCAST: Final = "mpeg"
"""MPEG's transport and program streams: recorded from anywhere in the middle, without a gap."""
_JUMP_SECONDS: Final = 10.0
_UNTIL_KEY_FRAME_SECONDS: Final = 10.0
_PICTURES_TRIED: Final = 3
_WEIGHT_OF_FULL_HD: Final = 1920 * 1080 * 30.0
_MAX_WEIGHT: Final = 16.0
"""8K at 30 frames a second decodes at a tenth of real time on one core; a time-out must not call that damaged."""

log = get_logger()


async def judge(
    path: Path,
    *,
    movie_id: str,
    version: int,
    upload_id: str,
    key: str,
    file_name: str,
    sha256: str,
    limits: SourceLimits,
    on_progress: Callable[[float], None] | None = None,
) -> SourceDocument:
    """Judge the file at `path`; `on_progress` gets the share decoded, 0 to 1.

    Raises `SourceRefused` with a sentence that a person understands.
    """
    size = path.stat().st_size
    if size == 0:
        raise SourceRefused("The file is empty (0 bytes): upload it again.")
    if size > limits.max_bytes:
        raise SourceRefused(f"The file is too large: {size} bytes, and this platform takes {limits.max_bytes} at most.")
    if recognise.is_still_picture(recognise.read_head(path)):
        raise SourceRefused(recognise.why_unreadable(path))
    probed = await _probed(path, limits)
    if recognise.is_encrypted(path):
        raise SourceRefused(
            "The film is encrypted (DRM), so its picture cannot be decoded: upload it without protection."
        )
    case, own_clock = await _decoded(path, size, probed, limits, on_progress)
    scanned, warnings = await _on_a_clock(case, own_clock, on_progress)
    _check_frames(case, scanned)
    await _check_complete(case, scanned, own_clock)
    indexed = case.probed.container.startswith(_INDEXED) and scanned.timed_in_order and scanned.clock == "container"
    seekable = indexed and await seeks_exactly(
        path, case.picture.index, scanned, memory_bytes=limits.memory_bytes, max_pixels=limits.max_pixels
    )
    warnings += _warnings(case, scanned)
    return SourceDocument(
        movie_id=movie_id,
        version=version,
        upload_id=upload_id,
        key=key,
        file_name=file_name,
        size_bytes=size,
        sha256=sha256,
        container=case.probed.container,
        duration_seconds=float(scanned.duration_seconds),
        video=source_streams.video(case.picture, scanned, own_clock.first_seconds),
        audio=[source_streams.audio(stream) for stream in case.probed.of_kind("audio")],
        subtitles=[source_streams.subtitle(stream) for stream in case.probed.of_kind("subtitle")],
        frames_decoded=scanned.frames,
        frames_damaged=scanned.damaged,
        seekable=seekable,
        warnings=warnings,
    )


async def _probed(path: Path, limits: SourceLimits) -> Probe:
    try:
        return await probe(path, timeout_seconds=limits.probe_timeout_seconds, memory_bytes=limits.memory_bytes)
    except ProcessTimedOut as error:
        raise SourceRefused(
            f"The file could not be read within {limits.probe_timeout_seconds:.0f} seconds: it is damaged."
        ) from error
    except (ProcessFailed, msgspec.DecodeError, ValueError) as error:
        log.info("source not readable", path=path.name, reason=str(error)[-500:])
        raise SourceRefused(recognise.why_unreadable(path)) from error


def _pictures(probed: Probe) -> list[Stream]:
    """The streams that may become the title, the likeliest first: no still beside a film, the default one, the largest."""
    pictures = [stream for stream in probed.of_kind("video") if not stream.attached_picture]
    if pictures:
        return sorted(
            pictures,
            key=lambda one: (one.frames_claimed == 1, not one.default, -one.width * one.height, one.index),
        )
    if probed.of_kind("video"):
        raise SourceRefused("The file has sound and a cover picture, but no film: there is no moving picture in it.")
    if probed.of_kind("audio"):
        raise SourceRefused("The file has only sound: there is no picture in it.")
    if probed.container.startswith("mov"):
        raise SourceRefused("The file has no picture: it is cut off after its header, or holds no film at all.")
    raise SourceRefused("The file has no picture in it.")


async def _decoded(
    path: Path, size: int, probed: Probe, limits: SourceLimits, on_progress: Callable[[float], None] | None
) -> tuple[Case, Scan]:
    """The first picture stream of which anything can be decoded, decoded to its end."""
    for picture in _pictures(probed)[:_PICTURES_TRIED]:
        case = Case(path, size, limits, probed, picture)
        if (seconds := recognise.avi_seconds(path)) is not None:
            # ffprobe cuts an AVI's own claim down to what is left of the file.
            claimed = msgspec.structs.replace(picture, duration_seconds=seconds)
            case = case._replace(picture=claimed, probed=msgspec.structs.replace(probed, duration_seconds=seconds))
        check_claims(case)
        scanned = await _scanned(case, on_progress)
        if scanned.frames:
            return case, scanned
        log.info("picture not decodable", stream=picture.index, reason=scanned.complaint)
    raise SourceRefused("Nothing of the picture can be decoded: it is damaged, or in a format not known here.")


async def _scanned(case: Case, on_progress: Callable[[float], None] | None, *, own_clock: bool = True) -> Scan:
    picture, limits, seconds = case.picture, case.limits, case.declared_seconds
    weight = picture.width * picture.height * float(picture.average_rate or 25) / _WEIGHT_OF_FULL_HD
    slowness = limits.decode_seconds_per_second * min(_MAX_WEIGHT, max(1.0, weight))
    timeout = limits.decode_seconds_base + slowness * (seconds or limits.max_seconds / 24)

    def report(progress: process.Progress) -> None:
        if on_progress is not None and seconds and picture.average_rate:
            on_progress(min(1.0, progress.frame / float(seconds * picture.average_rate)))

    try:
        return await scan(
            case.path,
            picture.index,
            own_clock=own_clock,
            gapless=case.probed.container.startswith(_BROADCAST),
            claimed_seconds=seconds,
            timeout_seconds=timeout,
            memory_bytes=limits.memory_bytes,
            max_pixels=limits.max_pixels,
            on_progress=report,
        )
    except ProcessTimedOut as error:
        raise SourceRefused(
            f"The picture could not be decoded within {timeout:.0f} seconds: it is damaged, or too much for this machine."
        ) from error
    except TooManyFrames as error:
        raise SourceRefused("The file claims more frames than any film has: it is damaged.") from error


async def _on_a_clock(case: Case, scanned: Scan, on_progress: Callable[[float], None] | None) -> tuple[Scan, list[str]]:
    """The scan on a clock that only goes forward, and what was done for it.

    ffmpeg mends the jumps of broadcast and streaming containers. Where a clock goes back all the same (Matroska files laid end
    to end), or there is none, the frames are counted. A jump of the picture's alone, with sound going on through it, is none.
    """
    jumps = scanned.goes_back or scanned.largest_gap_seconds > _JUMP_SECONDS
    if jumps and case.probed.container.startswith(_MENDED) and not await _sounds_on(case, scanned):
        mended = await _scanned(case, on_progress, own_clock=False)
        if not mended.goes_back and mended.largest_gap_seconds < scanned.largest_gap_seconds:
            return mended, ["The file's clock jumps; the picture was put together without the jumps."]
    if not scanned.goes_back:
        return scanned, []
    rate = source_streams.rate(case.picture, scanned).rate
    scanned = scanned.counted(rate)
    return scanned, [
        f"The file's clock goes back or is missing; its pictures follow each other at {float(rate):.3f} a second."
    ]


async def _sounds_on(case: Case, scanned: Scan) -> bool:
    """Whether sound goes on through the largest hole of the picture."""
    if scanned.goes_back or not case.probed.of_kind("audio"):
        return False
    sound = await sound_times(case.path, memory_bytes=case.limits.memory_bytes)
    return sound.end_seconds > 0 and sound.largest_gap_seconds < scanned.largest_gap_seconds / 2


def _check_frames(case: Case, scanned: Scan) -> None:
    seconds, limits = float(scanned.duration_seconds), case.limits
    if seconds > limits.max_seconds:
        raise too_long(seconds, limits)
    if case.size_bytes * 8 < MIN_STILL_BPS * seconds:
        raise SourceRefused(
            f"The film's clock is broken: it spreads {scanned.frames} pictures over {seconds / 3600:.1f} hours. Export it again."
        )
    if scanned.frames > max(_FEW_FRAMES, MAX_FRAMES_PER_SECOND * seconds):
        raise SourceRefused(
            f"The film's clock is broken: it has {scanned.frames} pictures within {seconds:.3f} seconds. Export it again."
        )
    width, height = source_streams.size(scanned)
    if width * height > limits.max_pixels:
        raise SourceRefused(f"The picture is too large: {width} x {height}.")


async def _check_complete(case: Case, scanned: Scan, own_clock: Scan) -> None:
    """Refuse what is cut off or too damaged."""
    # What the container claims is by its own clock, with the jumps in it.
    decoded = float(max(scanned.duration_seconds, own_clock.duration_seconds))
    declared = case.declared_seconds
    if declared is not None and decoded < MIN_DECODED_SHARE * declared:
        begins = case.picture.start_seconds or 0.0
        if case.probed.container.startswith(_BROADCAST):
            # Recorded from the middle of a broadcast: what comes before the first key frame cannot be decoded.
            begins = min(own_clock.first_seconds, begins + _UNTIL_KEY_FRAME_SECONDS)
        end = begins - case.probed.start_seconds + decoded
        if end < MIN_DECODED_SHARE * declared and not await _is_outlasted(case, scanned, declared):
            raise SourceRefused(
                f"The film is cut off: it should last {declared:.1f} seconds, and only {decoded:.1f} "
                f"({100 * decoded / declared:.0f} %) can be decoded. Copy it again."
            )
    whole = max(scanned.frames, scanned.frames + scanned.damaged - scanned.corrupt)
    if scanned.damaged > max(1, MAX_DAMAGED_SHARE * whole) or scanned.corrupt >= scanned.frames:
        raise SourceRefused(
            f"The film is too damaged: {scanned.damaged} of {whole} frames "
            f"({100 * scanned.damaged / whole:.0f} %) are broken or missing. Copy it again."
        )


async def _is_outlasted(case: Case, scanned: Scan, declared: float) -> bool:
    """Whether sound goes on after the picture: a container is as long as its longest track, and that is no damage."""
    if case.picture.duration_seconds is not None or scanned.truncated:
        return False
    sound = await sound_times(case.path, memory_bytes=case.limits.memory_bytes)
    return sound.end_seconds - case.probed.start_seconds >= MIN_DECODED_SHARE * declared


def _warnings(case: Case, scanned: Scan) -> list[str]:
    found = []
    if scanned.damaged:
        found.append(f"{scanned.damaged} of {scanned.frames} frames are damaged.")
    if scanned.truncated:
        found.append("The file ends before its last packet.")
    if len(scanned.sizes) > 1:
        found.append(f"The picture changes its size ({', '.join(scanned.sizes)}); the most frequent one is kept.")
    index = case.picture.index
    others = [one for one in case.probed.of_kind("video") if not one.attached_picture and one.index != index]
    if others:
        found.append(f"The file has {len(others) + 1} picture streams; stream {index} is used.")
    return found
