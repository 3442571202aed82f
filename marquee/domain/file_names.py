"""What a film's file name gives: the title of a film that is uploaded without one, and what no title may hold.

A title is shown as one line of text. It is cut between the characters that a reader sees, never inside one: an emoji of several
code points, a letter and its accents.
"""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

MAX_TITLE_CHARACTERS: Final = 200
_ENDING: Final = re.compile(r"\.(?=[0-9A-Za-z]*[A-Za-z])[0-9A-Za-z]{1,5}\s*$")
"""`.mp4`, `.3gp`; not the ` Smith` of `Mr. Smith`, and not the year of `Film.2019`."""
_LINE_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_JOINER: Final = "\u200d"


def title_of(file_name: str) -> str:
    """The title: `big_buck_bunny.final.mp4` becomes `big buck bunny final`, at most `MAX_TITLE_CHARACTERS` long.

    A name without anything to see in it is returned as it is.
    """
    name = PurePosixPath(_LINE_BREAKS.sub(" ", file_name)).name or file_name
    words = _ENDING.sub("", name).replace("_", " ").replace(".", " ").split()
    title = " ".join(words)
    return cut(title if is_visible(title) else name, MAX_TITLE_CHARACTERS)


def title_fault(title: str) -> str | None:
    """What is wrong with a title that a person gives, as a sentence with the remedy. None if it can be used."""
    if any("\ud800" <= one <= "\udfff" for one in title):
        return "The title has bytes that are not UTF-8: write it in UTF-8."
    if _LINE_BREAKS.search(title):
        return "The title has a line break, a tab or another control character: write it as one line."
    if not is_visible(title):
        return "The title has nothing to see in it: give it a letter, a digit or a sign."
    if len(title) > MAX_TITLE_CHARACTERS:
        return f"The title has {len(title)} characters, and {MAX_TITLE_CHARACTERS} is the maximum: shorten it."
    return None


def is_visible(text: str) -> bool:
    """Whether a reader sees anything of it: more than spaces, joiners, direction marks and the like."""
    return any(unicodedata.category(one)[0] not in "ZCM" for one in text)


def cut(text: str, length: int) -> str:
    """The first `length` code points, or a few less: never half of what a reader sees as one character."""
    if len(text) <= length:
        return text
    end = length
    while end and _continues(text, end):
        end -= 1
    return text[: end or length].rstrip()


def _continues(text: str, place: int) -> bool:
    """Whether the code point at `place` belongs to the one before it. The cases of UAX 29 that occur in names."""
    one, before = text[place], text[place - 1]
    if _JOINER in (one, before) or unicodedata.category(one)[0] == "M":
        return True
    if "\U0001f3fb" <= one <= "\U0001f3ff" or "\U000e0020" <= one <= "\U000e007f":
        return True  # tones of skin, and the letters behind a flag
    if "\u1160" <= one <= "\u11ff":
        return True  # the vowels and ends of Korean syllables, as macOS writes them
    flags = 0
    while flags < place and "\U0001f1e6" <= text[place - 1 - flags] <= "\U0001f1ff":
        flags += 1
    return "\U0001f1e6" <= one <= "\U0001f1ff" and flags % 2 == 1
