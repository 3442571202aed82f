"""The search index: newest revision wins, what is meant is found, pages hold still, no query raises."""

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marquee.documents import SearchDocument
from marquee.errors import CursorInvalid, StoreUnavailable
from marquee.stores.search import open_search
from marquee.stores.search.contract import Deletion, SearchFilters, SearchIndex

ENGINES = [
    pytest.param("tantivy_urls", id="tantivy"),
    pytest.param("elasticsearch_urls", id="elasticsearch", marks=pytest.mark.xdist_group("elasticsearch")),
]
TITLES: Sequence[tuple[str, str, dict[str, object]]] = (
    ("matrix", "The Matrix", {"year": 1999, "genres": ["Action", "Science Fiction"], "people": ["Keanu Reeves"]}),
    ("reloaded", "The Matrix Reloaded", {"year": 2003, "genres": ["Action"], "people": ["Keanu Reeves"]}),
    ("amelie", "Le Fabuleux Destin d'Amélie Poulain", {"year": 2001, "aka": ["Amelie"], "genres": ["Comedy"]}),
    ("spider", "Spider-Man", {"year": 2002, "genres": ["Action"], "popularity": 9.0}),
    ("wargames", "WarGames", {"year": 1983, "genres": ["Thriller"]}),
    ("oceans", "Ocean's Eleven", {"year": 2001, "genres": ["Crime"]}),
    ("rocky2", "Rocky II", {"year": 1979, "genres": ["Drama"]}),
    ("rocky", "Rocky", {"year": 1976, "genres": ["Drama"], "popularity": 3.0}),
    ("it", "It", {"year": 2017, "genres": ["Horror"]}),
    ("akira", "アキラ", {"year": 1988, "aka": ["Akira"], "genres": ["Animation"]}),
    ("reindeer", "Prancer", {"year": 1989, "description": "A girl finds a wounded reindeer in the snow."}),
    ("unknown", "Untitled", {"genres": [], "playable": False}),
)


def document(movie_id: str, title: str, revision: int = 1, **fields: object) -> SearchDocument:
    return SearchDocument(movie_id=movie_id, revision=revision, title=title, **{"playable": True, **fields})  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=ENGINES)
def urls(request: pytest.FixtureRequest) -> Callable[[], str]:
    made: Callable[[], str] = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def url(urls: Callable[[], str]) -> str:
    return urls()


@pytest.fixture
async def index(url: str) -> AsyncIterator[SearchIndex]:
    store = await open_search(url, writer=True)
    yield store
    await store.close()


@pytest.fixture
async def filled(index: SearchIndex) -> SearchIndex:
    await index.apply([document(movie_id, title, **fields) for movie_id, title, fields in TITLES])
    return index


@pytest.fixture(scope="module")
async def stocked(urls: Callable[[], str]) -> AsyncIterator[SearchIndex]:
    """Filled once, for tests that only ask."""
    store = await open_search(urls(), writer=True)
    await store.apply([document(movie_id, title, **fields) for movie_id, title, fields in TITLES])
    yield store
    await store.close()


async def found(index: SearchIndex, query: str, **options: object) -> list[str]:
    page = await index.search(query, **options)  # type: ignore[arg-type]
    return [hit.document.movie_id for hit in page.hits]


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


async def test_the_newest_revision_wins_in_any_order(index: SearchIndex) -> None:
    assert await index.apply([document("m", "Third", 3), document("m", "First", 1)]) == 1
    assert await index.apply([document("m", "Second", 2)]) == 0
    assert await index.apply([document("m", "Third again", 3)]) == 0
    assert await index.revision("m") == 3
    assert await found(index, "second") == []
    assert await found(index, "third") == ["m"]
    assert await index.count() == 1


async def test_a_stale_change_after_a_delete_is_refused(index: SearchIndex) -> None:
    await index.apply([document("m", "Film", 5)])
    assert await index.apply([Deletion("m", 4)]) == 0
    assert await index.apply([Deletion("m", 6)]) == 1
    assert await index.apply([Deletion("m", 6)]) == 0
    assert await index.apply([document("m", "Film", 6)]) == 0
    assert (await index.revision("m"), await index.count(), await found(index, "film")) == (None, 0, [])
    assert await index.apply([document("m", "Film", 7)]) == 1
    assert await index.revision("m") == 7


async def test_a_delete_wins_over_its_equal(index: SearchIndex) -> None:
    await index.apply([document("m", "Film", 5)])
    assert await index.apply([Deletion("m", 5), document("m", "Film", 5)]) == 1
    assert await index.count() == 0


async def test_a_delete_that_comes_first_is_remembered(index: SearchIndex, url: str) -> None:
    await index.apply([Deletion("m", 9)])
    await index.close()
    again = await open_search(url, writer=True)
    assert await again.apply([document("m", "Film", 8)]) == 0
    await again.close()


async def test_any_order_of_changes_ends_the_same(index: SearchIndex) -> None:
    changes: list[SearchDocument | Deletion] = []
    for movie in range(12):
        for revision in range(1, 9):
            dead = (movie + revision) % 4 == 0
            changes.append(
                Deletion(f"m{movie}", revision) if dead else document(f"m{movie}", f"Film r{revision}", revision)
            )
    random.Random(7).shuffle(changes)
    for start in range(0, len(changes), 10):
        await index.apply(changes[start : start + 10])
    for movie in range(12):
        expected = None if (movie + 8) % 4 == 0 else 8
        assert await index.revision(f"m{movie}") == expected


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


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
async def test_any_title_can_be_stored(filled: SearchIndex, title: str) -> None:
    revision = (await filled.revision("any") or 0) + 1
    assert await filled.apply([document("any", title, revision)]) == 1
    assert await filled.revision("any") == revision


async def test_a_reader_sees_a_commit_without_being_told(index: SearchIndex, url: str) -> None:
    reader = await open_search(url)
    assert await found(reader, "film") == []
    for number in range(5):
        await index.apply([document(f"m{number}", f"Film {number}")])
        started = time.monotonic()
        while await reader.revision(f"m{number}") is None:
            assert time.monotonic() - started < 15, "a reader does not see what is committed"
            await asyncio.sleep(0.005)
    assert len(await found(reader, "film")) == 5
    with pytest.raises(StoreUnavailable):
        await reader.apply([document("m", "Film")])
    await reader.close()


async def test_a_killed_writer_leaves_what_it_committed_and_no_lock(url: str) -> None:
    script = (
        "import asyncio, os, signal, sys\n"
        "from marquee.documents import SearchDocument\n"
        "from marquee.stores.search import open_search\n"
        "async def main():\n"
        "    index = await open_search(sys.argv[1], writer=True)\n"
        "    for n in range(30):\n"
        "        await index.apply([SearchDocument(movie_id=f'm{n}', revision=1, title=f'Film {n}')])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script, url], check=False, timeout=60)
    index = await open_search(url, writer=True)
    assert await index.count() == 30
    assert await index.apply([document("m0", "Film", 2)]) == 1
    await index.close()


async def test_readers_never_see_half_a_rebuild(filled: SearchIndex, url: str) -> None:
    reader = await open_search(url)
    before = await reader.count()
    await filled.apply([Deletion("it", 7)])
    sizes: set[int] = set()
    rebuilt = asyncio.Event()

    async def watch() -> None:
        while not rebuilt.is_set():
            sizes.add(await reader.count())
            await asyncio.sleep(0)

    async def documents() -> AsyncIterator[SearchDocument]:
        for number in range(3000):
            yield document(f"m{number}", f"Film {number}")
        yield document("it", "It", 6)

    watching = asyncio.create_task(watch())
    assert await filled.rebuild(documents()) == 3000
    rebuilt.set()
    await watching
    assert sizes <= {before - 1, 3000}, f"a reader saw {sizes}"
    assert await reader.count() == 3000
    assert await filled.apply([document("it", "It", 7)]) == 0, "the rebuild forgot a delete"
    assert await filled.apply([document("m5", "Film five", 2)]) == 1
    assert await reader.revision("m5") == 2
    await reader.close()


async def test_a_rebuild_that_fails_changes_nothing(filled: SearchIndex) -> None:
    async def documents() -> AsyncIterator[SearchDocument]:
        yield document("m", "Film")
        raise StoreUnavailable("the catalogue went away")

    before = await filled.count()
    with pytest.raises(StoreUnavailable):
        await filled.rebuild(documents())
    assert await filled.count() == before
    assert await filled.apply([document("rocky", "Rocky", 2)]) == 1


async def test_what_arrives_during_a_rebuild_is_there_after_it(filled: SearchIndex) -> None:
    """The rebuild has read everything by then, in the state before."""
    read, told = asyncio.Event(), asyncio.Event()

    async def documents() -> AsyncIterator[SearchDocument]:
        for movie_id, title, fields in TITLES:
            yield document(movie_id, title, **fields)
        read.set()
        await asyncio.wait([asyncio.create_task(told.wait()), changing], timeout=2)

    async def change() -> None:
        await read.wait()
        await filled.apply([document("rocky", "Rocky again", 2), document("new", "Newcomer"), Deletion("it", 1)])
        told.set()

    changing = asyncio.create_task(change())
    await filled.rebuild(documents())
    await changing
    assert (await filled.revision("rocky"), await filled.revision("new"), await filled.revision("it")) == (2, 1, None)
    assert await filled.count() == len(TITLES)
    assert await filled.apply([document("it", "It", 1)]) == 0, "a delete during the rebuild was forgotten"
