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
from marquee.media import described, process, recognise
from marquee.media.probe import Probe, Stream, probe
from marquee.media.scan import Scan, TooManyFrames, last_sound_seconds, scan, seeks_exactly
from marquee.telemetry import get_logger

DECODED_SHARE_MIN: Final = 0.95
DAMAGED_SHARE_MAX: Final = 0.05
CREDIBLE_BPS_MIN: Final = 500
"""Even a still picture needs more bits a second than this; a duration that implies less is not believed."""
_INDEXED: Final = ("mov", "matroska")
"""Containers with an index by time; others are cut by decoding from their start."""
_MENDED: Final = ("mpegts", "mpeg", "ogg", "flv", "asf")
"""Containers whose clock may jump; ffmpeg mends it as it reads from the start."""
_JUMP_SECONDS: Final = 10.0

_log = get_logger()


class SourceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform takes. Decoding may take `decode_seconds_base` plus a multiple of the film's length."""

    max_bytes: int = 200 * 1024**3
    max_seconds: float = 24 * 3600.0
    max_pixels: int = 8192 * 4320
    memory_bytes: int | None = 4 * 1024**3
    probe_timeout_seconds: float = 60.0
    decode_seconds_base: float = 300.0
    decode_seconds_per_second: float = 4.0


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
    probed = await _probed(path, limits)
    picture = _picture(probed)
    if (seconds := recognise.avi_seconds(path)) is not None:
        # ffprobe cuts an AVI's own claim down to what is left of the file.
        picture = msgspec.structs.replace(picture, duration_seconds=seconds)
        probed = msgspec.structs.replace(probed, duration_seconds=seconds)
    _check_claims(picture, probed, size, limits)
    scanned = await _scanned(path, picture, probed, size, limits, on_progress)
    _check_frames(scanned, limits)
    own_clock = scanned
    warnings: list[str] = []
    jumps = not scanned.timed_in_order or scanned.largest_gap_seconds > _JUMP_SECONDS
    if jumps and probed.container.startswith(_MENDED):
        scanned = await _scanned(path, picture, probed, size, limits, on_progress, own_clock=False)
        warnings.append("The file's clock jumps; the picture was put together without the jumps.")
    await _check_complete(path, picture, probed, scanned, size, limits)
    indexed = probed.container.startswith(_INDEXED) and scanned.timed_in_order
    seekable = indexed and await seeks_exactly(
        path, picture.index, scanned, memory_bytes=limits.memory_bytes, max_pixels=limits.max_pixels
    )
    warnings += _warnings(probed, picture, scanned)
    return SourceDocument(
        movie_id=movie_id,
        version=version,
        upload_id=upload_id,
        key=key,
        file_name=file_name,
        size_bytes=size,
        sha256=sha256,
        container=probed.container,
        duration_seconds=float(scanned.duration_seconds),
        video=described.video(picture, scanned, own_clock.first_seconds),
        audio=[described.audio(stream) for stream in probed.of_kind("audio")],
        subtitles=[described.subtitle(stream) for stream in probed.of_kind("subtitle")],
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
        _log.info("source not readable", path=path.name, reason=str(error)[-500:])
        raise SourceRefused(_why_unreadable(path)) from error


def _why_unreadable(path: Path) -> str:
    head = recognise.read_head(path)
    if kind := recognise.other_kind(head):
        return f"This is {kind}, not a film."
    if boxes := recognise.mp4_boxes(path):
        if "moov" not in boxes and "moof" not in boxes:
            return (
                "The film's index (moov) is missing: the file was cut off while it was recorded or copied. "
                "Copy it again, or repair it with the recorder."
            )
        return "The film's index (moov) is damaged, so nothing in the file can be found. Copy it again."
    if recognise.is_matroska(head):
        return "The film's header (Matroska) is damaged or cut off, so nothing can be decoded. Copy it again."
    return "This is not a film in any format that this platform knows, or its beginning is damaged."


def _picture(probed: Probe) -> Stream:
    """The picture stream that becomes the title: the default one, else the largest, else the first."""
    pictures = [stream for stream in probed.of_kind("video") if not stream.attached_picture]
    if pictures:
        return max(pictures, key=lambda one: (one.default, one.width * one.height, -one.index))
    if probed.of_kind("video"):
        raise SourceRefused("The file has sound and a cover picture, but no film: there is no moving picture in it.")
    if probed.of_kind("audio"):
        raise SourceRefused("The file has only sound: there is no picture in it.")
    if probed.container.startswith("mov"):
        raise SourceRefused("The file has no picture: it is cut off after its header, or holds no film at all.")
    raise SourceRefused("The file has no picture in it.")


def credible_seconds(picture: Stream, probed: Probe, size_bytes: int) -> float | None:
    """The longest duration that the file credibly claims for its picture, or None where it claims none.

    A container is as long as its longest track, so the picture's own claim counts if it has one, and is in turn held to
    the container's. A claim that leaves fewer than 500 bits a second is not believed.
    """
    # Matroska's durations are ends on its clock; a picture that starts late is not missing what came before it.
    late = picture.start_seconds or 0.0 if probed.container.startswith("matroska") else 0.0
    claims = [one - late for one in (picture.duration_seconds, probed.duration_seconds) if one is not None]
    claims = [one for one in claims if one > 0]
    believed = [one for one in claims if size_bytes * 8 >= CREDIBLE_BPS_MIN * one]
    return min(believed, default=None)


def _check_claims(picture: Stream, probed: Probe, size: int, limits: SourceLimits) -> None:
    if picture.width * picture.height > limits.max_pixels:
        raise SourceRefused(
            f"The picture is too large: {picture.width} x {picture.height}, and this platform takes "
            f"{limits.max_pixels} pixels at most."
        )
    seconds = credible_seconds(picture, probed, size)
    if seconds is not None and seconds > limits.max_seconds:
        raise _too_long(seconds, limits)


def _too_long(seconds: float, limits: SourceLimits) -> SourceRefused:
    return SourceRefused(
        f"The film is too long: {seconds / 3600:.1f} hours, and this platform takes {limits.max_seconds / 3600:.1f}."
    )


async def _scanned(
    path: Path,
    picture: Stream,
    probed: Probe,
    size: int,
    limits: SourceLimits,
    on_progress: Callable[[float], None] | None,
    *,
    own_clock: bool = True,
) -> Scan:
    seconds = credible_seconds(picture, probed, size)
    timeout = limits.decode_seconds_base + limits.decode_seconds_per_second * (seconds or limits.max_seconds / 24)

    def report(progress: process.Progress) -> None:
        if on_progress is not None and seconds and picture.average_rate:
            on_progress(min(1.0, progress.frame / float(seconds * picture.average_rate)))

    try:
        return await scan(
            path,
            picture.index,
            own_clock=own_clock,
            gapless=probed.container.startswith("mpeg"),
            timeout_seconds=timeout,
            memory_bytes=limits.memory_bytes,
            max_pixels=limits.max_pixels,
            on_progress=report,
        )
    except ProcessTimedOut as error:
        raise SourceRefused(f"The picture could not be decoded within {timeout:.0f} seconds: it is damaged.") from error
    except TooManyFrames as error:
        raise SourceRefused("The file claims more frames than any film has: it is damaged.") from error


def _check_frames(scanned: Scan, limits: SourceLimits) -> None:
    if scanned.frames == 0 or not scanned.times:
        _log.info("picture not decodable", reason=scanned.complaint)
        raise SourceRefused("Nothing of the picture can be decoded: it is damaged, or in a format not known here.")
    if float(scanned.duration_seconds) > limits.max_seconds:
        raise _too_long(float(scanned.duration_seconds), limits)
    width, height = described.size(scanned)
    if width * height > limits.max_pixels:
        raise SourceRefused(f"The picture is too large: {width} x {height}.")


async def _check_complete(
    path: Path, picture: Stream, probed: Probe, scanned: Scan, size: int, limits: SourceLimits
) -> None:
    """Refuse what is cut off or too damaged."""
    decoded = float(scanned.duration_seconds)
    declared = credible_seconds(picture, probed, size)
    if declared is not None and decoded < DECODED_SHARE_MIN * declared:
        # The container's claim is that of its longest track: sound that outlasts the picture is no damage.
        end = (picture.start_seconds or 0.0) - probed.start_seconds + decoded
        outlasted = (
            picture.duration_seconds is None
            and not scanned.truncated
            and await last_sound_seconds(path, memory_bytes=limits.memory_bytes) - probed.start_seconds
            >= DECODED_SHARE_MIN * declared
        )
        if end < DECODED_SHARE_MIN * declared and not outlasted:
            raise SourceRefused(
                f"The film is cut off: it should last {declared:.1f} seconds, and only {decoded:.1f} "
                f"({100 * decoded / declared:.0f} %) can be decoded. Copy it again."
            )
    whole = max(scanned.frames, scanned.frames + scanned.damaged - scanned.corrupt)
    if scanned.damaged > max(1, DAMAGED_SHARE_MAX * whole) or scanned.corrupt >= scanned.frames:
        raise SourceRefused(
            f"The film is too damaged: {scanned.damaged} of {whole} frames "
            f"({100 * scanned.damaged / whole:.0f} %) are broken or missing. Copy it again."
        )


def _warnings(probed: Probe, picture: Stream, scanned: Scan) -> list[str]:
    found = []
    if scanned.damaged:
        found.append(f"{scanned.damaged} of {scanned.frames} frames are damaged.")
    if scanned.truncated:
        found.append("The file ends before its last packet.")
    if len(scanned.sizes) > 1:
        found.append(f"The picture changes its size ({', '.join(scanned.sizes)}); the most frequent one is kept.")
    others = [one for one in probed.of_kind("video") if not one.attached_picture and one.index != picture.index]
    if others:
        found.append(f"The file has {len(others) + 1} picture streams; stream {picture.index} is used.")
    return found
