"""Writes a title's subtitles: every text track of the source and every uploaded sidecar file, as WebVTT with an HLS playlist.

`embedded` reads the source once for all its text tracks, `sidecars` the uploaded files; this module names the tracks and
writes `text/{name}/captions.vtt` and `text/{name}/index.m3u8` below the folder that mirrors the published prefix. Times are
moved to the picture's clock. A track that cannot become text (bitmaps, broken files) is left out, a note says why, and the
title never fails for it. Only a forced track is on by default: dubbing tools set the default flag on every track, and viewers
do not want captions that they did not ask for. Next: `manifest`.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from marquee.documents import SourceDocument, SubtitlesDocument, SubtitleStream, TextTrack, keys
from marquee.media.package.playlists import text_playlist
from marquee.media.source.clock import picture_clock
from marquee.media.text import captions, closed_captions, embedded, encodings
from marquee.media.text.cues import Cue, NotSubtitles
from marquee.media.text.languages import UNKNOWN, language_label, language_tag, text_label
from marquee.media.text.sampled_text import EmbeddedText
from marquee.media.text.sidecar_names import read_name
from marquee.media.text.sidecars import SidecarUnreadable, decoding_notes, read_sidecar
from marquee.notes import Note, NoteStream, bounded, note

MAX_TRACKS: Final = 40
_TOO_MANY: Final = f"a title has at most {MAX_TRACKS} subtitle tracks"


class SidecarFile(msgspec.Struct, frozen=True, kw_only=True):
    """A subtitle file that was uploaded with the film. Its times count from the film's first picture.

    A label that is the language's code, as earlier releases stored it, is replaced by the language's name.

    `encoding`: Python's name of the encoding that the upload found or was told; None: it is found out here. Without a language
    the file's name is asked.
    """

    path: Path
    file_name: str
    language: str = UNKNOWN
    label: str | None = None
    encoding: str | None = None
    encoding_guessed: bool = False
    forced: bool = False
    hearing_impaired: bool = False
    commentary: bool = False


class _NamedTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A track on the picture's clock, named and not yet written."""

    cues: list[Cue]
    language: str
    label: str
    forced: bool = False
    hearing_impaired: bool = False
    commentary: bool = False


class _Notes:
    """Collects what is told about the tracks."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def leave_out(self, subject: str, why: str, stream: NoteStream) -> None:
        self.notes.append(note("text-track-left-out", stream, subject=subject, why=why))


async def _embedded_tracks(
    source: SourceDocument, source_path: Path, seconds: float, memory_bytes: int | None, notes: _Notes
) -> list[_NamedTrack]:
    """The source's own text tracks. `seconds` is the picture's duration.

    Pictures, teletext and useless times are noted by the stage `source`.
    """
    if source.video.clock == "counted":
        return []
    texts = [one for one in source.subtitles if one.text and one.codec not in closed_captions.TRACK_CODECS]
    for one in texts:
        if one.codec not in embedded.READ_CODECS:
            notes.leave_out(_subject(one), f"its format ({one.codec}) is not read here", _stream(one))
    texts = [one for one in texts if one.codec in embedded.READ_CODECS]
    for one in texts[MAX_TRACKS:]:
        notes.leave_out(_subject(one), _TOO_MANY, _stream(one))
    streams = texts[:MAX_TRACKS]
    found: list[_NamedTrack] = []
    if not streams:
        return found
    clock = await picture_clock(source, source_path, memory_bytes=memory_bytes)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        await embedded.copy_tracks(source_path, streams, folder, clock, memory_bytes=memory_bytes)
        for one in streams:
            try:
                read = embedded.read_track(one, folder, language_tag(one.language))
                cues = captions.on_picture_clock(
                    read.parsed.cues, offset_seconds=clock.start_seconds, duration_seconds=seconds
                )
                if not cues:
                    raise NotSubtitles("has no cue within the picture")
            except NotSubtitles as reason:
                notes.leave_out(_subject(one), f"it {reason}", _stream(one))
                continue
            except encodings.EncodingUnknown as reason:
                remedy = "upload it as a subtitle file, and name its encoding"
                notes.leave_out(_subject(one), f"it {reason}: {remedy}", _stream(one))
                continue
            notes.notes += _embedded_notes(one, read)
            found.append(_named(one, cues))
    return found


def _named(stream: SubtitleStream, cues: list[Cue]) -> _NamedTrack:
    tag = language_tag(stream.language)
    return _NamedTrack(
        cues=cues,
        language=tag,
        label=_track_label(stream),
        forced=stream.forced,
        hearing_impaired=stream.hearing_impaired,
        commentary=stream.commentary,
    )


def _captions_track(found: closed_captions.ClosedCaptions) -> _NamedTrack:
    tag = language_tag(found.stream.language) if found.stream is not None else UNKNOWN
    language = language_label(tag)
    kind = "Closed captions" if found.channel == "CC1" else f"Closed captions {found.channel}"
    label = kind if language is None else f"{language} ({kind[0].lower()}{kind[1:]})"
    return _NamedTrack(cues=found.cues, language=tag, label=label, hearing_impaired=True)


def _embedded_notes(stream: SubtitleStream, read: EmbeddedText) -> list[Note]:
    subject, where = _subject(stream), _stream(stream)
    notes = decoding_notes(read.decoded, subject, where)
    if read.parsed.left_out:
        notes.append(note("text-cues-left-out", where, count=read.parsed.left_out, track=subject.lower()))
    if read.repaired:
        notes.append(note("text-cues-repaired", where, count=read.repaired, subject=subject))
    return notes


def _stream(stream: SubtitleStream) -> NoteStream:
    return NoteStream(kind="subtitle", index=stream.index, language=stream.language)


def _subject(stream: SubtitleStream) -> str:
    named = _track_label(stream)
    return f"Subtitle track {stream.index} ({'language unknown' if named == 'Subtitles' else named})"


def _track_label(stream: SubtitleStream) -> str:
    return text_label(
        language_tag(stream.language),
        stream.title,
        forced=stream.forced,
        hearing_impaired=stream.hearing_impaired,
        commentary=stream.commentary,
    )


def _sidecar_track(sidecar: SidecarFile, index: int, seconds: float, notes: _Notes) -> _NamedTrack | None:
    """The track of a sidecar file; None if it is left out."""
    subject = f"The subtitle file {sidecar.file_name}"
    tag = language_tag(sidecar.language)
    if tag == UNKNOWN:
        tag = read_name(sidecar.file_name).language
    where = NoteStream(kind="sidecar", index=index, language=None if tag == UNKNOWN else tag)
    try:
        content = embedded.read_bounded(sidecar.path)
        read = read_sidecar(
            content, sidecar.file_name, index=index, language=tag, stated=sidecar.encoding, tolerant=True
        )
        notes.notes += read.notes
        if sidecar.encoding_guessed:
            guessed = msgspec.structs.replace(read.decoded, guessed=True, replaced=0)
            notes.notes += decoding_notes(guessed, subject, where)
        cues = captions.on_picture_clock(read.parsed.cues, offset_seconds=0.0, duration_seconds=seconds)
        if not cues:
            raise NotSubtitles("has no cue within the picture")
    except NotSubtitles as reason:
        notes.leave_out(subject, f"it {reason}", where)
        return None
    except SidecarUnreadable as reason:
        notes.leave_out(subject, str(reason).rstrip("."), where)
        return None
    forced, hearing_impaired, commentary = sidecar.forced, sidecar.hearing_impaired, sidecar.commentary
    label = text_label(tag, forced=forced, hearing_impaired=hearing_impaired, commentary=commentary)
    return _NamedTrack(
        cues=cues,
        language=tag,
        label=label if sidecar.label is None or sidecar.label == sidecar.language else sidecar.label,
        forced=forced,
        hearing_impaired=hearing_impaired,
        commentary=commentary,
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

    The document's notes say what was left out, guessed or repaired.
    """
    notes = _Notes()
    found = await _embedded_tracks(source, source_path, duration_seconds, memory_bytes, notes)
    inside, told = await closed_captions.find_closed_captions(
        source, source_path, seconds=duration_seconds, memory_bytes=memory_bytes
    )
    notes.notes += told
    found += [_captions_track(one) for one in inside]
    for index, sidecar in enumerate(sidecars):
        track = _sidecar_track(sidecar, index, duration_seconds, notes)
        if track is not None:
            found.append(track)
    for one in found[MAX_TRACKS:]:
        notes.leave_out(f"The subtitle track {one.label}", _TOO_MANY, NoteStream(kind="subtitle", index=0))
    names: set[str] = set()
    labels: set[str] = set()
    tracks: list[TextTrack] = []
    for one in found[:MAX_TRACKS]:
        name = _unique(_folder_name(one), "-", names)
        label = _unique(" ".join(one.label.split())[:60].replace('"', "'"), " ", labels)
        own_folder = keys.track_folder("text", name)
        below = folder / own_folder
        below.mkdir(parents=True, exist_ok=True)
        body = captions.webvtt(one.cues).encode()
        (below / keys.CAPTIONS).write_bytes(body)
        (below / keys.PLAYLIST).write_text(text_playlist(duration_seconds))
        tracks.append(
            TextTrack(
                name=name,
                language=one.language,
                label=label,
                key=f"{own_folder}/{keys.CAPTIONS}",
                playlist=f"{own_folder}/{keys.PLAYLIST}",
                cues=len(one.cues),
                size_bytes=len(body),
                forced=one.forced,
                hearing_impaired=one.hearing_impaired,
                commentary=one.commentary,
                default=one.forced and not one.commentary and not any(track.default for track in tracks),
            )
        )
    return SubtitlesDocument(
        movie_id=source.movie_id, version=source.version, tracks=tracks, notes=bounded(notes.notes)
    )


def _folder_name(track: _NamedTrack) -> str:
    kinds = (("forced", track.forced), ("sdh", track.hearing_impaired), ("commentary", track.commentary))
    return "-".join([track.language.lower(), *(name for name, on in kinds if on)])
