"""The search sync finds its index empty while others rebuild it too: it is filled once, and nobody is driven out for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from jobs import search_sync
from jobs.search_sync import fill_empty
from marquee.documents import SearchDocument
from marquee.errors import RebuildOvertaken
from marquee.stores.search import open_search_writer

pytestmark = pytest.mark.xdist_group("elasticsearch")
TITLES = 1500
"""More than one batch of a rebuild, so that each looks at its place in the midst of it."""


class Catalogue:
    """Counts how often it is read from the beginning; each reading waits half-way until it is let go on."""

    def __init__(self) -> None:
        self.begun = 0
        self.halfway = asyncio.Semaphore(0)
        self.go_on = asyncio.Event()

    async def documents(self) -> AsyncIterator[SearchDocument]:
        self.begun += 1
        for number in range(TITLES):
            if number == TITLES // 2:
                self.halfway.release()
                await self.go_on.wait()
            yield SearchDocument(movie_id=f"m{number}", revision=1, title=f"Film {number}")


async def test_two_syncs_that_find_an_empty_index_fill_it_once(elasticsearch_urls: Callable[[], str]) -> None:
    url = elasticsearch_urls()
    older, newer = [await open_search_writer(url) for _ in range(2)]
    catalogue, stop = Catalogue(), asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for index in (older, newer):
            tasks.create_task(fill_empty(index, catalogue.documents, stop))
            await catalogue.halfway.acquire()
        catalogue.go_on.set()
    assert catalogue.begun == 2, "the older one began anew and drove the newer one out"
    assert await older.count() == await newer.count() == TITLES
    await asyncio.gather(older.close(), newer.close())


async def test_what_a_killed_rebuild_leaves_is_filled_after_all(
    elasticsearch_urls: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_sync, "OVERTAKEN_SECONDS", 0.5)
    url = elasticsearch_urls()
    index, killed = [await open_search_writer(url) for _ in range(2)]
    catalogue, others = Catalogue(), Catalogue()
    async with asyncio.timeout(60):
        filling = asyncio.create_task(fill_empty(index, catalogue.documents, asyncio.Event()))
        await catalogue.halfway.acquire()
        # It comes half-way and not on: as after a kill, it removes nothing of its own.
        stuck = asyncio.create_task(killed.rebuild(others.documents()))
        await others.halfway.acquire()
        catalogue.go_on.set()
        await filling
    assert catalogue.begun == 2
    assert await index.count() == TITLES
    others.go_on.set()
    with pytest.raises(RebuildOvertaken):
        await stuck
    await asyncio.gather(index.close(), killed.close())
