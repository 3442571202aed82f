"""Any process may write an index of Elasticsearch, also while it is rebuilt."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest

from marquee.documents import SearchDocument
from marquee.errors import RebuildOvertaken, StoreUnavailable
from marquee.stores.search import open_search_writer
from marquee.stores.search.contract import Deletion
from marquee.stores.search.elasticsearch.generations import ExistingGenerations, Generations
from marquee.stores.search.elasticsearch.writer import IndexWriter
from tests.harness.search_indices import indices_of, remove_indices

pytestmark = pytest.mark.xdist_group("elasticsearch")
TITLES = 60


def document(number: int, revision: int) -> SearchDocument:
    return SearchDocument(movie_id=f"m{number}", revision=revision, title=f"Film {number} r{revision}")


async def test_writers_of_elasticsearch_may_cross_and_a_rebuild_may_run(elasticsearch_urls: Callable[[], str]) -> None:
    """Each writer applies every change, in its own order. Two rebuilds read the catalogue, which is ahead of every writer."""
    url = elasticsearch_urls()
    writers = [await open_search_writer(url) for _ in range(3)]
    changes = [
        Deletion(f"m{number}", revision) if (number + revision) % 4 == 0 else document(number, revision)
        for number in range(TITLES)
        for revision in range(1, 9)
    ]

    catalogue: dict[str, SearchDocument | Deletion] = {f"m{number}": document(number, 1) for number in range(TITLES)}

    async def write(seed: int) -> None:
        shuffled = random.Random(seed).sample(changes, len(changes))
        for start in range(0, len(shuffled), 30):
            batch = shuffled[start : start + 30]
            for change in batch:
                catalogue[change.movie_id] = max(change, catalogue[change.movie_id], key=lambda one: one.revision)
            await writers[seed].apply(batch)

    async def rebuild() -> None:
        async def documents() -> AsyncIterator[SearchDocument]:
            for movie_id in list(catalogue):
                found = catalogue[movie_id]
                if isinstance(found, SearchDocument):
                    yield found
                await asyncio.sleep(0)

        for _ in range(2):
            await writers[2].rebuild(documents())

    await asyncio.gather(write(0), write(1), rebuild())
    revisions = {number: await writers[0].revision(f"m{number}") for number in range(TITLES)}
    assert revisions == {number: None if number % 4 == 0 else 8 for number in range(TITLES)}
    assert await writers[0].apply(changes) == 0, "a change that was overtaken was taken again"
    assert len(await indices_of(url)) <= 2, "old generations were not removed"
    for writer in writers:
        await writer.close()


async def test_a_rebuild_takes_the_place_of_one_that_was_given_up(elasticsearch_urls: Callable[[], str]) -> None:
    url = elasticsearch_urls()
    index = await open_search_writer(url)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[SearchDocument]:
        yield document(1, 1)
        begun.set()
        await go_on.wait()
        yield document(2, 1)

    async def quick() -> AsyncIterator[SearchDocument]:
        yield document(3, 1)

    first = asyncio.create_task(index.rebuild(slow()))
    await begun.wait()
    assert await index.rebuild(quick()) == 1
    go_on.set()
    with pytest.raises(RebuildOvertaken, match="rebuild again only if it failed"):
        await first
    assert await index.count() == 1
    assert (await index.revision("m3"), await index.revision("m1")) == (1, None)
    await index.close()


async def test_a_rebuild_that_is_overtaken_at_its_swap_says_so(
    elasticsearch_urls: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer rebuild begins after the older one has read the generations and before its swap."""
    url = elasticsearch_urls()
    index = await open_search_writer(url)
    carry_over = IndexWriter._carry_over_deleted
    look = Generations.existing

    async def one() -> AsyncIterator[SearchDocument]:
        yield document(1, 1)

    async def overtaken_after_the_look(self: Generations) -> ExistingGenerations:
        found = await look(self)
        monkeypatch.setattr(Generations, "existing", look)
        await self.begin()
        return found

    async def last_before_the_swap(self: IndexWriter, generation: str) -> None:
        await carry_over(self, generation)
        monkeypatch.setattr(Generations, "existing", overtaken_after_the_look)

    monkeypatch.setattr(IndexWriter, "_carry_over_deleted", last_before_the_swap)
    with pytest.raises(RebuildOvertaken):
        await index.rebuild(one())
    assert await index.count() == 0, "an overtaken rebuild went live"
    monkeypatch.setattr(IndexWriter, "_carry_over_deleted", carry_over)
    assert await index.rebuild(one()) == 1
    await index.close()


async def test_a_rebuild_that_cannot_remove_what_is_old_keeps_what_is_new(
    elasticsearch_urls: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = elasticsearch_urls()
    index = await open_search_writer(url)

    async def one(number: int) -> AsyncIterator[SearchDocument]:
        yield document(number, 1)

    for number in (1, 2):
        await index.rebuild(one(number))

    async def away(self: Generations, generations: list[str]) -> None:
        raise StoreUnavailable("the node restarts")

    with monkeypatch.context() as patched:
        patched.setattr(Generations, "remove", away)
        assert await index.rebuild(one(3)) == 1
    assert await index.revision("m3") == 1, "the index that went live is gone"
    assert len(await indices_of(url)) == 3
    await index.rebuild(one(4))
    assert len(await indices_of(url)) <= 2, "what could not be removed was left by the next rebuild too"
    await index.close()


async def test_an_index_that_was_removed_is_not_begun_anew_by_a_writer_that_knew_it(
    elasticsearch_urls: Callable[[], str],
) -> None:
    """A new index with only the next changes would look complete. A new process finds none, and rebuilds it."""
    url = elasticsearch_urls()
    index = await open_search_writer(url)
    await index.apply([document(1, 1)])
    await remove_indices([url])
    with pytest.raises(StoreUnavailable, match="gone"):
        await index.apply([document(2, 1)])
    with pytest.raises(StoreUnavailable, match="gone"):
        await index.ping()
    assert (await index.search("film")).hits == []
    await index.close()
    again = await open_search_writer(url)
    assert await again.count() == 0
    assert await again.apply([document(2, 1)]) == 1
    await again.close()
