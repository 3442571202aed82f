"""Milliseconds from a commit in the catalogue until a search finds the change, with local and with distributed engines.

`python -m bench.searchable [--rounds 6] [--changes 50]`. Two platforms are started here side by side. Each has a
catalogue, change capture, an event log, search sync and an index, as `marquee up` starts them. Titles are edited at
random intervals, alternating between the platforms, and the index is asked every POLL_SECONDS until a search would find
the new revision. The edit's own time is not counted. Kafka and Elasticsearch come by Maven (`marquee engines fetch`);
without them only the local engines are measured.
"""

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from marquee.domain.ids import new_movie_id
from marquee.errors import PlatformUnavailable
from marquee.platform.cluster_engines import instances
from marquee.platform.cluster_engines.engine import Engine
from marquee.platform.cluster_engines.names import chosen
from marquee.platform.supervisor.supervision import start, stop
from marquee.settings import load_settings, setting_of
from marquee.stores.catalogue.values import TitleDetails
from marquee.stores.opened import Stores, open_stores
from tests.harness.servers import free_port_base

ENGINES: Final = {"embedded": (), "distributed": ("kafka", "elasticsearch")}
WITHOUT: Final = (
    "api,transcode,outbox,housekeeping,edge-logs,edge-1,edge-2,web,gateway,"
    "dagster-code-ingest,dagster-code-analytics,dagster-webserver,dagster-daemon"
)
POLL_SECONDS: Final = 0.002
GIVE_UP_SECONDS: Final = 30.0
MAX_PAUSE_SECONDS: Final = 0.3


@contextlib.asynccontextmanager
async def _platform(folder: Path, engines: Sequence[Engine]) -> AsyncIterator[Stores]:
    settings = load_settings(state=folder, port_base=free_port_base(), without=WITHOUT)
    try:
        urls = await instances.up(settings, engines, on_event=lambda _: None, tied=True)
        settings = await start(
            settings.model_copy(update={setting_of(variable): url for variable, url in urls.items()}), tied=True
        )
        async with open_stores(settings) as stores:
            yield stores
    finally:
        await stop(settings)
        await instances.down(settings, engines, on_event=lambda _: None)


async def _edit(stores: Stores, movie_id: str, number: int) -> float:
    """Milliseconds from the commit of one edit until a search would find it."""
    before = (await stores.catalogue.titles.get(movie_id)).details
    edited = await stores.catalogue.titles.edit(movie_id, replace(before, title=f"Edited {number}"))
    committed = time.perf_counter()
    await _until_searchable(stores, movie_id, edited.revision)
    return 1000 * (time.perf_counter() - committed)


async def _announced(stores: Stores) -> str:
    """A title that the index holds."""
    movie_id = new_movie_id()
    await stores.catalogue.titles.announce([(movie_id, TitleDetails("Edited"))])
    await _until_searchable(stores, movie_id, 1)
    return movie_id


async def _until_searchable(stores: Stores, movie_id: str, revision: int) -> None:
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while (await stores.search.revision(movie_id) or 0) < revision:  # noqa: ASYNC110  (an index has no event)
            await asyncio.sleep(POLL_SECONDS)


async def measure(platforms: dict[str, Stores], *, rounds: int, changes: int) -> dict[str, object]:
    titles = {name: await _announced(stores) for name, stores in platforms.items()}
    taken: dict[str, list[float]] = {name: [] for name in platforms}
    medians: dict[str, list[float]] = {name: [] for name in platforms}
    for turn in range(rounds):
        for name in list(platforms) if turn % 2 else list(reversed(platforms)):
            found = []
            for number in range(changes):
                await asyncio.sleep(random.uniform(0, MAX_PAUSE_SECONDS))  # noqa: S311  (no secret)
                found.append(await _edit(platforms[name], titles[name], number))
            medians[name].append(statistics.median(found))
            taken[name] += found
    return {
        name: {
            "p50_ms": round(statistics.median(values)),
            "p50_ms_spread": [round(min(medians[name])), round(max(medians[name]))],
            "p99_ms": round(statistics.quantiles(values, n=100)[98]),
            "edits": len(values),
        }
        for name, values in taken.items()
    }


async def _run(rounds: int, changes: int) -> dict[str, object]:
    async with contextlib.AsyncExitStack() as stack:
        platforms: dict[str, Stores] = {}
        for name, engines in ENGINES.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"marquee-{name}-")))
            try:
                platforms[name] = await stack.enter_async_context(
                    _platform(folder, chosen(list(engines)) if engines else [])
                )
            except PlatformUnavailable as reason:
                if not engines:
                    raise
                sys.stderr.write(f"{name} is left out: {reason.detail}\n")
        return await measure(platforms, rounds=rounds, changes=changes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--changes", type=int, default=50)
    asked = parser.parse_args()
    sys.stdout.write(json.dumps(asyncio.run(_run(asked.rounds, asked.changes))) + "\n")


if __name__ == "__main__":
    main()
