"""Titles for films that are given none."""

import pytest

from marquee.domain.file_names import MOST_TITLE_CHARACTERS, title_of


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("big_buck_bunny.final.mp4", "big buck bunny final"),
        ("....mp4", "....mp4"),
        ("x" * 251 + ".mp4", "x" * MOST_TITLE_CHARACTERS),
        ("." * 255, "." * MOST_TITLE_CHARACTERS),
    ],
)
def test_titles_are_made_from_file_names(name: str, title: str) -> None:
    assert title_of(name) == title
