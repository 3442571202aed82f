"""Changes of the search index: the newest revision wins in any order, and a rebuild becomes visible as a whole."""

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marquee.documents import SearchDocument
from marquee.errors import StoreUnavailable
from marquee.stores.search import open_search, open_search_writer
from marquee.stores.search.contract import Deletion, SearchIndex
from tests.harness.search.titles import TITLES, document, found


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
    again = await open_search_writer(url)
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


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
async def test_any_title_can_be_stored(filled: SearchIndex, title: str) -> None:
    revision = (await filled.revision("any") or 0) + 1
    assert await filled.apply([document("any", title, revision)]) == 1
    assert await filled.revision("any") == revision


async def test_a_reader_sees_a_commit_without_being_told(index: SearchIndex, url: str) -> None:
    reader = open_search(url)
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
        "from marquee.stores.search import open_search_writer\n"
        "async def main():\n"
        "    index = await open_search_writer(sys.argv[1])\n"
        "    for n in range(30):\n"
        "        await index.apply([SearchDocument(movie_id=f'm{n}', revision=1, title=f'Film {n}')])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script, url], check=False, timeout=60)
    index = await open_search_writer(url)
    assert await index.count() == 30
    assert await index.apply([document("m0", "Film", 2)]) == 1
    await index.close()


async def test_readers_never_see_half_a_rebuild(filled: SearchIndex, url: str) -> None:
    reader = open_search(url)
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
    """The change arrives after the rebuild has read the older state of every title."""
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


async def test_an_index_that_was_never_made_is_not_an_empty_one(url: str) -> None:
    reader = open_search(url)
    assert not await reader.exists()
    writer = await open_search_writer(url)
    await writer.count()
    assert await reader.exists()
    await writer.close()
    await reader.close()
