"""What clients notice while processes of the API are killed, stopped and restarted: failures, their seconds, p99.

`make bench-restarts`, or `python -m bench.restarts [--seconds 12]`. 32 callers ask the gateway of a supervised platform for
home, stream, progress and search, each five times a second, whatever the answers are. During that load one process of the
API is killed, every process is killed, one is told to stop, one hangs for FREEZE_SECONDS, and `marquee restart api` runs
twice in a row. `failed` counts answers other than 200 and 204, and connections that broke. `seconds_of_failure` counts tenths
of a second that had such an answer. The last line is one JSON object.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

from bench.api import log_in
from marquee.platform.supervisor.supervision import Supervisor, start, stop
from marquee.platform.topology import PARTS
from marquee.settings import Settings
from marquee.stores.opened import open_stores
from tests.harness.api.seeding import Seeder
from tests.harness.api.serving import environment_of
from tests.harness.servers import make_test_settings

CALLERS: Final = 32
VIEWERS: Final = 8
"""The gateway chooses a process by the viewer, so that each process has some of them."""
PERIOD_SECONDS: Final = 0.2
"""Between two requests of one caller."""
SLOT_SECONDS: Final = 0.1
FREEZE_SECONDS: Final = 8.0
NEEDED: Final = (
    "postgres",
    "valkey-cache",
    "valkey-log",
    "seaweedfs",
    "search-sync",
    "change-capture",
    "api",
    "gateway",
)


Requests = Sequence[tuple[str, Callable[[int], bytes]]]
"""What one viewer asks in turn: (kind, the bytes of a request by its number)."""


@dataclass(frozen=True)
class Answer:
    """One request: its kind, when it ended (seconds since the load began), how long it took, and its status or its error."""

    kind: str
    ended: float
    milliseconds: float
    outcome: str

    @property
    def is_failed(self) -> bool:
        return self.outcome not in ("200", "204")


class ConstantLoad:
    """CALLERS clients on kept-alive connections, each with PERIOD_SECONDS between its requests."""

    def __init__(self, url: str, requests: Sequence[Requests]) -> None:
        """`requests`: those of each viewer. A caller is one of the viewers."""
        self._host, self._port = url.removeprefix("http://").split(":")
        self._requests = requests
        self.answers: list[Answer] = []

    async def run(self, until: asyncio.Event) -> None:
        """Send until the event is set."""
        begun = time.perf_counter()
        await asyncio.gather(*(self._caller(number, begun, until) for number in range(CALLERS)))

    async def _caller(self, number: int, begun: float, until: asyncio.Event) -> None:
        requests = self._requests[number % len(self._requests)]
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        due = begun + number * PERIOD_SECONDS / CALLERS
        turn = number
        while not until.is_set():
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            kind, request = requests[turn % len(requests)]
            turn, sent = turn + 1, time.perf_counter()
            due = max(due + PERIOD_SECONDS, sent)
            try:
                if streams is None:
                    streams = await asyncio.open_connection(self._host, int(self._port), limit=2**22)
                outcome, is_kept = await asyncio.wait_for(_exchange(*streams, request(turn)), 60)
            except (OSError, EOFError, TimeoutError) as error:
                outcome, is_kept = type(error).__name__, False
            now = time.perf_counter()
            self.answers.append(Answer(kind, now - begun, 1000 * (now - sent), outcome))
            if not is_kept and streams is not None:
                streams[1].close()
                streams = None
        if streams is not None:
            streams[1].close()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[str, bool]:
    """The answer's status, and whether the connection is kept."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"transfer-encoding: chunked" in head:
        await reader.readuntil(b"\r\n0\r\n\r\n")
    elif length := int(head.partition(b"content-length:")[2].split(b"\r\n")[0].strip() or 0):
        await reader.readexactly(length)
    return head[9:12].decode(), b"connection: close" not in head


def summary(answers: Sequence[Answer]) -> dict[str, object]:
    """The figures of one phase."""
    failed = [answer for answer in answers if answer.is_failed]
    slots = {int(answer.ended / SLOT_SECONDS) for answer in failed}
    return {
        "requests": len(answers),
        "failed": len(failed),
        "outcomes": dict(Counter(answer.outcome for answer in failed)),
        "failed_kinds": dict(Counter(answer.kind for answer in failed)),
        "seconds_of_failure": round(len(slots) * SLOT_SECONDS, 1),
        "p50_ms": round(statistics.median(answer.milliseconds for answer in answers), 1),
        "p99_ms": round(statistics.quantiles((answer.milliseconds for answer in answers), n=100)[98], 1),
        "longest_ms": round(max(answer.milliseconds for answer in answers)),
    }


def _requests(token: str, movies: Sequence[str]) -> Requests:
    def get(path: Callable[[int], str]) -> Callable[[int], bytes]:
        head = f"Host: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        return lambda number: f"GET {path(number)} HTTP/1.1\r\n{head}".encode()

    def progress(number: int) -> bytes:
        body = b'{"movie_id":"%s","position_seconds":%d}' % (movies[number % len(movies)].encode(), number % 600)
        head = "POST /api/v1/stream/progress HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        return f"{head}Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    return [
        ("home", get(lambda _: "/api/v1/home?limit=10")),
        ("stream", get(lambda number: f"/api/v1/stream?movie_id={movies[number % len(movies)]}")),
        ("progress", progress),
        ("search", get(lambda number: f"/api/v1/search?q=film+{number % 80}&limit=10")),
    ]


async def _processes(settings: Settings) -> dict[str, int]:
    """The API's processes: name -> pid."""
    found = await Supervisor(settings).processes()
    return {process.name: process.pid for process in found if process.name.partition("-")[0] == "api"}


async def _all_back(settings: Settings, before: dict[str, int]) -> None:
    """Wait until every process of the API is another one than before, or the same where it was left alone, and is ready."""
    async with asyncio.timeout(60), httpx.AsyncClient(timeout=2) as http:
        for name in before:
            port = settings.port("api" if name in ("api", "api-1") else name.replace("-", "_"))
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                        break
                await asyncio.sleep(0.05)


async def _signal(settings: Settings, number: signal.Signals, count: int) -> None:
    for pid in list((await _processes(settings)).values())[:count]:
        process = psutil.Process(pid)
        for each in [process, *(process.children(recursive=True) if number is signal.SIGKILL else [])]:
            each.send_signal(number)


async def _freeze_one(settings: Settings) -> None:
    await _signal(settings, signal.SIGSTOP, 1)
    await asyncio.sleep(FREEZE_SECONDS)
    await _signal(settings, signal.SIGCONT, 1)


async def _restart_twice(settings: Settings) -> None:
    for _ in range(2):
        command = [shutil.which("marquee", path=str(Path(sys.executable).parent)) or "marquee", "restart", "api"]
        environment = {**os.environ, **environment_of(settings)}
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.DEVNULL)
        if await process.wait() != 0:
            raise RuntimeError("marquee restart api failed")


async def measure(settings: Settings, seconds: float) -> dict[str, object]:
    """The figures of every phase, by its name."""
    events: dict[str, Callable[[], Awaitable[None]]] = {
        "quiet": lambda: asyncio.sleep(0),
        "kill_one": lambda: _signal(settings, signal.SIGKILL, 1),
        "kill_all": lambda: _signal(settings, signal.SIGKILL, 64),
        "terminate_one": lambda: _signal(settings, signal.SIGTERM, 1),
        "freeze_one": lambda: _freeze_one(settings),
        "restart_twice": lambda: _restart_twice(settings),
    }
    figures: dict[str, object] = {}
    async with _seeded(settings) as (tokens, movies):
        requests = [_requests(token, movies) for token in tokens]
        for name, event in events.items():
            load, over = ConstantLoad(settings.public, requests), asyncio.Event()
            running = asyncio.create_task(load.run(over))
            await asyncio.sleep(2)
            before = await _processes(settings)
            begun = time.perf_counter()
            await event()
            took = time.perf_counter() - begun
            await asyncio.sleep(0.5)
            await _all_back(settings, before)
            back = time.perf_counter() - begun
            await asyncio.sleep(max(0.0, seconds - 2 - back) if name != "restart_twice" else 3)
            over.set()
            await running
            figures[name] = {
                **summary(load.answers),
                "event_seconds": round(took, 1),
                "ready_again_seconds": round(back, 1),
            }
            sys.stderr.write(f"{name}: {figures[name]}\n")
    return figures


@contextlib.asynccontextmanager
async def _seeded(settings: Settings) -> AsyncIterator[tuple[list[str], list[str]]]:
    """A token for each viewer, and the ids of titles that play. The platform's own search sync makes them findable."""
    async with open_stores(settings) as stores:
        seeder = Seeder(stores)
        genres = ("Drama", "Comedy", "Action", "Horror", "Crime", "War", "Western", "Fantasy")
        movies = [await seeder.playable(f"Film {n}", genres=[genres[n % 8]]) for n in range(80)]
        tokens = [await log_in(settings.public, stores, f"viewer-{n}@example.org") for n in range(VIEWERS)]
        yield tokens, movies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=12.0)
    asked = parser.parse_args()
    without = ",".join(part.name for part in PARTS if part.name not in NEEDED)
    with tempfile.TemporaryDirectory(prefix="marquee-restarts-") as folder:
        settings = asyncio.run(
            start(make_test_settings(Path(folder) / "state", without=without, rate_limit_scale=1000), tied=True)
        )
        try:
            figures = asyncio.run(measure(settings, asked.seconds))
        finally:
            asyncio.run(stop(settings))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
