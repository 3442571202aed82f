"""Titles for films that are uploaded without a title, and titles that cannot be used."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.file_names import MAX_TITLE_CHARACTERS, cut, title_fault, title_of

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
"""One emoji of seven code points."""
FLAG = "\U0001f1e9\U0001f1ea"
ACCENTED = unicodedata.normalize("NFD", "é")
SYLLABLE = unicodedata.normalize("NFD", "각")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("big_buck_bunny.final.mp4", "big buck bunny final"),
        ("My.Film.2019.1080p.mkv", "My Film 2019 1080p"),
        ("My.Film.2019", "My Film 2019"),
        ("Mr. Smith goes", "Mr Smith goes"),
        ("film.mp4 ", "film"),
        ("....mp4", "....mp4"),
        ("x" * 251 + ".mp4", "x" * MAX_TITLE_CHARACTERS),
        ("." * 255, "." * MAX_TITLE_CHARACTERS),
        ("\u200b\u200d.mp4", "\u200b\u200d.mp4"),
        (f"{FAMILY} party.mp4", f"{FAMILY} party"),
        ('"quoted" it\'s.mp4', '"quoted" it\'s'),
        ("new\nline\tand\x1b[31m.mp4", "new line and [31m"),
        ("back\\slash.mp4", "back\\slash"),
        ("50% #1 ?&;.mp4", "50% #1 ?&;"),
        ("-i.mp4", "-i"),
        ("http:x.mp4", "http:x"),
        ("concat:a|b.mp4", "concat:a|b"),
        ("%03d.mp4", "%03d"),
        ("film.mp4;rm", "film mp4;rm"),
        ("CON.mp4", "CON"),
        ("\u202b\u05e1\u05e8\u05d8\u200f 1\u202c.mkv", "\u202b\u05e1\u05e8\u05d8\u200f 1\u202c"),
        (f"caf{ACCENTED}.mp4", f"caf{ACCENTED}"),
        ("FILM.MP4", "FILM"),
    ],
)
def test_titles_are_made_from_file_names(name: str, title: str) -> None:
    assert title_of(name) == title
    assert title_fault(title_of(name)) is None or title == name, "a title that the platform makes is refused by it"


@pytest.mark.parametrize("one", [FAMILY, FLAG, ACCENTED, SYLLABLE, "👍🏽", "Z̷̧"], ids=ascii)
def test_a_long_title_is_cut_between_what_a_reader_sees(one: str) -> None:
    for filling in range(12):
        title = (
            title_of("x" * filling + one * 40 + "y" * 250 + ".mp4")
            if len(one) * 40 < 200
            else title_of("x" * filling + one * 70)
        )
        assert len(title) <= MAX_TITLE_CHARACTERS
        rest = title[filling:].rstrip("y")
        assert rest == one * (len(rest) // len(one)), f"the last character is cut: {title[-8:]!a}"


@given(st.text(max_size=260), st.integers(1, 250))
def test_a_cut_is_a_beginning_and_never_longer(text: str, length: int) -> None:
    short = cut(text, length)
    assert text.startswith(short)
    assert len(short) <= length


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("two\nlines", "one line"),
        ("a\ttab", "one line"),
        ("next\x85line", "one line"),
        ("line\u2028break", "one line"),
        ("\x1b[31mred", "one line"),
        ("   ", "nothing to see"),
        ("\u200b\u2060\ufeff", "nothing to see"),
        ("caf\udce9", "not UTF-8"),
        ("x" * 201, "201 characters"),
    ],
)
def test_a_title_that_cannot_be_shown_is_refused_with_its_remedy(title: str, words: str) -> None:
    assert words in (title_fault(title) or "")


@pytest.mark.parametrize(
    "title", [FAMILY, 'The "Film"', "שלום \u200f!", "a\u00a0b", "x" * 200, "<b>&amp;", "🎬", "%s {0}"]
)
def test_any_other_title_stays(title: str) -> None:
    assert title_fault(title) is None
