"""`marquee rebuild-search`: builds a new search index from the catalogue, then replaces the current index by it.

Searches use the old index until the new one is complete. The index itself does the work (`rebuild` of the search store).
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

from marquee.cli.all_programs import Json
from marquee.documents import SearchDocument
from marquee.settings import Settings, load_settings
from marquee.stores.opened import open_stores
from marquee.stores.search import open_search_writer

SHOWN_EVERY = 500


def rebuild_search(
    to_url: Annotated[str, typer.Option("--to", metavar="URL", help="The index; default: MARQUEE_SEARCH_URL.")] = "",
    as_json: Json = False,
) -> None:
    """Build a new search index from the catalogue while the platform runs, and use it once it is complete.

    On Elasticsearch the command may run at any time: the new index also gets the changes made meanwhile. Tantivy's index belongs
    to the search sync of its machine: to rebuild it, delete its folder, and the search sync makes a new one.
    """
    settings = load_settings()
    console = Console(stderr=True, quiet=as_json)
    began = time.monotonic()
    with console.status("reading the catalogue") as status:
        titles = asyncio.run(_rebuild(settings, to_url or settings.search, status))
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        typer.echo(json.dumps({"kind": "rebuilt", "titles": titles, "seconds": seconds}))
    console.print(f"{titles:,} titles are in the new index, after {seconds} s.", highlight=False)


async def _rebuild(settings: Settings, url: str, status: Status) -> int:
    async with open_stores(settings) as stores:
        await stores.catalogue.ping()
        index = await open_search_writer(url)

        async def documents() -> AsyncIterator[SearchDocument]:
            read = 0
            async for document in stores.catalogue.titles.documents():
                yield document
                read += 1
                if read % SHOWN_EVERY == 0:
                    status.update(f"{read:,} titles read")
            status.update(f"{read:,} titles read, swapping")

        try:
            return await index.rebuild(documents())
        finally:
            await index.close()
