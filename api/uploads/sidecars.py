"""A subtitle file of an upload: what its bytes, its name and the request say of it, before anything is stored.

`marquee.media.text` owns the rules: which encoding a file has, and which files are refused. What the request does not state, the
file's name says. The stored object is the file as it was sent; the row says how to read it.
"""

import hashlib
from pathlib import PurePosixPath
from typing import Final

import msgspec

from api.uploads.schemas import SidecarIn, SidecarOut
from api.wire import notes_out
from marquee.documents import keys
from marquee.errors import InputInvalid, MediaTypeRefused, SubtitlesRefused
from marquee.media.text import encodings
from marquee.media.text.cue_text import shown_text
from marquee.media.text.languages import UNKNOWN, language_tag, text_label
from marquee.media.text.sidecar_names import read_name
from marquee.media.text.sidecars import SidecarUnreadable, encoding_refused, read_sidecar
from marquee.stores.catalogue.values import Sidecar

SIDECAR_SUFFIXES: Final = (".srt", ".vtt", ".ass", ".ssa", ".ttml", ".dfxp", ".xml")
_FIRST_LINE_CHARACTERS: Final = 120


class ReceivedSidecar(msgspec.Struct, frozen=True):
    """The bytes to store, the row, and the answer."""

    body: bytes
    stored: Sidecar
    answer: SidecarOut


def receive_sidecar(upload_id: str, sidecar: SidecarIn, index: int) -> ReceivedSidecar:
    """Read a subtitle file, the upload's `index`th from 0. Raises `MediaTypeRefused`, `InputInvalid`, `SubtitlesRefused`."""
    if PurePosixPath(sidecar.file_name).suffix.lower() not in SIDECAR_SUFFIXES:
        raise MediaTypeRefused(
            f"{sidecar.file_name} is not a subtitle file that is read here: use {', '.join(SIDECAR_SUFFIXES)}.",
            field="file_name",
        )
    body, stated = _body(sidecar)
    named = read_name(sidecar.file_name)
    wanted = None if sidecar.language == UNKNOWN else sidecar.language
    language = named.language if wanted is None else language_tag(wanted)
    try:
        read = read_sidecar(body, sidecar.file_name, index=index, language=language, stated=stated)
    except SidecarUnreadable as reason:
        of_file = "content" if sidecar.content is not None else "text"
        raise SubtitlesRefused(str(reason), field="encoding" if reason.about_encoding else of_file) from reason
    forced = _stated(sidecar.forced, named.forced)
    hearing_impaired = _stated(sidecar.hearing_impaired, named.hearing_impaired)
    commentary = _stated(sidecar.commentary, named.commentary)
    # Clients of earlier releases send the language's code as the label.
    label = sidecar.label if (sidecar.label or "").casefold() != (sidecar.language or "").casefold() else None
    # What a viewer gets is in the name, so that a file sent again with another language is another object.
    identity = msgspec.json.encode(
        [sidecar.file_name, sidecar.language, sidecar.label, stated, forced, hearing_impaired, commentary]
    )
    stored = Sidecar(
        key=keys.sidecar_key(upload_id, hashlib.sha256(identity + b"\0" + body).hexdigest()[:16]),
        file_name=sidecar.file_name,
        language=wanted if wanted is not None and language == UNKNOWN else language,
        label=label,
        encoding=read.decoded.encoding,
        encoding_guessed=read.decoded.guessed,
        forced=forced,
        hearing_impaired=hearing_impaired,
        commentary=commentary,
    )
    answer = SidecarOut(
        file_name=stored.file_name,
        language=stored.language,
        label=label or text_label(language, forced=forced, hearing_impaired=hearing_impaired, commentary=commentary),
        encoding=encodings.usual_name(read.decoded.encoding),
        encoding_guessed=read.decoded.guessed,
        forced=forced,
        hearing_impaired=hearing_impaired,
        commentary=commentary,
        first_line=shown_text(read.parsed.cues[0].text)[:_FIRST_LINE_CHARACTERS],
        notes=notes_out(read.notes),
    )
    return ReceivedSidecar(body, stored, answer)


def _body(sidecar: SidecarIn) -> tuple[bytes, str | None]:
    """(the file's bytes, its encoding by Python's name if it is stated)."""
    if (sidecar.content is None) == (sidecar.text is None):
        raise InputInvalid("Send the subtitle file either as content or as text.", field="content")
    if sidecar.text is not None:
        return sidecar.text.encode(), "utf-8"
    if sidecar.encoding is None:
        return sidecar.content or b"", None
    stated = encodings.canonical_encoding(sidecar.encoding)
    if stated is None:
        raise SubtitlesRefused(str(encoding_refused(sidecar.file_name, sidecar.encoding)), field="encoding")
    return sidecar.content or b"", stated


def _stated(wanted: bool | None, named: bool) -> bool:
    return named if wanted is None else wanted
