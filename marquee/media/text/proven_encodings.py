"""Reads text whose encoding its bytes prove: a mark (BOM), NUL bytes in the pattern of UTF-16, valid UTF-8, shifts of seven bits.

Pure. `encodings` asks this first, and guesses where nothing is proven. A little damage is tolerated and counted.
"""

import codecs
import re
from itertools import zip_longest
from typing import Final

import msgspec

_MAX_DAMAGED: Final = 0.02
WIDE: Final = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_SUBTITLE_WORDS: Final = ("-->", "Dialogue:", "WEBVTT")
MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class EncodingUnknown(ValueError):
    """The bytes may be text in several encodings, or in none. `guess` is the likeliest one, if there is any.

    The message is the end of a sentence that starts with "it".
    """

    def __init__(self, message: str, guess: str | None = None) -> None:
        super().__init__(message)
        self.guess = guess


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """`encoding` is Python's name of it. `guessed`: no mark and no rule proves it. `replaced`: bytes that became U+FFFD."""

    text: str
    encoding: str
    guessed: bool = False
    replaced: int = 0


def proven(content: bytes) -> Decoded | None:
    """The text; None where the bytes prove nothing. Raises `EncodingUnknown` for what is no text, or not what its mark says."""
    for mark, name in MARKS:
        if content.startswith(mark):
            return _marked(content[len(mark) :], name)
    if b"\x00" in content:
        for name in WIDE:
            if any(_stands_aligned(word.encode(name), content, int(name[4:6]) // 8) for word in _SUBTITLE_WORDS):
                return _tolerant(content, name)
        raise EncodingUnknown("is not text")
    return _of_seven_bits(content) or _of_unicode(content)


def _of_unicode(content: bytes) -> Decoded | None:
    try:
        return Decoded(text=content.decode("utf-8"), encoding="utf-8")
    except UnicodeDecodeError:
        return _paired_surrogates(content) or _damaged_utf8(content)


_SHIFTS: Final = (
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr", "iso2022_kr"),
    (re.compile(rb"\x1b\$|\x1b\(J"), "iso2022_jp_ext", "iso2022_jp"),
    (re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e])+~\}"), "hz", "hz"),
)
"""(marks, Python's codec, the name that is told) of encodings that shift between tables and have no byte beyond ASCII."""


def _of_seven_bits(content: bytes) -> Decoded | None:
    if content.isascii():
        for marks, codec, name in _SHIFTS:
            if marks.search(content):
                try:
                    return Decoded(text=content.decode(codec), encoding=name)
                except UnicodeDecodeError:
                    continue
    return None


def _paired_surrogates(content: bytes) -> Decoded | None:
    """UTF-8 in which characters beyond U+FFFF are two surrogates of three bytes each, as Java and some databases write it."""
    try:
        text = content.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return None
    return Decoded(text=text, encoding="utf-8")


def _stands_aligned(word: bytes, content: bytes, width: int) -> bool:
    """Whether the word stands at a whole character: little-endian text holds big-endian words one byte further on."""
    at = content.find(word)
    while at >= 0 and at % width:
        at = content.find(word, at + 1)
    return at >= 0


def _marked(content: bytes, name: str) -> Decoded | None:
    try:
        found = _tolerant(content, name)
    except EncodingUnknown:
        if name != "utf-8":
            raise
        # An editor put the mark before text of another encoding.
        return None
    if name in _OTHER_ORDER and "\ufffe" in found.text:
        return msgspec.structs.replace(found, text=_in_both_orders(found.text, name))
    return found


_OTHER_ORDER: Final = {"utf-16-le": "utf-16-be", "utf-16-be": "utf-16-le"}


def _in_both_orders(text: str, name: str) -> str:
    """Two UTF-16 files of different byte order, one behind the other: the second's mark was read as U+FFFE."""
    parts = text.split("\ufffe")
    swapped = (part.encode(name, "surrogatepass").decode(_OTHER_ORDER[name], "replace") for part in parts[1::2])
    return "".join(one for pair in zip_longest(parts[::2], swapped, fillvalue="") for one in pair)


def _tolerant(content: bytes, name: str) -> Decoded:
    """Text whose encoding is certain. Bytes without a meaning, such as half a character at the end, become U+FFFD."""
    try:
        return Decoded(text=content.decode(name), encoding=name)
    except UnicodeDecodeError:
        text = content.decode(name, "replace")
        replaced = text.count("\ufffd")
        if replaced > max(1, _MAX_DAMAGED * len(text)):
            raise EncodingUnknown(f"is marked as {name} and is not", name) from None
        return Decoded(text=text, encoding=name, replaced=replaced)


def _damaged_utf8(content: bytes) -> Decoded | None:
    """UTF-8 with a few bad bytes. None if the bytes beyond ASCII are not nearly all UTF-8."""
    text = content.decode("utf-8", "replace")
    replaced = text.count("\ufffd")
    right = sum(letter > "\x7f" for letter in text) - replaced
    return Decoded(text=text, encoding="utf-8", replaced=replaced) if right >= 20 * replaced else None
