"""Reads a subtitle file that was uploaded beside a film: its bytes become text and cues, or a sentence that says why not. Pure.

The API asks before it takes a file, so an unreadable one is refused before the film is sent; the stage `subtitles` asks again
when it makes the track. Every sentence about an encoding that was guessed or cannot be told comes from here.
"""

import re
from typing import Final

import msgspec

from marquee.media.text import captions, encodings
from marquee.media.text.cues import NotSubtitles, Parsed
from marquee.media.text.languages import UNKNOWN
from marquee.notes import Note, NoteStream, note

_READ_FORMATS: Final = "SubRip (.srt), WebVTT (.vtt), ASS or TTML"
_DECLARED: Final = re.compile(rb"""(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}encoding=["']([A-Za-z0-9._-]{1,40})["']""")


class SidecarRead(msgspec.Struct, frozen=True, kw_only=True):
    """A subtitle file as text and cues."""

    decoded: encodings.Decoded
    parsed: Parsed
    notes: list[Note]


class SidecarUnreadable(ValueError):
    """The message is a whole sentence with the file's name, the guess and what to do.

    `about_encoding`: another stated encoding may help.
    """

    def __init__(self, sentence: str, *, about_encoding: bool = False) -> None:
        super().__init__(sentence)
        self.about_encoding = about_encoding


def encoding_refused(file_name: str, stated: str) -> SidecarUnreadable:
    """An encoding that is not known here."""
    return SidecarUnreadable(
        f"{file_name}: there is no encoding {stated[:40]}. Use a name such as utf-8, windows-1251, shift_jis or big5.",
        about_encoding=True,
    )


def read_sidecar(
    content: bytes, file_name: str, *, index: int, language: str, stated: str | None = None, tolerant: bool = False
) -> SidecarRead:
    """Decode and parse a file, the upload's `index`th from 0. `stated`: its encoding by Python's name.

    Raises `SidecarUnreadable`.

    With `tolerant` bytes that the stated encoding lacks become U+FFFD, and a note counts them.
    """
    try:
        decoded = _decoded(content, language, stated, tolerant=tolerant)
    except encodings.EncodingUnknown as reason:
        raise SidecarUnreadable(
            f"{file_name} cannot be read: it {reason}.{_remedy(reason, stated)}", about_encoding=True
        ) from reason
    stream = NoteStream(kind="sidecar", index=index, language=None if language == UNKNOWN else language)
    subject = f"The subtitle file {file_name}"
    notes = decoding_notes(decoded, subject, stream)
    if (other := captions.other_format(decoded.text)) is not None:
        raise SidecarUnreadable(
            f"{file_name} is in the format {other}, which is not read here: convert it to {_READ_FORMATS}."
        )
    try:
        parsed = captions.parse_file(decoded.text)
    except NotSubtitles as reason:
        raise SidecarUnreadable(
            f"{file_name} {reason}: save it as {_READ_FORMATS}, with a time for each cue."
        ) from reason
    if parsed.left_out:
        notes.append(note("text-cues-left-out", stream, count=parsed.left_out, track=f"the subtitle file {file_name}"))
    return SidecarRead(decoded=decoded, parsed=parsed, notes=notes)


def _decoded(content: bytes, language: str, stated: str | None, *, tolerant: bool) -> encodings.Decoded:
    """The file's text. Without a stated encoding, that of an XML declaration is tried first."""
    declared = _DECLARED.match(content) if stated is None else None
    if declared is not None and (named := encodings.canonical_encoding(declared[1].decode())) is not None:
        try:
            return encodings.decode(content, language=language, stated=named)
        except encodings.EncodingUnknown:
            pass  # declarations are often wrong: the bytes decide
    return encodings.decode(content, language=language, stated=stated, tolerant=tolerant)


def _remedy(reason: encodings.EncodingUnknown, stated: str | None) -> str:
    if stated is not None:
        return " Name its right encoding, or none: it is then found out."
    if reason.guess is None:
        return (
            " Save it as UTF-8, or name its encoding, such as windows-1251."
            if str(reason) != "is not text"
            else f" Save it as {_READ_FORMATS}."
        )
    guess = encodings.usual_name(reason.guess)
    return f" It may be {guess}: if so, name that encoding. Else save the file as UTF-8, or name its language."


def decoding_notes(decoded: encodings.Decoded, subject: str, stream: NoteStream) -> list[Note]:
    """What to tell about how a track was decoded. `subject` begins the sentences."""
    notes = []
    if decoded.guessed:
        encoding = encodings.usual_name(decoded.encoding)
        notes.append(note("text-encoding-guessed", stream, subject=subject, encoding=encoding))
    if decoded.replaced:
        notes.append(note("text-bytes-replaced", stream, subject=subject, count=decoded.replaced))
    return notes
