"""Decides whether an uploaded file can become a title, by decoding all of its picture. A refusal says why in plain words.

File names, extensions and headers are only claims. A file is accepted if its picture decodes for at least 95 % of the
longest duration that the file credibly claims (see `claims`) and is not too damaged (`marquee.domain.damage`). Size, rate,
fields and colours are then taken from the decoded frames, not from the header.
Reads the file by `probe` (streams), `scan` (frames) and `recognise` (what is not a film). Returns a `SourceDocument` or raises
`SourceRefused`. Sound and text are only listed here: their own stages judge them. Next: `encode.plan`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from marquee.documents import SourceDocument
from marquee.errors import ProcessFailed, ProcessTimedOut, SourceRefused
from marquee.logs import get_logger
from marquee.media.encode.colours import check_convertible
from marquee.media.programs import binaries, process
from marquee.media.programs.decoders import decodable_codecs
from marquee.media.source import dolby_vision, recognise, source_notes, source_streams
from marquee.media.source.claims import MIN_STILL_BPS, Candidate, SourceLimits, check_claims, too_large, too_long
from marquee.media.source.close_look import look_closely
from marquee.media.source.coded_aspects import with_coded_aspects
from marquee.media.source.completeness import BROADCAST_PREFIX, check_complete
from marquee.media.source.cut_off import asf_seconds, why_cut_off, why_index_cut_off
from marquee.media.source.picture_damage import picture_damage
from marquee.media.source.picture_streams import check_base_layer
from marquee.media.source.probe import Probe, Stream, probe
from marquee.media.source.programmes import candidates, notes_on_others
from marquee.media.source.scan import Scan, TooManyFrames, scan
from marquee.media.source.seeking import seeks_exactly
from marquee.media.source.sound_times import sound_times
from marquee.media.source.stills import hold_still_picture
from marquee.notes import Note, note

MAX_FRAMES_PER_SECOND: Final = 1100
"""The most frames a second that a slow-motion camera makes. A film with more has a clock that stands still."""
_MIN_FRAMES_TO_CHECK_RATE: Final = 10
_TIME_INDEXED_CONTAINERS: Final = ("mov", "matroska")
"""Containers with an index by time. Chunks of other containers are decoded from the film's start."""
_JUMPING_CONTAINERS: Final = ("mpegts", "mpeg", "ogg", "flv", "asf")
"""Containers whose clock may jump. ffmpeg removes the jumps if it reads from the start."""
_MIN_JUMP_SECONDS: Final = 10.0
_MIN_JUMP_STEPS: Final = 5
_MAX_PICTURES_TRIED: Final = 3
_FULL_HD_PIXELS_PER_SECOND: Final = 1920 * 1080 * 30.0
_MAX_RELATIVE_LOAD: Final = 16.0
"""Bound on the extra decoding time of large pictures. 8K at 30 frames a second decodes at a tenth of real time on one core:
a time-out must not call such a film damaged."""

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
    """Judge the file at `path`. `on_progress` receives the decoded share of the film, 0 to 1.

    Raises `SourceRefused` with a sentence for the file's owner: what is wrong and, where something can be done, what to do.
    """
    size = path.stat().st_size
    if size == 0:
        raise SourceRefused("The file is empty (0 bytes): upload it again.")
    if size > limits.max_bytes:
        raise SourceRefused(
            f"The file is too large: {size} bytes. This platform accepts at most {limits.max_bytes}: export it smaller."
        )
    if recognise.is_still_picture(recognise.read_head(path)):
        raise SourceRefused(recognise.why_unreadable(path))
    probed = await _probe_or_refuse(path, limits)
    if recognise.is_encrypted(path):
        raise SourceRefused(
            "The film is encrypted (DRM), so its picture cannot be decoded: upload it without encryption."
        )
    if not probed.of_kind("video") and (cut := why_cut_off(path)):
        raise SourceRefused(cut)
    if cut := why_index_cut_off(path):
        raise SourceRefused(cut)
    candidate, first_scan, undecodable, others = await _decode_first_usable_picture(
        path, size, probed, limits, on_progress
    )
    first_scan, held = await hold_still_picture(candidate, await _look_closely(candidate, first_scan))
    scanned, notes = await _with_usable_clock(candidate, first_scan, on_progress)
    scanned = await with_coded_aspects(candidate, scanned)
    _check_frames(candidate, scanned)
    scanned, missing = await check_complete(candidate, scanned, first_scan)
    notes += held + missing + others
    indexed = (
        candidate.probed.container.startswith(_TIME_INDEXED_CONTAINERS)
        and scanned.timed_in_order
        and not scanned.single
        and scanned.clock == "container"
    )
    frames = scanned.decoded_frames() if indexed else None
    seekable = frames is not None and await seeks_exactly(
        path, candidate.picture.index, frames, memory_bytes=limits.memory_bytes, max_pixels=limits.max_pixels
    )
    if indexed and not seekable:
        notes.append(note("index-unusable"))
    decodable = await decodable_codecs(
        binaries.ffmpeg(), (stream.codec for stream in candidate.probed.of_kind("audio"))
    )
    notes += source_notes.picture_notes(candidate, scanned, undecodable) + source_notes.ignored_streams(
        candidate.probed
    )
    document = SourceDocument(
        movie_id=movie_id,
        version=version,
        upload_id=upload_id,
        key=key,
        file_name=file_name,
        size_bytes=size,
        sha256=sha256,
        container=candidate.probed.container,
        brand=candidate.probed.brand,
        duration_seconds=float(scanned.duration_seconds),
        video=source_streams.video(candidate.picture, scanned, first_scan.first_seconds),
        audio=[source_streams.audio(stream, decodable) for stream in candidate.probed.of_kind("audio")],
        subtitles=[source_streams.subtitle(stream) for stream in candidate.probed.of_kind("subtitle")],
        frames_decoded=scanned.frames,
        frames_damaged=picture_damage(scanned).frames,
        seekable=seekable,
        frames=frames if seekable else None,
    )
    return msgspec.structs.replace(document, notes=notes + source_notes.later_stages(document))


async def _probe_or_refuse(path: Path, limits: SourceLimits) -> Probe:
    """The file's claims. A file that cannot be opened is refused with what `recognise` finds it to be."""
    try:
        return await probe(path, timeout_seconds=limits.probe_timeout_seconds, memory_bytes=limits.memory_bytes)
    except ProcessTimedOut as error:
        raise SourceRefused(
            f"The file could not be read within {limits.probe_timeout_seconds:.0f} seconds: it is damaged. Copy it again."
        ) from error
    except (ProcessFailed, msgspec.DecodeError, ValueError) as error:
        log.info("source not readable", path=path.name, reason=str(error)[-500:])
        raise SourceRefused(recognise.why_unreadable(path)) from error


async def _decode_first_usable_picture(
    path: Path, size: int, probed: Probe, limits: SourceLimits, on_progress: Callable[[float], None] | None
) -> tuple[Candidate, Scan, list[Stream], list[Note]]:
    """The first picture stream with a decodable frame, its scan, the streams tried before it, and notes on other programmes.

    At most three are tried.
    """
    undecodable: list[Stream] = []
    for one in candidates(path, probed)[:_MAX_PICTURES_TRIED]:
        picture = one.picture
        candidate = Candidate(path, size, limits, one.probed, picture)
        if (seconds := recognise.avi_seconds(path) or asf_seconds(path)) is not None:
            # Of a cut-off file, ffprobe reports the length of the part that is left. The header has the full length.
            claimed = msgspec.structs.replace(picture, duration_seconds=seconds)
            candidate = candidate._replace(
                picture=claimed, probed=msgspec.structs.replace(one.probed, duration_seconds=seconds)
            )
        check_claims(candidate)
        check_base_layer(picture)
        scanned = await _scan_picture(candidate, on_progress)
        if scanned.frames:
            check_convertible(source_streams.own_colours(scanned))
            dolby_vision.check_base_layer(
                source_streams.dolby_vision_of(picture, scanned), source_streams.own_colours(scanned)
            )
            return candidate, scanned, undecodable, notes_on_others(probed, one)
        undecodable.append(picture)
        log.info("picture not decodable", stream=picture.index, reason=scanned.error_line)
    raise SourceRefused(why_cut_off(path) or recognise.NOTHING_DECODABLE)


async def _scan_picture(
    candidate: Candidate, on_progress: Callable[[float], None] | None, *, stored_times: bool = True
) -> Scan:
    """Decode the candidate's picture. `stored_times`: see `scan.scan_arguments`. The time-out grows with length and size."""
    picture, limits, seconds = candidate.picture, candidate.limits, candidate.declared_seconds
    timeout = _decode_timeout(candidate)

    def report(progress: process.Progress) -> None:
        if on_progress is not None and seconds and picture.average_rate:
            on_progress(min(1.0, progress.frame / float(seconds * picture.average_rate)))

    try:
        return await scan(
            candidate.path,
            picture.index,
            stored_times=stored_times,
            gapless=candidate.probed.container.startswith(BROADCAST_PREFIX),
            claimed_seconds=seconds,
            timeout_seconds=timeout,
            memory_bytes=limits.memory_bytes,
            max_pixels=limits.max_pixels,
            on_progress=report,
        )
    except ProcessTimedOut as error:
        raise _too_slow(timeout) from error
    except TooManyFrames as error:
        raise SourceRefused("The file has more frames than any film has: it is damaged. Export it again.") from error


def _decode_timeout(candidate: Candidate) -> float:
    """How many seconds a decode of the whole picture may take: more for a longer and for a larger film."""
    picture, limits = candidate.picture, candidate.limits
    load = picture.width * picture.height * float(picture.average_rate or 25) / _FULL_HD_PIXELS_PER_SECOND
    slowness = limits.decode_seconds_per_second * min(_MAX_RELATIVE_LOAD, max(1.0, load))
    return limits.decode_seconds_base + slowness * (candidate.declared_seconds or limits.max_seconds / 24)


def _too_slow(timeout: float) -> SourceRefused:
    return SourceRefused(
        f"The picture could not be decoded within {timeout:.0f} seconds: it is damaged, or too large for this machine."
    )


async def _look_closely(candidate: Candidate, scanned: Scan) -> Scan:
    timeout = _decode_timeout(candidate)
    try:
        return await look_closely(candidate, scanned, timeout_seconds=timeout)
    except ProcessTimedOut as error:
        raise _too_slow(timeout) from error


async def _with_usable_clock(
    candidate: Candidate, scanned: Scan, on_progress: Callable[[float], None] | None
) -> tuple[Scan, list[Note]]:
    """The scan on a clock that only goes forward, and a note if the file's own clock was replaced.

    - Broadcast and streaming containers: ffmpeg removes the jumps. A gap in the picture during which sound goes on is no jump:
      removing it would put every later picture too early.
    - A clock that still goes back (Matroska files laid end to end) or is missing: frames are counted at an even rate.
    """
    # Slides lie far apart: only a gap of several of them is a jump.
    gap = max(_MIN_JUMP_SECONDS, _MIN_JUMP_STEPS * float(scanned.step * scanned.time_base))
    jumps = scanned.is_unordered or scanned.largest_gap_seconds > gap
    if (
        jumps
        and candidate.probed.container.startswith(_JUMPING_CONTAINERS)
        and not await _sound_spans_gap(candidate, scanned)
    ):
        mended = await _scan_picture(candidate, on_progress, stored_times=False)
        if not mended.is_unordered and mended.largest_gap_seconds < scanned.largest_gap_seconds:
            mended.concealed_at, mended.refused_at = scanned.concealed_at, scanned.refused_at
            return mended, [note("clock-repaired")]
    if not scanned.is_unordered:
        return scanned, []
    rate = source_streams.rate(candidate.picture, scanned).rate
    return scanned.counted(rate), [note("clock-replaced", rate=float(rate))]


async def _sound_spans_gap(candidate: Candidate, scanned: Scan) -> bool:
    """Whether sound goes on through the picture's largest gap."""
    if scanned.is_unordered or not candidate.probed.of_kind("audio"):
        return False
    sound = await sound_times(
        candidate.path, candidate.probed.of_kind("audio"), memory_bytes=candidate.limits.memory_bytes
    )
    return sound.end_seconds > 0 and sound.largest_gap_seconds < scanned.largest_gap_seconds / 2


def _check_frames(candidate: Candidate, scanned: Scan) -> None:
    """Refuse a film that is too long, too large, or has an impossible clock, by its decoded frames."""
    seconds, limits = float(scanned.duration_seconds), candidate.limits
    if seconds > limits.max_seconds:
        raise too_long(seconds, limits)
    if candidate.size_bytes * 8 < MIN_STILL_BPS * seconds:
        raise SourceRefused(
            f"The film's clock is broken: it spreads {scanned.frames} frames over {seconds / 3600:.1f} hours. Export it again."
        )
    if scanned.frames > max(_MIN_FRAMES_TO_CHECK_RATE, MAX_FRAMES_PER_SECOND * seconds):
        raise SourceRefused(
            f"The film's clock is broken: it has {scanned.frames} frames within {seconds:.3f} seconds. Export it again."
        )
    width, height = max((kind.pixels for kind in scanned.pictures.kinds), key=lambda size: size[0] * size[1])
    if width * height > limits.max_pixels:
        raise too_large(width, height, limits)
