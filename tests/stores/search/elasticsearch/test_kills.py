"""Elasticsearch killed with SIGKILL under load: acknowledged changes are stored, and writers continue by themselves."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from marquee.documents import SearchDocument
from marquee.errors import StoreUnavailable
from marquee.platform.cluster_engines import instances
from marquee.platform.cluster_engines.elasticsearch import ELASTICSEARCH
from marquee.settings import load_settings
from marquee.stores.search import open_search, open_search_writer
from marquee.stores.search.contract import Deletion, SearchIndex

pytestmark = pytest.mark.xdist_group("elasticsearch")

TITLES = 1000
BATCH = 20
PATIENCE_SECONDS = 120.0


class Load:
    """Writes new titles and revisions without a pause. A failed batch is written again."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self.acknowledged: dict[str, SearchDocument | Deletion] = {}
        self.batches = 0
        self.failures = 0
        self.stopping = False
        self._moved = asyncio.Condition()

    async def run(self) -> None:
        number = 0
        while not self.stopping:
            batch = [self._change(each) for each in range(number, number + BATCH)]
            number += BATCH
            while True:
                try:
                    await self._index.apply(batch)
                    break
                except StoreUnavailable:
                    self.failures += 1
                    await asyncio.sleep(0.1)
            self.acknowledged |= {change.movie_id: change for change in batch}
            async with self._moved:
                self.batches += 1
                self._moved.notify_all()

    def _change(self, number: int) -> SearchDocument | Deletion:
        movie_id, revision = f"m{number % TITLES}", 1 + number // TITLES
        if number % 7 == 0:
            return Deletion(movie_id, revision)
        return SearchDocument(movie_id=movie_id, revision=revision, title=f"Film {number}")

    async def until(self, batches: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self._moved:
            await self._moved.wait_for(lambda: self.batches >= batches)


async def kill_server(folder: Path) -> None:
    """Kill the server itself, a child process of its launcher."""
    (observed,) = await instances.observe(load_settings(state=folder), [ELASTICSEARCH])
    (server,) = psutil.Process(observed.pid).children()
    os.kill(server.pid, signal.SIGKILL)


async def survive(url: str, folder: Path, kills: int) -> None:
    writer, reader = await open_search_writer(url), open_search(url)
    load = Load(writer)
    working = asyncio.create_task(load.run())
    for _ in range(kills):
        await load.until(load.batches + 30)
        before = load.failures
        await kill_server(folder)
        await load.until(load.batches + 2)
        assert load.failures > before, "the server was killed and no write noticed"
    load.stopping = True
    await working
    expected = {
        movie_id: None if isinstance(change, Deletion) else change.revision
        for movie_id, change in load.acknowledged.items()
    }
    missing = [movie_id for movie_id in expected if await reader.revision(movie_id) != expected[movie_id]]
    assert not missing, f"{len(missing)} of {len(expected)} acknowledged changes are gone: {missing[:5]}"
    stale = [Deletion(change.movie_id, change.revision - 1) for change in load.acknowledged.values()]
    assert await writer.apply(stale) == 0, "a killed index forgot which revisions it has"
    await writer.close()
    await reader.close()


async def test_two_kills_lose_nothing(elasticsearch_urls: Callable[[], str], elasticsearch_folder: Path) -> None:
    await survive(elasticsearch_urls(), elasticsearch_folder, kills=2)


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_twenty_kills_lose_nothing(elasticsearch_urls: Callable[[], str], elasticsearch_folder: Path) -> None:
    await survive(elasticsearch_urls(), elasticsearch_folder, kills=20)
