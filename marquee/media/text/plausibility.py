# ruff: noqa: RUF001 - letters of all languages
"""Says how plausible a text is in a language: which part of its characters beyond ASCII does not stand so in that language. Pure.

Bytes that were read by the wrong table give foreign letters, capitals and signs inside words, and control characters.
`encodings` asks for every table that decodes a file.
"""

import itertools
import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Final

from marquee.media.text.letters import LETTERS

_SAMPLE: Final = 5_000
"""Characters beyond ASCII that are judged. The whole file must decode all the same."""
_NEVER: Final = 5
_INSIDE_WORDS: Final = frozenset("’‘´ʼ·'`\u00ad\u200c\u200d\u200e\u200f")
_BESIDE_WORDS: Final = frozenset(
    "“”„‚‘’‹›«»…–—―•¿¡°©®™€£،؛؟٪־׳״♪♫♩♬№・、。！？（）「」『』《》〈〉，：；～·\u00a0\u202f\u3000"
)
_BETWEEN_WORDS: Final = frozenset("–—―…\u00a0\u202f\u3000")
"""Punctuation of subtitles. Any other sign at a letter comes from the wrong table."""

_CANTONESE: Final = frozenset(
    "佢哋喺嘢冇咁嗰啲咗嘅咩嚟㗎噉嗌嚿攞揾搵瞓踎嬲氹冚啱喇啩啫嘞嘥嘈掟諗睇嗱吖囉嘩乜嘰啦呀吓咪唞嗮晒嚇"
)
"""Characters of spoken Cantonese. Big5's first level has few of them: most came with Hong Kong's supplement."""

Place = tuple[str, str, str]
"""A character beyond ASCII between its neighbours."""


def places_of(text: str) -> Counter[Place]:
    found = itertools.islice(re.finditer(r"[^\x00-\x7f]", text), _SAMPLE)
    return Counter(
        (text[max(0, one.start() - 1) : one.start()], one[0], text[one.end() : one.end() + 1]) for one in found
    )


def is_east_asian(language: str) -> bool:
    """Whether the language is judged by how common its characters are, because it has no alphabet here."""
    return language not in LETTERS


def implausible_share(places: Counter[Place], language: str) -> float:
    """Which part of the characters beyond ASCII does not stand so in the language: foreign letters, signs inside words."""
    letters = _own_letters(language)
    wrong = sum(count * _implausible(*place, letters) for place, count in places.items())
    return wrong / max(1, places.total())


def _implausible(before: str, letter: str, after: str, letters: frozenset[str] | None) -> int:
    """How much a place speaks against the encoding: 1 for a foreign letter, `_NEVER` for a sign inside a word."""
    category = unicodedata.category(letter)
    if category in {"Cc", "Co", "Cn"}:
        return _NEVER
    if letters is None:
        # In East Asian text a small Latin letter stands on both sides of a character only by chance, and on one side seldom.
        mixed = before.islower() != after.islower() and (before + after).isascii()
        return int(mixed or (category[0] in "LM" and not _common_in_east_asia(letter)))
    if category[0] not in "LM" and letter not in "ªº":
        if before.isalpha() and after.isalpha():
            return 0 if letter in _INSIDE_WORDS | _BETWEEN_WORDS else _NEVER
        beside = before.isalpha() or after.isalpha()
        return _NEVER if beside and letter not in _BESIDE_WORDS | _INSIDE_WORDS else 0
    if letter not in letters:
        return 1
    if not _is_latin(letter) and any(beside.isascii() and beside.isalpha() for beside in (before, after)):
        return 1
    return int((letter.isupper() and before.islower()) or (letter.islower() and after.isupper()))


@lru_cache(2_000)
def _is_latin(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "M" or "LATIN" in unicodedata.name(letter, "") or letter in "ªº"


@lru_cache(64)
def _own_letters(language: str) -> frozenset[str] | None:
    letters = LETTERS.get(language)
    return None if letters is None else frozenset(letters + letters.upper() + letters.title())


@lru_cache(20_000)
def _common_in_east_asia(letter: str) -> bool:
    """Whether East Asian text often has this letter: kana, hangul, and the first level of each standard's characters."""
    if "\uff66" <= letter <= "\uff9f" or letter in _CANTONESE:
        return True
    for codec, first, last in (
        ("gb2312", 0xB0, 0xD7),
        ("big5", 0xA4, 0xC6),
        ("euc_jp", 0xB0, 0xCF),
        ("euc_kr", 0xB0, 0xC8),
    ):
        try:
            lead = letter.encode(codec)
        except UnicodeEncodeError:
            continue
        if len(lead) == 2 and (first <= lead[0] <= last or (codec == "euc_jp" and lead[0] in {0xA1, 0xA3, 0xA4, 0xA5})):
            return True
    return False
