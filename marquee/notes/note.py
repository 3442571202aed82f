"""One note, and what is done with a list of notes: bounded, ordered, filtered for viewers, turned into a refusal. Pure.

`note` is the only way to make a note: it fills the sentence of the code's kind with the figures. The figures come from
files of strangers, so texts are cut, and control characters become spaces (PostgreSQL's JSON holds no NUL).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from marquee.notes.kinds import KINDS
from marquee.notes.note_kind import SEVERITIES, Severity

MAX_NOTES: Final = 100
"""Notes that one stage hands on. A hostile file may have thousands of streams."""
_MAX_TEXT_CHARACTERS: Final = 300
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")

StreamKind = Literal["video", "audio", "subtitle", "data", "attachment", "sidecar", "other"]
Figure = int | float | str


class NoteStream(msgspec.Struct, frozen=True, kw_only=True):
    """The stream that a note is about.

    `index` is the stream's number in the film, as ffprobe prints it; of a `sidecar` its place among the upload's
    subtitle files. `language` is the tag that the file states; None without one.
    """

    kind: StreamKind
    index: int
    language: str | None = None


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the uploader of a film should know. `figures` are the values in the sentence."""

    code: str
    severity: Severity
    sentence: str
    stream: NoteStream | None = None
    figures: dict[str, Figure] = {}


def note(code: str, stream: NoteStream | None = None, **figures: Figure) -> Note:
    """The note with this code of `KINDS`. Raises `KeyError` for another code, or if a figure of its sentence is missing."""
    kind = KINDS[code]
    told = {name: _clean(value) if isinstance(value, str) else value for name, value in figures.items()}
    return Note(code=code, severity=kind.severity, sentence=kind.sentence.format(**told), stream=stream, figures=told)


def _clean(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()[:_MAX_TEXT_CHARACTERS]


def by_severity(notes: Iterable[Note]) -> list[Note]:
    """The notes, the most severe first, otherwise in their order."""
    return sorted(notes, key=lambda one: SEVERITIES.index(one.severity), reverse=True)


def bounded(notes: Sequence[Note]) -> list[Note]:
    """At most `MAX_NOTES` notes, in their order. The least severe are left out, and one more note counts them."""
    distinct = list({msgspec.json.encode(one): one for one in notes}.values())
    if len(distinct) <= MAX_NOTES:
        return distinct
    kept = {id(one) for one in by_severity(distinct)[: MAX_NOTES - 1]}
    return [
        *(one for one in distinct if id(one) in kept),
        note("notes-left-out", count=len(distinct) - len(kept)),
    ]


def for_viewers(notes: Iterable[Note]) -> list[Note]:
    """What concerns a viewer: the notes whose kind has a sentence for viewers, with that sentence alone, each once."""
    shown: dict[str, Note] = {}
    for one in notes:
        kind = KINDS.get(one.code)
        if kind is not None and kind.for_viewers is not None:
            shown[one.code] = Note(code=one.code, severity=one.severity, sentence=kind.for_viewers)
    return list(shown.values())


def parse_codes(text: str) -> frozenset[str]:
    """The codes of a list separated by commas. Raises `ValueError`, which lists the codes that a film can be refused for."""
    wanted = {word.strip() for word in text.split(",") if word.strip()}
    refusable = [code for code, kind in KINDS.items() if kind.remedy is not None]
    unknown = sorted(wanted.difference(refusable))
    if unknown:
        raise ValueError(f"{', '.join(unknown)} cannot be chosen; the codes are {', '.join(refusable)}")
    return frozenset(wanted)


def refusal(notes: Iterable[Note], codes: frozenset[str]) -> str | None:
    """Why a film with these notes is refused where `codes` are refused: the notes' sentences, then what to do.

    None if no note has one of the codes.
    """
    chosen = [one for one in by_severity(notes) if one.code in codes]
    if not chosen:
        return None
    remedies = dict.fromkeys(KINDS[one.code].remedy or "" for one in chosen)
    return " ".join([*dict.fromkeys(one.sentence for one in chosen[:3]), *list(remedies)[:3]]).strip()
