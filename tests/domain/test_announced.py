"""Reading a catalogue's lines: real lines are dirty, and a bad line is named in the error."""

import gzip
from pathlib import Path

import pytest

from marquee.domain.announced import read_announced
from marquee.errors import InputInvalid

CATALOGUE = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "catalogue" / "catalogue.jsonl.gz"


def test_a_line_is_read_and_null_lists_are_empty() -> None:
    title = read_announced(b'{"id": 7, "title": "Leon", "year": 1994, "cast": null, "directors": ["Besson"]}', number=1)
    assert (title.title, title.year, title.people) == ("Leon", 1994, ("Besson",))


def test_the_same_id_is_the_same_title_on_every_import() -> None:
    first = read_announced(b'{"id": 7, "title": "Leon"}', number=1)
    again = read_announced(b'{"id": 7, "title": "Leon: The Professional"}', number=9)
    assert first.movie_id == again.movie_id
    assert first.movie_id.startswith("m_")
    assert len(first.movie_id) == 22


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"id": 7}',
        b'{"id": 7, "title": " "}',
        b'{"id": 7, "title": "\xff"}',
        b'{"id":7,"title":"a\\u0000"}',
        b'{"id":7,"title":"a","cast":["b\\u0000"]}',
        b'{"id":7,"title":"a","description":"b\\u0000"}',
        b'{"id":7,"title":"a","year":99999999999}',
        b'{"id":7,"title":"a","votes":1e300}',
        b'{"id":7,"title":"a","description":"' + b"x" * 100_000 + b'"}',
        b'{"id":7,"title":"a","more":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    ],
)
def test_a_bad_line_says_which_it_is(line: bytes) -> None:
    with pytest.raises(InputInvalid, match="Line 42"):
        read_announced(line, number=42)


def test_the_real_catalogue_gives_distinct_titles() -> None:
    if not CATALOGUE.is_file():
        pytest.skip("the shared catalogue (../shared/data/catalogue) is not beside this checkout")
    seen, refused = set(), 0
    with gzip.open(CATALOGUE) as lines:
        for number, line in enumerate(lines, 1):
            try:
                seen.add(read_announced(line, number=number).movie_id)
            except InputInvalid:
                refused += 1
    assert len(seen) > 150_000
    assert refused < 10, f"{refused} of the real lines were left out"
