"""Search over a real index: misspelt and half-typed queries, playable and announced titles, a cursor's own query."""

import secrets

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from marquee.documents import SearchDocument
from marquee.domain import ids
from marquee.stores.opened import Stores
from tests.api.conftest import Person

Client = AsyncTestClient[Litestar]


@pytest.fixture(scope="module")
async def word(stores: Stores) -> str:
    """A word that is in the titles of these tests only."""
    word = "".join(secrets.choice("bdgklmnprst") + secrets.choice("aeiou") for _ in range(4))
    await stores.search.apply(
        [
            SearchDocument(
                movie_id=ids.new_movie_id(),
                revision=1,
                title=f"{word} {number}",
                year=2000 + number,
                genres=["Drama"] if number % 2 else ["Comedy"],
                playable=number < 4,
                poster="images/x/v1/poster.jpg",
            )
            for number in range(7)
        ]
    )
    return word


async def test_announced_titles_are_found_and_shown_as_such(client: Client, viewer: Person, word: str) -> None:
    answer = await client.get("/api/v1/search", params={"q": word, "limit": 50}, headers=viewer.headers)
    assert answer.status_code == 200, answer.text
    found = [one for one in answer.json()["results"] if one["title"].startswith(word)]
    assert sorted(one["playable"] for one in found) == [False] * 3 + [True] * 4
    assert found[0]["poster_url"].startswith("http")
    query = {"q": word, "limit": 50, "playable": True}
    playing = (await client.get("/api/v1/search", params=query, headers=viewer.headers)).json()
    assert all(one["playable"] for one in playing["results"]), "a title that does not play was offered as playing"


async def test_results_are_paged_and_a_cursor_belongs_to_its_query(client: Client, viewer: Person, word: str) -> None:
    found: list[str] = []
    query: dict[str, str | int] = {"q": word, "limit": 3, "cursor": ""}
    for _ in range(20):
        page = (await client.get("/api/v1/search", params=query, headers=viewer.headers)).json()
        found += [one["movie_id"] for one in page["results"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(found) == len(set(found)), "a title stands on two pages"
    assert len(found) >= 7
    first = (await client.get("/api/v1/search", params={"q": word, "limit": 3}, headers=viewer.headers)).json()
    for change in ({"q": "other"}, {"playable": "true"}, {"year_from": 2001}):
        other = {"q": word, "limit": 3, "cursor": first["next_cursor"], **change}
        answer = await client.get("/api/v1/search", params=other, headers=viewer.headers)
        assert (answer.status_code, answer.json()["field"]) == (400, "cursor"), f"{change} took another query's cursor"


async def test_facets_filters_and_suggestions(client: Client, viewer: Person, word: str) -> None:
    query = {"q": word, "facets": "true", "genre": "dramas", "limit": 50}
    answer = (await client.get("/api/v1/search", params=query, headers=viewer.headers)).json()
    assert answer["facets"], "facets were asked for and not given"
    assert all(one["genres"] == ["Drama"] for one in answer["results"]), "the genre's other spelling did not filter"
    years = {"q": word, "year_from": 2002, "year_to": 2003, "limit": 50}
    dated = (await client.get("/api/v1/search", params=years, headers=viewer.headers)).json()["results"]
    assert {one["year"] for one in dated} <= {2002, 2003}
    suggested = await client.get("/api/v1/search/suggest", params={"q": word[:5]}, headers=viewer.headers)
    assert any(one.startswith(word) for one in suggested.json()["suggestions"]), suggested.text


@pytest.mark.parametrize("query", ['"', "AND", "a OR (", "*", "title:x", "\\", "+-&&||!(){}[]^~*?:/", "é" * 50, "🎬"])
async def test_no_query_is_too_strange(client: Client, viewer: Person, query: str) -> None:
    answer = await client.get("/api/v1/search", params={"q": query, "facets": True}, headers=viewer.headers)
    assert answer.status_code == 200, f"{query!r} got {answer.status_code}: {answer.text[:200]}"
