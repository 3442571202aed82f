"""Processor time of one request in each server on its way: a progress write, a home page, a stream's start, a segment.

`bench.api.Load` keeps its connections busy, first for a warm-up and then for the counted time. The costs are those of
every named process. A note in the watch history is not a request: the store writes it, and PostgreSQL's time is
measured.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from bench.api import Load, log_in, seeded
from bench.meter import Costs, Meter, of_requests
from bench.started import engine, platform
from marquee.cdn.signed_paths import stream_path
from marquee.platform import local_engines
from marquee.platform.programs import edges
from marquee.settings import Settings
from marquee.stores.opened import Stores, open_stores
from tests.harness.servers import make_test_settings, running

SEGMENT_BYTES: Final = 2_000_000
SEGMENTS: Final = 20
CONCURRENT_CALLS: Final = 16


def progress(folder: Path, seconds: float) -> Costs:
    """A progress write through gateway and API into Cassandra."""
    with (
        engine("cassandra", folder / "engines") as (urls, _),
        platform(folder / "state", resume_positions_url=urls["MARQUEE_RESUME_POSITIONS_URL"]) as (settings, pids),
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

        watched = {"gateway": [pids["gateway"]], "api": [pids["api-1"]]}
        found = await of_requests(Load(settings.public, write), seconds, watched, lambda: sent)
    return {f"progress_{name}": value for name, value in found.items()}


def home(folder: Path, seconds: float) -> Costs:
    """A home page of cached rows and a stream's start, both at the API itself; and a note in the watch history."""
    with platform(folder / "state") as (settings, pids):
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

            watched = {each: [pids[each]] for each in ("api-1", "postgres", "valkey-cache")}
            costs = await of_requests(Load(settings.apis[0], get), seconds, watched, lambda: sent)  # noqa: B023
            found |= {f"{name}_{each.replace('-', '_')}": value for each, value in costs.items()}
        async with httpx.AsyncClient(base_url=settings.apis[0], headers={"Authorization": f"Bearer {token}"}) as http:
            found["home_bytes"] = len((await http.get("/api/v1/home?limit=10")).content)
        found["note_postgres_cpu_us"] = await _notes(stores, movies, pids["postgres"], seconds)
    return found


async def _notes(stores: Stores, movies: Sequence[str], postgres: int, seconds: float) -> float:
    """Microseconds of PostgreSQL for one small durable write, such as a note in the watch history."""
    noted = 0

    async def note(viewer: int) -> None:
        nonlocal noted
        while time.perf_counter() < until:
            noted += 1
            moment = datetime.now(UTC)
            await stores.history.record(f"p_{viewer}_{noted}", movies[noted % len(movies)], moment)

    until = time.perf_counter() + seconds
    meter = Meter(postgres)
    await asyncio.gather(*(note(viewer) for viewer in range(CONCURRENT_CALLS)))
    return meter.micros(noted)


def edge(folder: Path, seconds: float) -> Costs:
    """Segments from an edge's cache, on kept-alive connections, without TLS."""
    settings = make_test_settings(folder / "state")
    with (
        running(local_engines.seaweedfs(settings), settings.state),
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

    found = await of_requests(Load(settings.edges[0], get), seconds, {"edge": [nginx]}, lambda: sent)
    return {"edge_cpu_seconds_a_gigabyte": round(found["edge_cpu_us"] * 1e-6 * 1e9 / SEGMENT_BYTES, 3)}
