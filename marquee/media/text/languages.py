"""Turns a container's language tag into a BCP 47 tag and a label. The one place for names of languages in menus and manifests.

Containers carry ISO 639-2 in two spellings (`ger`, `deu`), BCP 47, or nonsense. Players want the shortest BCP 47 tag
(RFC 5646); people want a name. Pure: the library `langcodes` knows the registries.
"""

import langcodes
from langcodes.tag_parser import LanguageTagError

UNKNOWN = "und"


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
