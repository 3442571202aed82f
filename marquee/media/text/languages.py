# ruff: noqa: RUF001 - letters of all languages
"""Turns a container's language tag into a BCP 47 tag and a label. The one place for names of languages in menus and manifests.

Containers carry ISO 639-2 in two spellings (`ger`, `deu`), BCP 47, or nonsense. Players want the shortest BCP 47 tag
(RFC 5646); people want a name. Pure: the library `langcodes` knows the registries.
"""

import re
from typing import Final

import langcodes
from langcodes.tag_parser import LanguageTagError

UNKNOWN = "und"
_FORCED: Final = re.compile(r"\bforced\b", re.IGNORECASE)
_HEARING: Final = re.compile(
    r"\b(sdh|cc|hi|hoh|closed captions?|captions?|(hearing|hard)[ -](impaired|of hearing))\b", re.IGNORECASE
)
_COMMENTARY: Final = re.compile(r"\b(comment|commentary|commentaries|kommentar|commentaire)\b", re.IGNORECASE)
_PLAIN: Final = re.compile(
    r"\b(subtitles?|subs?|full|srt|subrip|ass|ssa|text|track|subtitlehandler|handler|utf-?8)\b", re.IGNORECASE
)


def language_tag(stated: str | None) -> str:
    """The shortest BCP 47 tag: `fre` -> `fr`, `pt_br` -> `pt-BR`; a tag that no registry knows -> `und`."""
    try:
        language = langcodes.Language.get(langcodes.standardize_tag((stated or UNKNOWN).strip()))
    except (LanguageTagError, ValueError):
        return UNKNOWN
    return language.to_tag() if language.is_valid() else UNKNOWN


def language_label(tag: str) -> str | None:
    """The English name: `fr` -> `French`; None for `und` and for tags that name no language."""
    if tag in {UNKNOWN, "mis", "mul", "zxx"}:
        return None
    name = str(langcodes.Language.get(tag).display_name())
    return None if name.startswith("Unknown language") else name


def says_forced(title: str | None) -> bool:
    """Whether a track's title says that it has only what must be read: foreign dialogue and signs."""
    return _FORCED.search(title or "") is not None


def says_hearing_impaired(title: str | None) -> bool:
    """Whether a track's title says that it is for viewers who hear badly (SDH, CC)."""
    return _HEARING.search(title or "") is not None


def says_commentary(title: str | None) -> bool:
    """Whether a track's title says that it goes with a commentary."""
    return _COMMENTARY.search(title or "") is not None


def text_label(
    tag: str,
    title: str | None = None,
    *,
    forced: bool = False,
    hearing_impaired: bool = False,
    commentary: bool = False,
) -> str:
    """A text track's name in a player's menu: its language in English, then what kind of track it is.

    `German`, `English (SDH)`, `Portuguese (Brazil) (forced)`. What else the container's title says comes last:
    `Japanese (Signs & Songs)`. Without a language the title alone, or `Subtitles`.
    """
    kinds = [name for name, on in (("forced", forced), ("SDH", hearing_impaired), ("commentary", commentary)) if on]
    language = language_label(tag)
    more = _added_by_title(tag, title)
    if language is None:
        language, more = (more or "Subtitles"), None
    return " ".join([language, *(f"({one})" for one in [*kinds, more] if one)])


def _added_by_title(tag: str, title: str | None) -> str | None:
    """What a title says beside the language and the kind of track; None if nothing."""
    if not title:
        return None
    rest = title_beside_language(tag, title) or ""
    for pattern in (_FORCED, _HEARING, _COMMENTARY, _PLAIN):
        rest = pattern.sub(" ", rest)
    return _tidy(rest)


def title_beside_language(tag: str, title: str) -> str | None:
    """What a track's title says beside the name of its language; None if nothing."""
    rest = " ".join(title.split())
    known = langcodes.Language.get(tag)
    names = {
        tag,
        known.to_alpha3() if known.language else "",
        known.display_name(),
        known.language_name(),
        known.autonym(),
    }
    names |= {
        langcodes.Language.get(known.language or UNKNOWN).autonym(),
        known.to_alpha3(variant="B") if known.language else "",
    }
    for name in sorted((one for one in names if one), key=len, reverse=True):
        rest = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", rest, flags=re.IGNORECASE)
    return _tidy(rest)


def _tidy(rest: str) -> str | None:
    """A title without empty brackets, and without the signs that joined the words taken out of it."""
    rest = re.sub(r"[(\[]\s*[)\]]", " ", rest)
    return " ".join(rest.split()).strip("-–—:;,./|()[] ") or None
