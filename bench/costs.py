"""What one unit of work costs the process that does it, in processor time: what `docs/capacity.md` reckons with.

`python -m bench.costs [NAME ...] [--seconds 5]`, a NAME of `MEASURES`. Processor time of the servers, not a rate: load, servers
and whatever else the machine does share its cores, and a rate would measure all of them. Every server is the real one, started
here; those that come by Maven are left out where it is missing. Each figure is the mean over one run; the last line is one JSON
object.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

import httpx
import msgspec
import psutil
from pydantic import SecretStr

from bench.api import Load, log_in, seeded
from bench.search_quality import DATA, documents
from marquee import signing
from marquee.documents import SearchDocument
from marquee.engines import running as engines_running
from marquee.engines.catalogue import chosen
from marquee.errors import PlatformUnavailable
from marquee.platform import applications, edges, engines, gateway
from marquee.platform.program import Program
from marquee.settings import Settings, load_settings
from marquee.signing import stream_path
from marquee.stores.event_log import open_event_log
from marquee.stores.migrate import migrate
from marquee.stores.opened import Stores, open_stores
from marquee.stores.resume_positions import open_resume_positions
from marquee.stores.resume_positions.contract import ResumePosition
from marquee.stores.search import open_search
from tests.api.serving import environment_of
from tests.servers import make_test_settings, running

SEGMENT_BYTES: Final = 2_000_000
SEGMENTS: Final = 20
RECORD_BYTES: Final = 1_000
AT_ONCE: Final = 16
IN_FLIGHT: Final = 256
TITLES: Final = 160_000

Costs = dict[str, float]


class Meter:
    """Processor seconds of processes and all that they started, since it was made."""

    def __init__(self, *pids: int) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._before = self._total()

    def _total(self) -> float:
        total = 0.0
        for process in self._processes:
            # Of children that have ended the kernel has told their parent.
            for each in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    total += sum(each.cpu_times()[:4])
        return total

    def micros(self, units: float) -> float:
        """Microseconds a unit."""
        return round(1e6 * (self._total() - self._before) / units, 2)


@contextlib.contextmanager
def _engine(name: str, folder: Path) -> Iterator[tuple[dict[str, str], list[int]]]:
    """An engine that is fetched by Maven: its URLs, and the processes that it is. Raises `PlatformUnavailable`."""
    settings, asked = load_settings(state=folder), chosen([name])
    for engine in asked:
        engine.fetch(settings)
    urls = asyncio.run(engines_running.up(settings, asked, on_event=lambda _: None, tied=True))
    try:
        yield dict(urls), [each.pid for each in asyncio.run(engines_running.observe(settings, asked))]
    finally:
        asyncio.run(engines_running.down(settings, asked, on_event=lambda _: None))


@contextlib.contextmanager
def _platform(folder: Path, **urls: str) -> Iterator[tuple[Settings, dict[str, int]]]:
    """API and gateway on the engines of one machine, or those of `urls`; the pid of each."""
    settings = make_test_settings(folder, **urls).model_copy(
        update={"token_private_key": SecretStr(signing.generate_private_key())}
    )
    with contextlib.ExitStack() as stack:
        pids = {}

        def start(program: Program) -> None:
            told = dataclasses.replace(program, environment={**program.environment, **environment_of(settings)})
            pids[program.name] = stack.enter_context(running(told, settings.state, seconds=90)).pid

        for engine in (engines.postgres, engines.valkey_cache, engines.valkey_log, engines.seaweedfs):
            start(engine(settings))
        migrate(settings.database)
        asyncio.run(_ready(settings))
        start(applications.api(settings))
        start(gateway.gateway(settings))
        yield settings, pids


async def _ready(settings: Settings) -> None:
    async with open_stores(settings, search_writer=True) as stores:
        await stores.objects.ensure_bucket()
        await stores.published.ensure_bucket()


async def _of_requests(load: Load, seconds: float, pids: dict[str, list[int]], counted: Callable[[], int]) -> Costs:
    """Microseconds of each process a request."""
    await load.rate(seconds)  # connections, caches, and what Java compiles
    before, meters = counted(), {name: Meter(*each) for name, each in pids.items()}
    await load.rate(seconds)
    units = counted() - before
    return {f"{name}_cpu_us": meter.micros(units) for name, meter in meters.items()}


def progress(folder: Path, seconds: float) -> Costs:
    """A progress write through gateway and API into Cassandra."""
    with (
        _engine("cassandra", folder / "engines") as (urls, _),
        _platform(folder / "state", resume_positions_url=urls["MARQUEE_RESUME_POSITIONS_URL"]) as (settings, pids),
    ):
        return asyncio.run(_progress(settings, pids, seconds))


async def _progress(settings: Settings, pids: dict[str, int], seconds: float) -> Costs:
    async with seeded(settings) as (stores, movies):
        token = await log_in(settings.public, stores)
        sent = 0

        def write(number: int) -> bytes:
            nonlocal sent
            sent += 1
            body = b'{"movie_id":"%s","position_seconds":%d}' % (movies[number % len(movies)].encode(), number % 600)
            head = "POST /api/v1/stream/progress HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            return f"{head}Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

        watched = {"gateway": [pids["gateway"]], "api": [pids["api"]]}
        found = await _of_requests(Load(settings.public, write), seconds, watched, lambda: sent)
    return {f"progress_{name}": value for name, value in found.items()}


def positions(folder: Path, seconds: float) -> Costs:
    """A durable position in Cassandra with as many in flight as a node of a service has, told to it by one process."""
    with _engine("cassandra", folder / "engines") as (urls, cassandra):
        return asyncio.run(_positions(urls["MARQUEE_RESUME_POSITIONS_URL"], cassandra, seconds))


async def _positions(url: str, cassandra: list[int], seconds: float) -> Costs:
    store = await open_resume_positions(url)
    written = 0

    async def watch(viewer: int) -> None:
        nonlocal written
        while time.perf_counter() < until:
            written += 1
            moment = time.time_ns() // 1_000_000
            await store.record(ResumePosition(f"p_{viewer}", f"m_{written % 100}", written, moment))

    for _ in range(2):  # the first time Java compiles
        written, until = 0, time.perf_counter() + seconds
        meter, own = Meter(*cassandra), time.process_time()
        await asyncio.gather(*(watch(viewer) for viewer in range(IN_FLIGHT)))
    own = time.process_time() - own
    await store.close()
    return {"position_cassandra_cpu_us": meter.micros(written), "position_client_cpu_us": round(1e6 * own / written, 2)}


def home(folder: Path, seconds: float) -> Costs:
    """A home page of cached rows, the start of a stream, each through the API itself; a note in the watch history."""
    with _platform(folder / "state") as (settings, pids):
        return asyncio.run(_home(settings, pids, seconds))


async def _home(settings: Settings, pids: dict[str, int], seconds: float) -> Costs:
    async with seeded(settings) as (stores, movies):
        token = await log_in(settings.public, stores)
        found: Costs = {}
        for name, path in (("home", "/api/v1/home?limit=10"), ("stream", f"/api/v1/stream?movie_id={movies[0]}")):
            sent = 0

            def get(_: int, path: str = path) -> bytes:
                nonlocal sent
                sent += 1
                return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

            watched = {each: [pids[each]] for each in ("api", "postgres", "valkey-cache")}
            costs = await _of_requests(Load(settings.api, get), seconds, watched, lambda: sent)  # noqa: B023
            found |= {f"{name}_{each.replace('-', '_')}": value for each, value in costs.items()}
        async with httpx.AsyncClient(base_url=settings.api, headers={"Authorization": f"Bearer {token}"}) as http:
            found["home_bytes"] = len((await http.get("/api/v1/home?limit=10")).content)
        found["note_postgres_cpu_us"] = await _notes(stores, movies, pids["postgres"], seconds)
    return found


async def _notes(stores: Stores, movies: Sequence[str], postgres: int, seconds: float) -> float:
    """Microseconds of PostgreSQL for a small durable write, such as a note in the watch history."""
    noted = 0

    async def note(viewer: int) -> None:
        nonlocal noted
        while time.perf_counter() < until:
            noted += 1
            moment = datetime.now(UTC)
            await stores.history.record(f"p_{viewer}_{noted}", movies[noted % len(movies)], moment)

    until = time.perf_counter() + seconds
    meter = Meter(postgres)
    await asyncio.gather(*(note(viewer) for viewer in range(AT_ONCE)))
    return meter.micros(noted)


def edge(folder: Path, seconds: float) -> Costs:
    """Segments from an edge's cache, on kept connections, without TLS."""
    settings = make_test_settings(folder / "state")
    with (
        running(engines.seaweedfs(settings), settings.state),
        running(edges.edge(settings, 1), settings.state) as nginx,
    ):
        return asyncio.run(_edge(settings, nginx.pid, seconds))


async def _edge(settings: Settings, nginx: int, seconds: float) -> Costs:
    async with open_stores(settings) as stores:
        await stores.published.ensure_bucket()
        for number in range(SEGMENTS):
            key = f"m_bench/v1/{number}.m4s"
            await stores.published.put(key, bytes(SEGMENT_BYTES), content_type="video/iso.segment")
    signed = stream_path(settings.edge_secret.get_secret_value(), "m_bench", 1, expires_at=int(time.time()) + 3600)
    sent = 0

    def get(number: int) -> bytes:
        nonlocal sent
        sent += 1
        return f"GET {signed}{number % SEGMENTS}.m4s HTTP/1.1\r\nHost: x\r\n\r\n".encode()

    found = await _of_requests(Load(settings.edges[0], get), seconds, {"edge": [nginx]}, lambda: sent)
    return {"edge_cpu_seconds_a_gigabyte": round(found["edge_cpu_us"] * 1e-6 * 1e9 / SEGMENT_BYTES, 3)}


def events(folder: Path, seconds: float) -> Costs:
    """A record of a kilobyte, published to Kafka with acks=all by one process."""
    with _engine("kafka", folder / "engines") as (urls, kafka):
        return asyncio.run(_events(urls["MARQUEE_EVENT_LOG_URL"], kafka, seconds))


async def _events(url: str, kafka: list[int], seconds: float) -> Costs:
    event_log = await open_event_log(url)
    await event_log.ensure_topic("bench", streams=4)
    published = 0

    async def publish() -> None:
        nonlocal published
        while time.perf_counter() < until:
            await event_log.publish("bench", f"m_{published % 1000}", bytes(RECORD_BYTES))
            published += 1

    until = time.perf_counter() + seconds
    await asyncio.gather(*(publish() for _ in range(AT_ONCE)))
    published, until = 0, time.perf_counter() + seconds
    meter, own = Meter(*kafka), time.process_time()
    await asyncio.gather(*(publish() for _ in range(AT_ONCE)))
    own = time.process_time() - own
    found = {"event_kafka_cpu_us": meter.micros(published), "event_client_cpu_us": round(1e6 * own / published, 2)}
    await event_log.close()
    return found


def search(folder: Path, seconds: float) -> Costs:
    """A search as it is typed, wrong letters and all, over the catalogue, in Elasticsearch."""
    with _engine("elasticsearch", folder / "engines") as (urls, nodes):
        return asyncio.run(_search(urls["MARQUEE_SEARCH_URL"], nodes, seconds))


async def _search(url: str, nodes: list[int], seconds: float) -> Costs:
    index = await open_search(url, writer=True)
    titles = list(islice(documents(DATA / "catalogue" / "catalogue.jsonl.gz"), TITLES))

    async def each() -> AsyncIterator[SearchDocument]:
        for title in titles:
            yield title

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
    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    asked, until = 0, time.perf_counter() + seconds
    meter, own = Meter(*nodes), time.process_time()
    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    own = time.process_time() - own
    found = {"search_elasticsearch_cpu_us": meter.micros(asked), "search_client_cpu_us": round(1e6 * own / asked, 2)}
    await index.close()
    size = sum(len(msgspec.json.encode(title)) for title in titles) / len(titles)
    return {**found, "search_titles": len(titles), "search_document_bytes": round(size)}


MEASURES: Final[dict[str, Callable[[Path, float], Costs]]] = {
    "progress": progress,
    "positions": positions,
    "home": home,
    "edges": edge,
    "events": events,
    "search": search,
}


def measure(names: Sequence[str], seconds: float) -> Costs:
    found: Costs = {}
    for name in names:
        with tempfile.TemporaryDirectory(prefix="marquee-costs-") as folder:
            try:
                found |= MEASURES[name](Path(folder), seconds)
            except PlatformUnavailable as error:
                sys.stderr.write(f"{name} is left out: {error.detail}\n")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASURES, []], default=[])
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    sys.stdout.write(json.dumps(measure(asked.names or list(MEASURES), asked.seconds)) + "\n")


if __name__ == "__main__":
    main()
