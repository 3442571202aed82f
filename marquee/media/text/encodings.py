"""Finds the encoding of a subtitle file's bytes. Pure: bytes in, text and the encoding's name out.

`proven_encodings` says what the bytes themselves prove. Anything older is a guess: the library `chardet` ranks the tables, the
language in the file's name narrows them (`letters`), and a table that gives letters which the language does not have is out. If
two tables give different text and neither is much likelier, the file is refused: a wrong letter in every line is worse than a
question. A file that was joined from two encodings is read line by line.
`sidecars` and `embedded` call this; the guess is reported as a note.
"""

import codecs
import math
import re
from typing import Final

import chardet
import langcodes
import msgspec

from marquee.media.text.letters import ENCODINGS
from marquee.media.text.plausibility import implausible_share, is_east_asian, places_of
from marquee.media.text.proven_encodings import MARKS, WIDE, Decoded, EncodingUnknown, proven

__all__ = ["ALLOWED", "Decoded", "EncodingUnknown", "canonical_encoding", "decode", "usual_name"]

MAX_IMPLAUSIBLE: Final = 0.05
"""Share of the characters beyond ASCII that may be foreign letters: names and quotations. Measured over 40 languages.

With a known language one more is allowed: it may be all that a short file has."""
MAX_RARE: Final = 0.4
"""Share of rare characters that a file in a known East Asian language may have: dialect, names."""
MIN_LEAD: Final = 2.0
"""How many times likelier than the next one a guess without a language must be. Measured too."""
MIN_LEAD_WITH_LANGUAGE: Final = 1.2
_IMPLAUSIBLE_WEIGHT: Final = 200.0
"""One foreign letter in a hundred makes an encoding 7 times less likely."""
_RANK_WEIGHT: Final = 0.25
_COMMON: Final = {
    **dict.fromkeys(("cp1252", "cp1251", "cp932", "gb18030", "big5hkscs", "cp949"), 1.0),
    **dict.fromkeys(
        ("cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1258", "cp874", "koi8-r", "euc_jis_2004"), 0.8
    ),
    **dict.fromkeys(
        ("cp1257", "iso8859-2", "iso8859-15", "koi8-u", "cp866", "iso8859-5", "iso8859-7", "iso8859-9"), 0.6
    ),
}
"""How common an encoding is, where no language is known."""
_RARE: Final = 0.3
_CEDILLAS: Final = str.maketrans("ŞşŢţ", "ȘșȚț")
"""Romanian's letters have a comma in some tables and a cedilla in others, at the same places."""
ALLOWED: Final = frozenset(
    {"ascii", "utf-8", "utf-16", "utf-32", *WIDE, *(one for known in ENCODINGS.values() for one in known)}
    | {
        "iso8859-1",
        "shift_jis",
        "euc_kr",
        "gbk",
        "gb2312",
        "big5",
        "cp950",
        "tis-620",
        "iso2022_kr",
        "hz",
        "cp437",
        "euc_jp",
        "iso2022_jp",
    }
    | {"iso8859-10", "iso8859-14", "cp863", "cp865", "cp861", "cp860", "mac-latin2", "mac-greek", "mac-turkish"}
)
"""Encodings that may be named for a file, by Python's names. Any alias of one will do."""


def canonical_encoding(stated: str) -> str | None:
    """Python's name of a stated encoding (`Windows-1252`, `latin1`, `SJIS`); None for one that is not allowed."""
    name = stated.strip().lower().replace(" ", "-")
    for written in (name, name.replace("windows-", "cp").replace("ibm", "cp"), name.replace("-", "_")):
        try:
            found = codecs.lookup(written).name
        except (LookupError, UnicodeError):
            continue
        return _BY_CODEC.get(found)
    return None


_BY_CODEC: Final = {codecs.lookup(one).name: one for one in sorted(ALLOWED)} | {"utf-8-sig": "utf-8"}


def decode(content: bytes, *, language: str = "und", stated: str | None = None, tolerant: bool = False) -> Decoded:
    """The text of a file. `language`: a BCP 47 tag, or `und`; `stated`: one of `ALLOWED`, which is then not doubted.

    Raises `EncodingUnknown`; with `tolerant` bytes that the stated encoding does not have become U+FFFD instead.
    """
    if stated is not None:
        return _in_stated(content, stated, tolerant=tolerant)
    return proven(content) or _guessed(content.removeprefix(codecs.BOM_UTF8), language)


def _in_stated(content: bytes, stated: str, *, tolerant: bool) -> Decoded:
    name = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(stated, stated)
    for mark, marked in MARKS:
        if content.startswith(mark) and marked.startswith(stated):
            content, name = content[len(mark) :], marked
            break
    try:
        return Decoded(text=content.decode(name), encoding=stated)
    except UnicodeDecodeError as error:
        if tolerant:
            text = content.decode(name, "replace")
            return Decoded(text=text, encoding=stated, replaced=text.count("\ufffd"))
        raise EncodingUnknown(f"is not {stated}: its byte {error.start + 1} has no meaning there", stated) from error


class _Candidate(msgspec.Struct, frozen=True):
    likelihood: float
    encoding: str
    text: str


def _guessed(content: bytes, language: str) -> Decoded:
    known = _known_language(language)
    found: list[_Candidate] = []
    if known is not None:
        found = _ranked(content, {known: ENCODINGS[known]})
        if found and _leads(found, MIN_LEAD_WITH_LANGUAGE, content):
            return Decoded(text=found[0].text, encoding=found[0].encoding, guessed=True)
    if not found:
        found = _ranked(content, ENCODINGS)
        if found and _leads(found, MIN_LEAD, content):
            return Decoded(text=found[0].text, encoding=found[0].encoding, guessed=True)
    if (mixed := _mixed(content, language)) is not None:
        return mixed
    raise EncodingUnknown("is not UTF-8, and its encoding cannot be told", found[0].encoding if found else None)


_MIN_UNICODE_LETTERS: Final = 6
"""Beyond ASCII. A few bytes of an older encoding may be UTF-8 by chance."""


def _mixed(content: bytes, language: str) -> Decoded | None:
    """A file that was joined from one in UTF-8 and one in an older encoding. None if its lines do not say so clearly."""
    lines = content.splitlines(keepends=True)
    texts = [_unicode_line(line) for line in lines]
    older = b"".join(line for line, text in zip(lines, texts, strict=True) if text is None)
    places = places_of("".join(text for text in texts if text is not None))
    known = _known_language(language)
    if not older or places.total() < _MIN_UNICODE_LETTERS:
        return None
    if known is not None and implausible_share(places, known) > MAX_IMPLAUSIBLE:
        return None
    try:
        found = _guessed(older, language)
    except EncodingUnknown:
        return None
    read = (line.decode(found.encoding) if text is None else text for line, text in zip(lines, texts, strict=True))
    return msgspec.structs.replace(found, text="".join(read))


def _unicode_line(line: bytes) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _known_language(tag: str) -> str | None:
    """The key of `ENCODINGS` for a tag: `zh-TW` -> `zh-Hant`, `pt-BR` -> `pt`."""
    if not tag or tag == "und":
        return None
    try:
        found = langcodes.Language.get(tag).maximize()
    except (ValueError, LookupError):
        return None
    for key in (f"{found.language}-{found.script}", found.language):
        if key in ENCODINGS:
            return key
    return None


def _ranked(content: bytes, known: dict[str, tuple[str, ...]]) -> list[_Candidate]:
    """Plausible readings in these languages' encodings, the likeliest first. Equal texts are listed once."""
    encodings = {one for several in known.values() for one in several}
    answers = chardet.detect_all(
        content,
        ignore_threshold=True,
        include_encodings=encodings,
        no_match_encoding=min(encodings),
        compat_names=False,
    )
    confidence = {one["encoding"]: one["confidence"] for one in answers}
    found: dict[str, _Candidate] = {}
    for encoding in encodings:
        read = _read(content, encoding)
        if read is None:
            continue
        name, text = read
        places = places_of(text)
        speakers = [language for language, several in known.items() if encoding in several]
        share = min(implausible_share(places, language) for language in speakers)
        allowed = MAX_IMPLAUSIBLE
        if len(known) == 1:
            allowed += MAX_RARE if is_east_asian(speakers[0]) else 1 / max(1, places.total())
        if share > allowed:
            continue
        rank = min(known[language].index(encoding) for language in speakers)
        likelihood = (confidence.get(encoding, 0.0) + 0.01) * math.exp(
            -_IMPLAUSIBLE_WEIGHT * share - _RANK_WEIGHT * rank
        )
        if len(known) > 1:
            likelihood *= _COMMON.get(encoding, _RARE)
        same = text.translate(_CEDILLAS)
        if same not in found or found[same].likelihood < likelihood:
            found[same] = _Candidate(likelihood, name, text)
    return sorted(found.values(), key=lambda one: one.likelihood, reverse=True)


def _read(content: bytes, encoding: str) -> tuple[str, str] | None:
    """(encoding, text); None where it does not decode. The usual EUC-JP is preferred to its rare successor."""
    for name in ("euc_jp", encoding) if encoding == "euc_jis_2004" else (encoding,):
        canonical = canonical_encoding(name)
        try:
            if canonical is not None:
                return canonical, content.decode(canonical)
        except UnicodeDecodeError:
            continue
    return None


def _leads(found: list[_Candidate], lead: float, content: bytes) -> bool:
    """Whether the first is much likelier than the second. A few bytes beyond ASCII prove less than many."""
    if len(found) < 2:
        return True
    evidence = len(_BEYOND_ASCII.findall(content[:100_000]))
    return found[0].likelihood >= lead * (1 + 4 / evidence) * found[1].likelihood


_BEYOND_ASCII: Final = re.compile(rb"[\x80-\xff]")


def usual_name(encoding: str) -> str:
    """An encoding as people know it: `cp1252` -> `windows-1252`."""
    known = {"cp932": "shift_jis (cp932)", "cp949": "euc-kr (cp949)", "big5hkscs": "big5", "cp874": "tis-620 (cp874)"}
    if encoding in known:
        return known[encoding]
    return encoding.replace("cp125", "windows-125").replace("iso8859", "iso-8859")
