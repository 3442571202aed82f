"""Titles for films that are uploaded without a title."""

import pytest

from marquee.domain.file_names import MAX_TITLE_CHARACTERS, title_of


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("big_buck_bunny.final.mp4", "big buck bunny final"),
        ("....mp4", "....mp4"),
        ("x" * 251 + ".mp4", "x" * MAX_TITLE_CHARACTERS),
        ("." * 255, "." * MAX_TITLE_CHARACTERS),
    ],
)
def test_titles_are_made_from_file_names(name: str, title: str) -> None:
    assert title_of(name) == title
