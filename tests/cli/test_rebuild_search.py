"""`marquee rebuild-search` moves search to Elasticsearch while titles are edited and deleted. No title is missing or stale."""

import asyncio
import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from marquee.documents import SearchDocument
from marquee.stores.catalogue import open_catalogue
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import TitleDetails
from marquee.stores.schema.migrate import migrate
from marquee.stores.search import open_search_writer
from marquee.stores.search.contract import Deletion, SearchIndex

pytestmark = pytest.mark.xdist_group("elasticsearch")

TITLES = 1200
EDITED, DELETED = 20, 4


class Editor:
    """Edits and deletes titles without a pause."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._random = random.Random(5)
        self._turn = 0

    async def announce(self, numbers: list[int]) -> None:
        self._turn += 1
        titles = [(f"m_{number}", TitleDetails(title=f"Film {number} t{self._turn}")) for number in numbers]
        await self._catalogue.titles.announce(titles)

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            chosen = self._random.sample(range(TITLES + 200), EDITED + DELETED)
            await self.announce(chosen)
            for number in chosen[:DELETED]:
                await self._catalogue.titles.delete(f"m_{number}")


class Follower:
    """Applies the changes since its last look to the index, as change capture and the search sync do."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._seen = 0
        self.applied = 0

    def _changes(self) -> list[SearchDocument | Deletion]:
        with psycopg.connect(self._database) as connection:
            rows: list[tuple[str, int, Any]] = connection.execute(
                "SELECT movie_id, revision, document FROM title_document WHERE revision > %s ORDER BY revision LIMIT 500",
                (self._seen,),
            ).fetchall()
        self._seen = max((revision for _, revision, _ in rows), default=self._seen)
        return [
            Deletion(movie_id, revision) if document is None else msgspec.convert(document, SearchDocument)
            for movie_id, revision, document in rows
        ]

    async def step(self, index: SearchIndex) -> int:
        changes = await asyncio.to_thread(self._changes)
        await index.apply(changes)
        self.applied += len(changes)
        return len(changes)

    async def run(self, index: SearchIndex, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.step(index)


async def rebuild(database: str, url: str, folder: Path) -> int:
    """Run the command in a process of its own; return the number of titles that it prints."""
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "marquee"), "rebuild-search", "--to", url, "--json"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "MARQUEE_DATABASE_URL": database, "MARQUEE_STATE": str(folder)},
    )
    output, _ = await asyncio.wait_for(process.communicate(), 180)
    assert process.returncode == 0
    told = json.loads(output)
    assert told["kind"] == "rebuilt"
    return int(told["titles"])


async def test_search_moves_while_titles_change(
    empty_database: str, elasticsearch_urls: Callable[[], str], tmp_path: Path
) -> None:
    migrate(empty_database)
    catalogue = open_catalogue(empty_database)
    editor, follower = Editor(catalogue), Follower(empty_database)
    await editor.announce(list(range(TITLES)))
    url = elasticsearch_urls()
    old, new = await open_search_writer(f"tantivy://{tmp_path / 'old'}"), await open_search_writer(url)
    edited, restarted = asyncio.Event(), asyncio.Event()
    editing = asyncio.create_task(editor.run(edited))

    following = asyncio.create_task(follower.run(old, restarted))
    assert await rebuild(empty_database, url, tmp_path) > TITLES / 2
    restarted.set()
    await following

    restarted.clear()
    following = asyncio.create_task(follower.run(new, restarted))
    before = follower.applied
    await rebuild(empty_database, url, tmp_path)
    assert follower.applied > before, "nothing changed during the rebuild"
    edited.set()
    await editing
    restarted.set()
    await following
    while await follower.step(new):
        pass

    with psycopg.connect(empty_database) as connection:
        rows = connection.execute("SELECT movie_id, revision, document IS NULL FROM title_document").fetchall()
    wrong = [
        movie_id for movie_id, revision, dead in rows if await new.revision(movie_id) != (None if dead else revision)
    ]
    assert not wrong, f"{len(wrong)} of {len(rows)} titles are not as the catalogue has them: {wrong[:5]}"
    assert await new.count() == sum(not dead for _, _, dead in rows)
    for index in (old, new):
        await index.close()
    await catalogue.close()
