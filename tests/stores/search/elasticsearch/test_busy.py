"""Elasticsearch with too little memory for the requests at once: searches are repeated for a limited time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from marquee.documents import SearchDocument
from marquee.errors import StoreUnavailable
from marquee.stores.search import open_search_writer
from marquee.stores.search.contract import SearchIndex

pytestmark = pytest.mark.xdist_group("elasticsearch")

TITLE = "The Extraordinary Adventures of Nine Forgotten Gentlemen Between Distant Mountains"
MISSPELLED = TITLE.replace("n", "m", 3)

LimitMemory = Callable[[str | None], Awaitable[None]]


@pytest.fixture
async def limit_memory(elasticsearch_server: str) -> AsyncIterator[LimitMemory]:
    """Sets how much memory all requests of a node may take together; None restores the default."""
    server = httpx.URL(elasticsearch_server.replace("elasticsearch://", "http://", 1))
    async with httpx.AsyncClient() as http:

        async def limit(size: str | None) -> None:
            told = {"transient": {"indices.breaker.request.limit": size}}
            answer = await http.put(server.copy_with(path="/_cluster/settings"), json=told)
            answer.raise_for_status()

        yield limit
        await limit(None)


@pytest.fixture
async def index(elasticsearch_urls: Callable[[], str]) -> AsyncIterator[SearchIndex]:
    store = await open_search_writer(elasticsearch_urls())
    await store.apply([SearchDocument(movie_id="m1", revision=1, title=TITLE, playable=True)])
    yield store
    await store.close()


async def test_a_long_misspelled_search_takes_little_of_a_nodes_memory(
    index: SearchIndex, limit_memory: LimitMemory
) -> None:
    """A node runs as many searches at once as it has threads, and limits them to 60 % of its heap by default."""
    await limit_memory("25mb")
    assert [hit.document.movie_id for hit in (await index.search(MISSPELLED)).hits] == ["m1"]


async def test_a_search_outlasts_a_node_that_is_short_of_memory(index: SearchIndex, limit_memory: LimitMemory) -> None:
    await index.search(MISSPELLED)
    await limit_memory("100kb")
    searching = asyncio.create_task(index.search(MISSPELLED))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(searching), 0.3)
    await limit_memory(None)
    assert [hit.document.movie_id for hit in (await searching).hits] == ["m1"]


async def test_a_node_that_stays_short_of_memory_is_told_apart_from_one_that_is_away(
    index: SearchIndex, limit_memory: LimitMemory
) -> None:
    await limit_memory("100kb")
    with pytest.raises(StoreUnavailable, match="Elasticsearch is busy"):
        await index.search(MISSPELLED)
