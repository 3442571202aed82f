"""Writes a title's subtitles: every text track of the source and every uploaded sidecar file, as WebVTT with an HLS playlist.

Reads the source once for all its text tracks; writes `text/{name}/captions.vtt` and `text/{name}/index.m3u8` below the folder
that mirrors the published prefix. Times are moved to the picture's clock. A track that cannot become text (bitmaps, broken files)
is left out, a sentence says why, and the title never fails for it. Only a forced track is on by default: dubbing tools set the
default flag on every track, and viewers do not want captions that they did not ask for. Next: `manifest`.
"""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from marquee.documents import SourceDocument, SubtitlesDocument, SubtitleStream, TextTrack, keys
from marquee.errors import ProcessFailed
from marquee.media.programs import binaries, process
from marquee.media.source.clock import Clock, picture_clock
from marquee.media.source.probe import untrusted_arguments
from marquee.media.text import captions
from marquee.media.text.languages import language_label, language_tag

MAX_TRACK_BYTES: Final = 5 * 1024**2
"""A day of dense captions has 3 MB. The bound keeps a hostile file from filling the disk or the memory when it is unpacked."""
MAX_TRACKS: Final = 40


class SidecarFile(msgspec.Struct, frozen=True, kw_only=True):
    """A subtitle file that was uploaded with the film. Its times count from the film's first picture."""

    path: Path
    file_name: str
    language: str = "und"
    label: str | None = None


class _ParsedTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A track on the picture's clock, not yet named or written."""

    cues: list[captions.Cue]
    language: str
    label: str | None
    forced: bool = False


def extraction_arguments(source_path: Path, streams: Sequence[SubtitleStream], folder: Path, clock: Clock) -> list[str]:
    """One ffmpeg command that reads the source once and writes each text stream to `folder/{index}.srt`, on the clock `clock`."""
    arguments = [str(binaries.ffmpeg()), "-hide_banner", "-nostdin", "-v", "error", "-y"]
    arguments += [f"-{name}" for name in clock.options]
    arguments += untrusted_arguments(source_path)
    for stream in streams:
        bound = ["-fs", str(MAX_TRACK_BYTES + 1)]
        arguments += ["-map", f"0:{stream.index}", "-c:s", "subrip", *bound, "-f", "srt"]
        arguments.append(str(folder / f"{stream.index}.srt"))
    return arguments


async def _extract(
    source_path: Path, streams: Sequence[SubtitleStream], folder: Path, clock: Clock, memory_bytes: int | None
) -> None:
    await process.run(
        extraction_arguments(source_path, streams, folder, clock),
        # The whole file is read, at 20 MB/s or more. Computing takes hardly any time.
        timeout_seconds=120 + source_path.stat().st_size / 20e6,
        memory_bytes=memory_bytes,
    )


async def _embedded_tracks(
    source: SourceDocument, source_path: Path, seconds: float, memory_bytes: int | None
) -> tuple[list[_ParsedTrack], list[str]]:
    """The source's own text tracks, and a sentence for each track left out. `seconds` is the picture's duration."""
    left_out = [
        f"Subtitle track {one.index} ({_track_label(one)}) is left out: {one.codec} subtitles are pictures, not text."
        for one in source.subtitles
        if not one.text
    ]
    texts = [one for one in source.subtitles if one.text]
    if source.video.clock == "counted":
        left_out += [
            f"Subtitle track {one.index} ({_track_label(one)}) is left out: the film's clock goes back, so its times are useless."
            for one in texts
        ]
        return [], left_out
    streams = texts[:MAX_TRACKS]
    left_out += [_too_many() for _ in texts[MAX_TRACKS:]]
    found: list[_ParsedTrack] = []
    if not streams:
        return found, left_out
    clock = await picture_clock(source, source_path, memory_bytes=memory_bytes)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        try:
            await _extract(source_path, streams, folder, clock, memory_bytes)
        except ProcessFailed:
            for one in streams:  # one bad track makes the common command fail: read alone, only the bad one is lost
                try:
                    await _extract(source_path, [one], folder, clock, memory_bytes)
                except ProcessFailed:
                    (folder / f"{one.index}.srt").unlink(missing_ok=True)
        for one in streams:
            path = folder / f"{one.index}.srt"
            try:
                cues = captions.parse(captions.decode(_read(path))) if path.is_file() else []
                cues = captions.on_picture_clock(cues, offset_seconds=clock.start_seconds, duration_seconds=seconds)
                if not cues:
                    raise captions.NotSubtitles("has no cue within the picture" if path.is_file() else "cannot be read")
            except captions.NotSubtitles as reason:
                left_out.append(f"Subtitle track {one.index} ({_track_label(one)}) is left out: it {reason}.")
                continue
            tag = language_tag(one.language)
            found.append(
                _ParsedTrack(cues=cues, language=tag, label=one.title or language_label(tag), forced=one.forced)
            )
    return found, left_out


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_TRACK_BYTES:
        raise captions.NotSubtitles(f"is larger than {MAX_TRACK_BYTES // 1024**2} MiB")
    return path.read_bytes()


def _too_many() -> str:
    return f"A subtitle track is left out: a title has at most {MAX_TRACKS} subtitle tracks."


def _track_label(stream: SubtitleStream) -> str:
    tag = language_tag(stream.language)
    return stream.title or language_label(tag) or "language unknown"


def _sidecar_track(sidecar: SidecarFile, seconds: float) -> _ParsedTrack:
    """The track of a sidecar file. Raises `NotSubtitles`."""
    cues = captions.parse(captions.decode(_read(sidecar.path)))
    cues = captions.on_picture_clock(cues, offset_seconds=0.0, duration_seconds=seconds)
    if not cues:
        raise captions.NotSubtitles("has no cue within the picture")
    tag = language_tag(sidecar.language)
    return _ParsedTrack(cues=cues, language=tag, label=sidecar.label or language_label(tag))


def playlist(duration_seconds: float) -> str:
    """The HLS media playlist of a text track: one segment, as long as the picture."""
    return (
        "#EXTM3U\n#EXT-X-VERSION:6\n"
        f"#EXT-X-TARGETDURATION:{math.ceil(duration_seconds)}\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        f"#EXTINF:{duration_seconds:.3f},\n{keys.CAPTIONS}\n#EXT-X-ENDLIST\n"
    )


def _unique(wanted: str, joint: str, taken: set[str]) -> str:
    """`wanted`, with a number if it is in `taken`; the result is added to `taken`."""
    candidate, number = wanted, 1
    while candidate in taken:
        number += 1
        candidate = f"{wanted}{joint}{number}"
    taken.add(candidate)
    return candidate


async def extract_subtitles(
    source: SourceDocument,
    source_path: Path,
    sidecars: Sequence[SidecarFile],
    folder: Path,
    *,
    duration_seconds: float,
    memory_bytes: int | None = None,
) -> SubtitlesDocument:
    """Write every text track of a title below `folder`. Keys in the document are relative to the title's prefix.

    `left_out` in the document has one sentence for each track that is left out.
    """
    found, left_out = await _embedded_tracks(source, source_path, duration_seconds, memory_bytes)
    for sidecar in sidecars:
        try:
            found.append(_sidecar_track(sidecar, duration_seconds))
        except captions.NotSubtitles as reason:
            left_out.append(f"The subtitle file {sidecar.file_name} is left out: it {reason}.")
    left_out += [_too_many() for _ in found[MAX_TRACKS:]]
    names: set[str] = set()
    labels: set[str] = set()
    tracks: list[TextTrack] = []
    for one in found[:MAX_TRACKS]:
        name = _unique(one.language.lower() + ("-forced" if one.forced else ""), "-", names)
        label = " ".join((one.label or "Subtitles").split())[:60].replace('"', "'")
        own_folder = keys.track_folder("text", name)
        below = folder / own_folder
        below.mkdir(parents=True, exist_ok=True)
        (below / keys.CAPTIONS).write_text(captions.webvtt(one.cues), encoding="utf-8")
        (below / keys.PLAYLIST).write_text(playlist(duration_seconds))
        tracks.append(
            TextTrack(
                name=name,
                language=one.language,
                label=_unique(label, " ", labels),
                key=f"{own_folder}/{keys.CAPTIONS}",
                playlist=f"{own_folder}/{keys.PLAYLIST}",
                cues=len(one.cues),
                forced=one.forced,
                default=one.forced and not any(track.default for track in tracks),
            )
        )
    return SubtitlesDocument(movie_id=source.movie_id, version=source.version, tracks=tracks, left_out=left_out)
