"""Names of languages, for menus and manifests: one place that turns a container's tag into BCP 47 and a label.

Containers carry ISO 639-2 in two spellings (`ger`, `deu`), BCP 47, or nonsense; players want the shortest BCP 47 tag
(RFC 5646), and people want a name.
"""

import langcodes
from langcodes.tag_parser import LanguageTagError

UNKNOWN = "und"


def language_tag(stated: str | None) -> str:
    """`fre` -> `fr`, `pt_br` -> `pt-BR`; what no registry knows -> `und`."""
    try:
        language = langcodes.Language.get(langcodes.standardize_tag((stated or UNKNOWN).strip()))
    except (LanguageTagError, ValueError):
        return UNKNOWN
    return language.to_tag() if language.is_valid() else UNKNOWN


def language_label(tag: str) -> str | None:
    """`fr` -> `French`; None for `und` and for tags that name no language."""
    if tag in {UNKNOWN, "mis", "mul", "zxx"}:
        return None
    name = str(langcodes.Language.get(tag).display_name())
    return None if name.startswith("Unknown language") else name
