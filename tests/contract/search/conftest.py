"""Fixtures of the search index for each engine: empty, filled for one test, and filled once for tests that only search."""

from collections.abc import AsyncIterator, Callable

import pytest

from marquee.stores.search import open_search_writer
from marquee.stores.search.contract import SearchIndex
from tests.harness.search.titles import TITLES, document

ENGINES = [
    pytest.param("tantivy_urls", id="tantivy"),
    pytest.param("elasticsearch_urls", id="elasticsearch", marks=pytest.mark.xdist_group("elasticsearch")),
]


@pytest.fixture(scope="module", params=ENGINES)
def urls(request: pytest.FixtureRequest) -> Callable[[], str]:
    made: Callable[[], str] = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def url(urls: Callable[[], str]) -> str:
    return urls()


@pytest.fixture
async def index(url: str) -> AsyncIterator[SearchIndex]:
    store = await open_search_writer(url)
    yield store
    await store.close()


@pytest.fixture
async def filled(index: SearchIndex) -> SearchIndex:
    await index.apply([document(movie_id, title, **fields) for movie_id, title, fields in TITLES])
    return index


@pytest.fixture(scope="module")
async def stocked(urls: Callable[[], str]) -> AsyncIterator[SearchIndex]:
    """Filled once, for tests that only search."""
    store = await open_search_writer(urls())
    await store.apply([document(movie_id, title, **fields) for movie_id, title, fields in TITLES])
    yield store
    await store.close()
