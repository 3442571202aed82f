"""Finds a film's closed captions (CEA-608): inside its pictures, and in QuickTime caption tracks (`c608`, `c708`).

The scan of the stage `source` says whether pictures carry caption bytes. One ffmpeg command then copies only the packets' user
data, with their times; nothing is decoded (0.03 s of CPU for 10 s of film). `caption_data` reads the bytes and `eia608` decodes
them. `subtitles` names and writes the tracks.
"""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from marquee.documents import SourceDocument, SubtitleStream
from marquee.errors import ProcessFailed
from marquee.media.programs import binaries, process
from marquee.media.source.clock import Clock, picture_clock
from marquee.media.source.probe import untrusted_arguments
from marquee.media.text import captions, eia608
from marquee.media.text.caption_data import CaptionData, CaptionsUnreadable
from marquee.media.text.cues import MAX_CUES, Cue
from marquee.media.text.packets import packet_times
from marquee.notes import Note, NoteStream, note

TRACK_CODECS: Final = frozenset({"eia_608", "c608", "c708"})
_USER_DATA: Final = {"h264": "6", "hevc": "39-40", "vvc": "23-24", "mpeg2video": "178", "av1": "5"}
"""Types of the units with user data by codec: SEI messages, user data, metadata OBUs (ffmpeg's filter `filter_units`)."""
MAX_CAPTION_TRACKS: Final = 8
"""Each takes a read of the whole file."""
_ONLY_CEA708: Final = "they are CEA-708 alone, which cannot be decoded here"
_MAX_BYTES: Final = 512 * 1024**2
"""User data of a day of film with full CEA-708."""


class ClosedCaptions(NamedTuple):
    """The captions of one channel, on the picture's clock. `stream`: its caption track; None: inside the picture."""

    channel: str
    cues: list[Cue]
    stream: SubtitleStream | None = None


async def find_closed_captions(
    source: SourceDocument, path: Path, *, seconds: float, memory_bytes: int | None = None
) -> tuple[list[ClosedCaptions], list[Note]]:
    """Every channel with text, and what is told about them. `seconds` is the picture's duration."""
    streams = [one for one in source.subtitles if one.codec in TRACK_CODECS]
    inside = NoteStream(kind="video", index=source.video.index)
    if source.video.clock == "counted":
        useless = "the film's clock goes back, so their times are useless"
        return [], [note("captions-inside-left-out", inside, why=useless)] if source.video.captioned else []
    if not (streams or source.video.captioned):
        return [], []
    clock = await picture_clock(source, path, memory_bytes=memory_bytes)
    found, notes = [], []
    for place, stream in enumerate(streams):
        subject = f"The caption track {stream.index}"
        where = NoteStream(kind="subtitle", index=stream.index, language=stream.language)
        try:
            if place >= MAX_CAPTION_TRACKS:
                raise CaptionsUnreadable(f"a film has at most {MAX_CAPTION_TRACKS} caption tracks")
            data = await _read_track(stream, path, clock, memory_bytes)
            of_track = await asyncio.to_thread(_decoded, data, clock, seconds, stream)
        except CaptionsUnreadable as reason:
            notes.append(note("text-track-left-out", where, subject=subject, why=str(reason)))
            continue
        found += of_track
        if not of_track and data.has_cea708:
            notes.append(note("text-track-left-out", where, subject=subject, why=_ONLY_CEA708))
    if source.video.captioned:
        try:
            data = await _read_picture(source, path, clock, memory_bytes)
            of_picture = await asyncio.to_thread(_decoded, data, clock, seconds)
            if of_picture:
                channels = ", ".join(one.channel for one in of_picture)
                notes.append(note("captions-inside-read", inside, channels=channels))
            elif data.has_cea708:
                raise CaptionsUnreadable(_ONLY_CEA708)
            # A film that carries its captions twice shows them once.
            known = {tuple(one.cues) for one in found}
            found += [one for one in of_picture if tuple(one.cues) not in known]
        except CaptionsUnreadable as reason:
            notes.append(note("captions-inside-left-out", inside, why=str(reason)))
    return found, notes


def _decoded(
    data: CaptionData, clock: Clock, seconds: float, stream: SubtitleStream | None = None
) -> list[ClosedCaptions]:
    found = []
    for channel, cues in eia608.decode(data.pairs, clock.start_seconds + seconds).items():
        if len(cues) > MAX_CUES:
            raise CaptionsUnreadable(f"they have more than {MAX_CUES} cues")
        shown = captions.on_picture_clock(cues, offset_seconds=clock.start_seconds, duration_seconds=seconds)
        if shown:
            found.append(ClosedCaptions(channel, shown, stream))
    return found


async def _read_picture(source: SourceDocument, path: Path, clock: Clock, memory_bytes: int | None) -> CaptionData:
    """The caption bytes inside the picture, on the container's clock. Raises `CaptionsUnreadable`."""
    units = _USER_DATA.get(source.video.codec)
    if units is None:
        raise CaptionsUnreadable(f"they cannot be read from {source.video.codec}")
    filtered = ["-bsf", f"filter_units=pass_types={units}"]
    found = CaptionData()
    await _copy_packets(path, source.video.index, filtered, clock, memory_bytes, found.add_picture)
    return found


async def _read_track(stream: SubtitleStream, path: Path, clock: Clock, memory_bytes: int | None) -> CaptionData:
    """The caption bytes of a caption track. Raises `CaptionsUnreadable`."""
    found = CaptionData()
    await _copy_packets(path, stream.index, [], clock, memory_bytes, found.add_track_sample)
    return found


async def _copy_packets(
    path: Path,
    index: int,
    filtered: list[str],
    clock: Clock,
    memory_bytes: int | None,
    add: Callable[[float, bytes], None],
) -> None:
    """Calls `add` with (seconds, bytes) of each packet of a stream, in a thread: a long film has minutes of them."""
    with tempfile.TemporaryDirectory() as made:
        content, times = Path(made) / "content", Path(made) / "times"
        arguments = [str(binaries.ffmpeg()), "-hide_banner", "-nostdin", "-v", "error", "-y"]
        arguments += [f"-{name}" for name in clock.options]
        arguments += untrusted_arguments(path)
        for muxer, to in (("data", content), ("framecrc", times)):
            arguments += ["-map", f"0:{index}", "-c", "copy", *filtered, "-avoid_negative_ts", "disabled"]
            arguments += ["-fs", str(_MAX_BYTES + 1), "-f", muxer, str(to)]
        try:
            # The whole file is read, at 20 MB/s or more. Computing takes hardly any time.
            timeout = 120 + path.stat().st_size / 20e6
            await process.run(arguments, timeout_seconds=timeout, memory_bytes=memory_bytes)
        except ProcessFailed as error:
            raise CaptionsUnreadable("their stream cannot be read") from error
        if content.stat().st_size > _MAX_BYTES:
            raise CaptionsUnreadable(f"they have more than {_MAX_BYTES // 1024**2} MiB")
        await asyncio.to_thread(_read_packets, content, times, add)


def _read_packets(content: Path, times: Path, add: Callable[[float, bytes], None]) -> None:
    with content.open("rb") as stored:
        for start, _, size in packet_times(times):
            add(start, stored.read(size))
