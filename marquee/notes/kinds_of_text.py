"""The notes about subtitles and closed captions: a part of the list `kinds.KINDS`, where the rules stand."""

from collections.abc import Mapping
from typing import Final

from marquee.notes.note_kind import NoteKind

_SIDECAR: Final = "Upload the subtitles as a text file (SRT, WebVTT or ASS) beside the film."

KINDS_OF_TEXT: Final[Mapping[str, NoteKind]] = {
    "subtitles-are-pictures": NoteKind(
        "source",
        "warning",
        "Subtitle track {index} ({track}) is left out: {format} subtitles are pictures, not text.",
        _SIDECAR,
    ),
    "subtitles-are-teletext": NoteKind(
        "source", "warning", "Subtitle track {index} ({track}) is left out: it is teletext.", _SIDECAR
    ),
    "subtitles-unknown": NoteKind(
        "source",
        "warning",
        "Subtitle track {index} ({track}) is left out: its format ({format}) is unknown to this platform.",
        _SIDECAR,
    ),
    "subtitles-untimed": NoteKind(
        "source",
        "warning",
        "Subtitle track {index} ({track}) is left out: the film's clock goes back, so its times are useless.",
        _SIDECAR,
    ),
    "captions-inside-left-out": NoteKind(
        "subtitles", "warning", "The closed captions inside the picture are left out: {why}.", _SIDECAR
    ),
    "captions-inside-read": NoteKind(
        "subtitles",
        "info",
        "The closed captions inside the picture ({channels}) became text tracks. Their language is not stated.",
        _SIDECAR,
    ),
    "text-track-left-out": NoteKind("subtitles", "warning", "{subject} is left out: {why}.", _SIDECAR),
    "text-encoding-guessed": NoteKind(
        "subtitles",
        "info",
        "{subject} is not UTF-8: it was read as {encoding}. If letters are wrong, upload it again with its encoding.",
        "Save it as UTF-8.",
    ),
    "text-bytes-replaced": NoteKind(
        "subtitles",
        "warning",
        "{subject} has {count} damaged characters, which are shown as \N{REPLACEMENT CHARACTER}.",
        _SIDECAR,
    ),
    "text-cues-left-out": NoteKind(
        "subtitles",
        "warning",
        "{count} cues of {track} are left out: they end before they begin, or are damaged.",
        _SIDECAR,
    ),
    "text-cues-repaired": NoteKind(
        "subtitles",
        "info",
        "{subject} has {count} cues without an end: each stays until the next one, at most 5 s.",
        _SIDECAR,
    ),
}
