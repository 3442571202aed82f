"""Searches: they find what was meant, pages neither repeat nor skip a title, and no query raises an error."""

import time

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marquee.errors import CursorInvalid
from marquee.stores.search.contract import SearchFilters, SearchIndex
from tests.harness.search.titles import document, found


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("the matrix", "matrix"),
        ("matrix", "matrix"),
        ("matrx", "matrix"),
        ("matirx reloded", "reloaded"),
        ("THE MATRIX REL", "reloaded"),
        ("amelie", "amelie"),
        ("Amélie Poulain", "amelie"),
        ("fabuleux destin damelie", "amelie"),
        ("spiderman", "spider"),
        ("spider man", "spider"),
        ("war games", "wargames"),
        ("oceans eleven", "oceans"),
        ("ocean eleven", "oceans"),
        ("rocky 2", "rocky2"),
        ("rocky ii", "rocky2"),
        ("rocky", "rocky"),
        ("it", "it"),
        ("アキラ", "akira"),
        ("wounded reindeers", "reindeer"),
        ("keanu reloaded", "reloaded"),
        ("keanu reevs matrix", "matrix"),
        ("mat", "matrix"),
    ],
)
async def test_what_is_meant_comes_first(stocked: SearchIndex, query: str, wanted: str) -> None:
    assert (await found(stocked, query))[:1] == [wanted]


async def test_people_and_genres_are_found(stocked: SearchIndex) -> None:
    assert set(await found(stocked, "keanu reeves")) == {"matrix", "reloaded"}
    assert set(await found(stocked, "thriller")) == {"wargames"}


async def test_hits_carry_the_whole_document(stocked: SearchIndex) -> None:
    [hit] = (await stocked.search("wargames")).hits
    assert hit.document == document("wargames", "WarGames", year=1983, genres=["Thriller"])
    assert hit.score > 0


async def test_filters_narrow(stocked: SearchIndex) -> None:
    assert set(await found(stocked, "rocky", filters=SearchFilters(year_from=1977))) == {"rocky2"}
    assert set(await found(stocked, "matrix", filters=SearchFilters(genres=["science fiction", "Western"]))) == {
        "matrix"
    }
    assert await found(stocked, "untitled", filters=SearchFilters(playable_only=True)) == []
    assert await found(stocked, "untitled") == ["unknown"]
    assert await found(stocked, "matrix", filters=SearchFilters(year_to=1998)) == []


async def test_facets_count_hits_by_genre(stocked: SearchIndex) -> None:
    assert await stocked.facets("matrix") == {"Action": 2, "Science Fiction": 1}
    assert await stocked.facets("nothing like it") in ({}, {"Horror": 1})


async def test_suggestions_complete_what_is_typed(stocked: SearchIndex) -> None:
    assert list(await stocked.suggest("rock")) == ["Rocky", "Rocky II"]
    assert "The Matrix Reloaded" in await stocked.suggest("matrix re")
    assert list(await stocked.suggest("zzzz")) == []
    assert len(await stocked.suggest("the", limit=1)) == 1


async def test_pages_have_every_hit_once(index: SearchIndex) -> None:
    await index.apply([document(f"m{number}", f"Night {number}", popularity=number % 3) for number in range(450)])
    seen: list[str] = []
    position = None
    while True:
        page = await index.search("night", limit=37, position=position)
        seen += [hit.document.movie_id for hit in page.hits]
        position = page.next_position
        if position is None:
            break
    assert len(seen) == len(set(seen)) == 450


async def test_pages_hold_while_the_index_changes(index: SearchIndex) -> None:
    await index.apply([document(f"m{number}", f"Night {number}", popularity=number % 3) for number in range(300)])
    seen: list[str] = []
    position = None
    for turn in range(100):
        page = await index.search("night", limit=25, position=position)
        seen += [hit.document.movie_id for hit in page.hits]
        position = page.next_position
        if position is None:
            break
        await index.apply(
            [document(f"new{turn}-{number}", f"Night new {number}", popularity=9.0) for number in range(20)]
        )
    old = [movie_id for movie_id in seen if movie_id.startswith("m")]
    assert len(seen) == len(set(seen)), "a title came twice"
    assert len(old) == 300, "a title was skipped"


async def test_a_forged_position_is_refused(filled: SearchIndex) -> None:
    await filled.apply([document(f"m{number}", f"Night {number}") for number in range(30)])
    position = (await filled.search("night", limit=5)).next_position
    assert position is not None
    for forged in ("", "x", "e30", position[:-3], position + "A", "é"):
        with pytest.raises(CursorInvalid):
            await filled.search("night", position=forged)
    with pytest.raises(CursorInvalid):
        await filled.search("another query", position=position)


GARBAGE = [
    "",
    " ",
    '"',
    "title:matrix AND (",
    "+-&&||!(){}[]^~*?:\\/",
    "a" * 10_000,
    "matrix " * 3000,
    "\x00\x01\x1b[31m",
    "🎬🍿",
    "\u202e\u05de\u05d8\u05e8\u05d9\u05e7\u05e1\u202c",
    "ﷺ" * 500,
    "\ud800",
    "e\u0301" * 3000,
    "NaN",
    "1e999",
    "-1",
    "%00",
    "\uff46\uff55\uff4c\uff4c\uff57\uff49\uff44\uff54\uff48",
]


@pytest.mark.parametrize("query", GARBAGE, ids=range(len(GARBAGE)))
async def test_no_query_raises(stocked: SearchIndex, query: str) -> None:
    started = time.monotonic()
    await stocked.search(query)
    await stocked.suggest(query)
    await stocked.facets(query)
    await stocked.revision(query)
    assert time.monotonic() - started < 30, "a query that is not words hangs"


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=60))
async def test_no_text_raises(stocked: SearchIndex, query: str) -> None:
    await stocked.search(query)
    await stocked.suggest(query)
