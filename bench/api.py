"""Progress writes and home pages per second, through the real API server and through a bare ASGI handler on granian.

`python -m bench.api [--rounds 5] [--seconds 2]`. Rounds alternate between the two servers, so that other load on the
machine affects both. The ratio is computed for each pair of rounds and given as median and spread. Clients and servers
share one machine, so both rates include the clients' own cost.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx
from pydantic import SecretStr

from api.auth.passwords import Passwords
from bench.started import bare_handler
from marquee import token_keys
from marquee.platform import local_engines
from marquee.settings import Settings
from marquee.stores.opened import Stores, open_stores
from marquee.stores.schema.migrate import migrate
from tests.harness.api.seeding import Seeder
from tests.harness.api.serving import serving
from tests.harness.servers import make_test_settings, running

CLIENTS = 32
PASSWORD = "a bench's password"  # noqa: S105


@contextlib.contextmanager
def _bare(settings: Settings) -> Iterator[str]:
    granian = [str(Path(sys.executable).parent / "granian"), "--interface", "asgi", "--host", "127.0.0.1"]
    options = ["--workers", "1", "--no-ws", "--loop", "auto", "bench.bare:app"]
    with bare_handler(lambda port: [*granian, "--port", str(port), *options], BENCH_DATABASE=settings.database) as (
        url,
        _,
    ):
        yield url


class Load:
    """Clients on kept-alive connections that speak raw HTTP/1.1: a client library would cost more than the server."""

    def __init__(self, url: str, request: Callable[[int], bytes]) -> None:
        self._host, self._port = url.removeprefix("http://").split(":")
        self._request = request
        self.latency_ms: list[float] = []

    async def rate(self, seconds: float) -> float:
        """Answers per second over `seconds`. Raises RuntimeError for an answer other than 200 or 204."""
        until = time.perf_counter() + seconds
        begun = time.perf_counter()
        counts = await asyncio.gather(*(self._client(number, until) for number in range(CLIENTS)))
        return sum(counts) / (time.perf_counter() - begun)

    async def _client(self, number: int, until: float) -> int:
        reader, writer = await asyncio.open_connection(self._host, int(self._port), limit=2**22)
        count = 0
        try:
            while (begun := time.perf_counter()) < until:
                writer.write(self._request(number * 1_000_000 + count))
                head = await reader.readuntil(b"\r\n\r\n")
                if head[9:12] not in (b"200", b"204"):
                    raise RuntimeError(f"the answer is not 200 or 204: {head[:200]!r}")
                length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0].strip()
                if length and int(length):
                    await reader.readexactly(int(length))
                self.latency_ms.append(1000 * (time.perf_counter() - begun))
                count += 1
        finally:
            writer.close()
        return count


def _post(path: str, body: bytes, token: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def home_request(token: str) -> bytes:
    """The bytes of a request for the home page."""
    return f"GET /api/v1/home?limit=10 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def log_in(url: str, stores: Stores, email: str = "bench@example.org") -> str:
    """Register an account and return its access token."""
    await stores.accounts.create(email, await Passwords().hash(PASSWORD), role="viewer", profile_names=["Bench"])
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        answer = await http.post("/api/v1/sessions", json={"email": email, "password": PASSWORD})
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token


async def _alternating(
    rounds: int, ours: Callable[[], Awaitable[float]], bare: Callable[[], Awaitable[float]]
) -> dict[str, object]:
    pairs = []
    for turn in range(rounds):
        first, second = (ours, bare) if turn % 2 else (bare, ours)
        one, other = await first(), await second()
        pairs.append((one, other) if turn % 2 else (other, one))
    ratios = [our / base for our, base in pairs]
    return {
        "api_per_second": round(statistics.median(our for our, _ in pairs)),
        "bare_per_second": round(statistics.median(base for _, base in pairs)),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_spread": [round(min(ratios), 3), round(max(ratios), 3)],
    }


@contextlib.asynccontextmanager
async def seeded(settings: Settings) -> AsyncIterator[tuple[Stores, list[str]]]:
    """Stores with a catalogue of titles that play, and the titles' ids."""
    async with open_stores(settings, search_writer=True) as stores:
        await stores.objects.ensure_bucket()
        await stores.published.ensure_bucket()
        genres = ["Drama", "Comedy", "Action", "Horror", "Crime", "War", "Western", "Fantasy"]
        seeder = Seeder(stores)
        yield stores, [await seeder.playable(f"Film {n}", genres=[genres[n % 8]]) for n in range(80)]


async def measure(url: str, bare_url: str, settings: Settings, rounds: int, seconds: float) -> dict[str, object]:
    """Both measurements, in alternating rounds."""
    async with seeded(settings) as (stores, movies):
        token = await log_in(url, stores)

        def progress(number: int) -> bytes:
            body = b'{"movie_id":"%s","position_seconds":%d}' % (movies[number % len(movies)].encode(), number % 600)
            return _post("/api/v1/stream/progress", body, token)

        home = home_request(token)
        nothing = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        writes, bare_writes = Load(url, progress), Load(bare_url, progress)
        homes, bare_gets = Load(url, lambda _: home), Load(bare_url, lambda _: nothing)
        for load in (writes, bare_writes, homes, bare_gets):
            await load.rate(0.5)
        return {
            "progress": await _alternating(rounds, lambda: writes.rate(seconds), lambda: bare_writes.rate(seconds)),
            "home_against_an_empty_answer": await _alternating(
                rounds, lambda: homes.rate(seconds), lambda: bare_gets.rate(seconds)
            ),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        settings = make_test_settings(Path(folder)).model_copy(
            update={"token_private_key": SecretStr(token_keys.generate_private_key())}
        )
        for engine in (
            local_engines.postgres,
            local_engines.valkey_cache,
            local_engines.valkey_log,
            local_engines.seaweedfs,
        ):
            stack.enter_context(running(engine(settings), settings.state))
        migrate(settings.database)
        asyncio.run(prepare(settings))
        url, bare_url = stack.enter_context(serving(settings)), stack.enter_context(_bare(settings))
        figures = asyncio.run(measure(url, bare_url, settings, asked.rounds, asked.seconds))
    sys.stdout.write(json.dumps(figures) + "\n")


async def prepare(settings: Settings) -> None:
    """Make the buckets and an empty index: without them the API is not ready."""
    async with open_stores(settings, search_writer=True) as stores:
        await stores.objects.ensure_bucket()
        await stores.published.ensure_bucket()


if __name__ == "__main__":
    main()
