"""How text becomes words, the same for documents, queries and both engines.

Case, accents and decorated letters are folded. An apostrophe or a dot between letters joins them ("Ocean's" is `oceans`,
"S.W.A.T." is `swat`); any other sign separates. Each CJK character is a word. Roman numerals after the first word become
numbers ("Rocky II" and "Rocky 2"). A trailing article moves to the front ("Matrix, The"). Any input of any size is valid:
control characters, emoji and lone surrogates separate, and a text that consists only of signs is one word.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

MAX_CHARACTERS = 2000
MAX_WORD_CHARACTERS = 40
MAX_QUERY_CHARACTERS = 200
MAX_QUERY_WORDS = 12

_FOLDED = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ł": "l",
        "\u0131": "i",
        "ħ": "h",
        "&": " and ",
    }
)
_JOINING_SIGN = re.compile(r"(?<=\w)['\u2019\u02bc`\u00b4\u2018](?=\w)")
_INITIALS = re.compile(r"\b(?:\w\.){2,}(?:\w\b)?")
_CJK = re.compile(r"([぀-ヿ㐀-䶿一-鿿가-힯])")
_WORD = re.compile(r"[^\W_]+")
_TRAILING_ARTICLE = re.compile(
    r"^(.*), (the|a|an|le|la|les|l'|der|die|das|el|los|las|il|lo|gli|i|un|une)$", re.IGNORECASE
)
_NUMERALS = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
ARTICLES = frozenset({"the", "a", "an", "le", "la", "les", "der", "die", "das", "el", "los", "las", "il", "lo"})


@lru_cache(maxsize=65536)
def words(text: str) -> tuple[str, ...]:
    """The folded words of a text; of its first `MAX_CHARACTERS` only."""
    text = text[:MAX_CHARACTERS]
    moved = _TRAILING_ARTICLE.match(text)
    if moved:
        text = f"{moved[2]} {moved[1]}"
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_FOLDED))
    folded = "".join(character for character in folded if not unicodedata.combining(character)).translate(_FOLDED)
    folded = _JOINING_SIGN.sub("", folded)
    folded = _INITIALS.sub(lambda initials: initials[0].replace(".", "") + " ", folded)
    found = [word[:MAX_WORD_CHARACTERS] for word in _WORD.findall(_CJK.sub(r" \1 ", folded))]
    if not found:
        signs = "".join(folded.split()).encode("utf-8", "ignore").decode()
        printable = "".join(sign for sign in signs if sign.isprintable())[:MAX_WORD_CHARACTERS]
        return (printable,) if printable else ()
    return (found[0], *(_NUMERALS.get(word, word) for word in found[1:]))


def query_words(query: str) -> tuple[str, ...]:
    """The words of a query: at most `MAX_QUERY_WORDS`, of its first `MAX_QUERY_CHARACTERS`."""
    return words(query[:MAX_QUERY_CHARACTERS])[:MAX_QUERY_WORDS]


def joined_pairs(found: tuple[str, ...]) -> list[str]:
    """Each two neighbouring words written as one, to find "WarGames" by "war games" and "Spider-Man" by "spiderman"."""
    return [(one + other)[:MAX_WORD_CHARACTERS] for one, other in pairwise(found)]


def name_key(found: tuple[str, ...]) -> str:
    """The words of a name as one key, to compare whole names. A leading article is left out."""
    return " ".join(found[1:] if len(found) > 1 and found[0] in ARTICLES else found)


def stem(word: str) -> str:
    """The rough singular of a plural, for descriptions and genres, where the exact form does not matter."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
