"""Reads a subtitle file's name: its language, and whether it is forced, for the hearing impaired, or with a commentary. Pure.

By custom the name ends with the language and then the kind: `film.de.srt`, `de.srt`, `film.pt-BR.forced.srt`, `Film
(2009).eng.hi.srt` (`hi` after a language means "hearing impaired", alone it is Hindi). A word that may also be an ordinary
one counts only if it is written as a code: `Dr.No.srt` has no language. The API asks here; clients do not guess.
"""

import re
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Final

import langcodes
import msgspec

from marquee.media.text.languages import UNKNOWN, language_tag
from marquee.media.text.letters import ENCODINGS

_KINDS: Final = {
    "forced": "forced",
    "sdh": "hearing_impaired",
    "cc": "hearing_impaired",
    "hi": "hearing_impaired",
    "hoh": "hearing_impaired",
    "commentary": "commentary",
    "comment": "commentary",
    "comments": "commentary",
    "default": "",
    "full": "",
}
_BEFORE_LANGUAGE: Final = {"forced": "forced", "sdh": "hearing_impaired", "commentary": "commentary"}
_LAST_WORD: Final = re.compile(r"(?:^|[.\s_(\[-])([^.\s_()\[\]-]+)[)\]]?$")
_LAST_TAG: Final = re.compile(
    r"(?:^|(?<=[.\s_(\[-]))([A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|[0-9]{3}))?)[)\]]?$"
)
_MIN_SPEAKERS: Final = 1_000_000
"""A code of three letters is a language only if that many people speak it: most others are English words (`man`, `her`)."""
_WITHOUT_SPEAKERS: Final = frozenset({"la", "eo", "cmn"})


class SidecarName(msgspec.Struct, frozen=True, kw_only=True):
    """What a file's name says. `language` is a BCP 47 tag, or `und`."""

    language: str = UNKNOWN
    forced: bool = False
    hearing_impaired: bool = False
    commentary: bool = False


def read_name(file_name: str) -> SidecarName:
    """The language and the kind of track that a subtitle file's name states."""
    stem = PurePosixPath(file_name).stem
    kinds: set[str] = set()
    while (word := _LAST_WORD.search(stem)) is not None and (kind := word[1].lower()) in _KINDS:
        rest = stem[: word.start()]
        if kind in {"hi", "cc", "full"} and not rest:
            break
        if kind == "hi" and _language(rest) == UNKNOWN and not _ends_with_kind(rest):
            break
        kinds.add(_KINDS[kind])
        stem = rest
    language, before = _language_and_rest(stem)
    if language != UNKNOWN and (word := _LAST_WORD.search(before)) is not None:
        kinds.add(_BEFORE_LANGUAGE.get(word[1].lower(), ""))
    return SidecarName(
        language=language,
        forced="forced" in kinds,
        hearing_impaired="hearing_impaired" in kinds,
        commentary="commentary" in kinds,
    )


def _ends_with_kind(stem: str) -> bool:
    word = _LAST_WORD.search(stem)
    return word is not None and word[1].lower() in _KINDS and _language(stem[: word.start()]) != UNKNOWN


def _language(stem: str) -> str:
    return _language_and_rest(stem)[0]


def _language_and_rest(stem: str) -> tuple[str, str]:
    """The language at the end of a name, and the name without it."""
    found = _LAST_TAG.search(stem)
    if found is not None:
        rest = stem[: found.start()]
        tag = _tag_of_code(found[1], joined=rest.endswith("-"))
        if tag != UNKNOWN:
            return tag, rest.rstrip(".-_ ([")
    before, dot, name = stem.rpartition(".")
    return (_names().get(name.casefold(), UNKNOWN), before) if dot and before else (UNKNOWN, stem)


def _tag_of_code(code: str, *, joined: bool) -> str:
    """The tag of `de`, `ger`, `pt-BR`, `zh_Hans`; `und` for a word. `joined`: it follows a hyphen, as `man` in `spider-man`."""
    first = re.split(r"[-_]", code)[0]
    bare = first == code
    if bare and not (code.islower() or code.isupper()):
        return UNKNOWN
    if bare and joined and len(code) != 2:
        return UNKNOWN
    tag = language_tag(code.replace("_", "-"))
    if tag == UNKNOWN:
        return UNKNOWN
    language = langcodes.Language.get(tag)
    speakers = langcodes.Language.get(language.language or UNKNOWN).speaking_population()
    known = language.language in ENCODINGS or language.language in _WITHOUT_SPEAKERS
    common = speakers >= (_MIN_SPEAKERS if len(first) == 3 else 50_000)
    shortened = len(first) == 2 or len(language.language or "") == 2 or language.language in {"fil", "yue", "cmn"}
    return tag if shortened and (known or common) else UNKNOWN


@lru_cache(1)
def _names() -> dict[str, str]:
    """Tags by the names of languages, in English and in the language itself."""
    named: dict[str, str] = {}
    for tag in (
        *ENCODINGS,
        "hi",
        "bn",
        "ta",
        "te",
        "ml",
        "kn",
        "mr",
        "gu",
        "pa",
        "ka",
        "hy",
        "mn",
        "km",
        "my",
        "lo",
        "si",
        "ne",
    ):
        language = langcodes.Language.get(tag)
        named.setdefault(language.display_name().casefold(), tag)
        named.setdefault(language.autonym().casefold(), tag)
    return named
