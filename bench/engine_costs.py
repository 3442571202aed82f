"""Processor time of one call (a position, an event, a search) in an engine that comes by Maven, and in its client.

The client is this process. Each call goes through the store's own adapter, with many calls at once. A warm-up of the
same length comes first and is not counted, because Java compiles during it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec

from bench.meter import Costs, Meter
from bench.search_quality import DATA, documents
from bench.started import engine
from marquee.documents import SearchDocument
from marquee.stores.event_log import open_event_log
from marquee.stores.resume_positions import open_resume_positions
from marquee.stores.resume_positions.contract import ResumePosition
from marquee.stores.search import open_search_writer

RECORD_BYTES: Final = 1_000
CONCURRENT_CALLS: Final = 16
CONCURRENT_VIEWERS: Final = 256
TITLES: Final = 600_000
"""More than the real catalogue has: what is missing are its titles once more, numbered as sequels are."""


def positions(folder: Path, seconds: float) -> Costs:
    """A durable position in Cassandra. One process writes, with as many writes at once as a service's node has."""
    with engine("cassandra", folder / "engines") as (urls, cassandra):
        return asyncio.run(_positions(urls["MARQUEE_RESUME_POSITIONS_URL"], cassandra, seconds))


async def _positions(url: str, cassandra: list[int], seconds: float) -> Costs:
    store = open_resume_positions(url)
    written = 0

    async def watch(viewer: int) -> None:
        nonlocal written
        while time.perf_counter() < until:
            written += 1
            moment = time.time_ns() // 1_000_000
            await store.record(ResumePosition(f"p_{viewer}", f"m_{written % 100}", written, moment))

    for _ in range(2):  # the first round is the warm-up
        written, until = 0, time.perf_counter() + seconds
        meter, own = Meter(*cassandra), time.process_time()
        await asyncio.gather(*(watch(viewer) for viewer in range(CONCURRENT_VIEWERS)))
    own = time.process_time() - own
    await store.close()
    return {"position_cassandra_cpu_us": meter.micros(written), "position_client_cpu_us": round(1e6 * own / written, 2)}


def events(folder: Path, seconds: float) -> Costs:
    """A record of a kilobyte that one process publishes to Kafka with acks=all."""
    with engine("kafka", folder / "engines") as (urls, kafka):
        return asyncio.run(_events(urls["MARQUEE_EVENT_LOG_URL"], kafka, seconds))


async def _events(url: str, kafka: list[int], seconds: float) -> Costs:
    event_log = open_event_log(url)
    await event_log.ensure_topic("bench", streams=4)
    published = 0

    async def publish() -> None:
        nonlocal published
        while time.perf_counter() < until:
            await event_log.publish("bench", f"m_{published % 1000}", bytes(RECORD_BYTES))
            published += 1

    until = time.perf_counter() + seconds
    await asyncio.gather(*(publish() for _ in range(CONCURRENT_CALLS)))
    published, until = 0, time.perf_counter() + seconds
    meter, own = Meter(*kafka), time.process_time()
    await asyncio.gather(*(publish() for _ in range(CONCURRENT_CALLS)))
    own = time.process_time() - own
    found = {"event_kafka_cpu_us": meter.micros(published), "event_client_cpu_us": round(1e6 * own / published, 2)}
    await event_log.close()
    return found


def search(folder: Path, seconds: float) -> Costs:
    """A search in Elasticsearch over the catalogue, as people type it: misspelt and unfinished."""
    with engine("elasticsearch", folder / "engines") as (urls, nodes):
        return asyncio.run(_search(urls["MARQUEE_SEARCH_URL"], nodes, seconds))


async def _search(url: str, nodes: list[int], seconds: float) -> Costs:
    index = await open_search_writer(url)
    titles = list(documents(DATA / "catalogue" / "catalogue.jsonl.gz"))

    async def each() -> AsyncIterator[SearchDocument]:
        for number in range(TITLES):
            part, place = divmod(number, len(titles))
            title = titles[place]
            again = {"movie_id": f"{title.movie_id}x{part}", "title": f"{title.title} {part + 1}"} if part else {}
            yield msgspec.structs.replace(title, **again)

    await index.rebuild(each())
    asked = 0

    async def ask() -> None:
        nonlocal asked
        while time.perf_counter() < until:
            title = titles[(asked * 7919) % len(titles)].title
            asked += 1
            # One letter is missing, as in a typing error.
            await index.search(title[:4] + title[5:], limit=10)

    until = time.perf_counter() + seconds
    await asyncio.gather(*(ask() for _ in range(CONCURRENT_CALLS)))
    asked, until = 0, time.perf_counter() + seconds
    meter, own = Meter(*nodes), time.process_time()
    await asyncio.gather(*(ask() for _ in range(CONCURRENT_CALLS)))
    own = time.process_time() - own
    found = {"search_elasticsearch_cpu_us": meter.micros(asked), "search_client_cpu_us": round(1e6 * own / asked, 2)}
    await index.close()
    size = sum(len(msgspec.json.encode(title)) for title in titles) / len(titles)
    return {**found, "search_titles": TITLES, "search_document_bytes": round(size)}
