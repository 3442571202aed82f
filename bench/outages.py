"""What viewers get while an engine is frozen: latency, statuses, rows and missing rows, lost positions.

`make bench-outages`, or `python -m bench.outages [--seconds 10] [--case NAME ...]`. The gateway, one process of the API and
the engines run here. 32 callers ask for home, stream, progress and search through the gateway, with a pause of about
`PAUSE_SECONDS`; one more asks `/readyz`. A case freezes every process of an engine with SIGSTOP. A request belongs to the
phase in which it began. `whole`: 200 or 204, and a home page that lacks nothing. The last line is one JSON object.
`bench.restarts` measures processes of the API that are killed.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.api import log_in, seeded
from bench.started import platform
from marquee.settings import Settings
from tests.harness.freezing import frozen

CALLERS = 32
KINDS = ("home", "stream", "progress", "search")
PAUSE_SECONDS = 0.05
GIVE_UP_SECONDS = 35.0
BEFORE_SECONDS = 5.0
AFTER_SECONDS = 12.0
FROZEN = ("postgres", "valkey-cache", "valkey-log", "seaweedfs")
GOOD = (200, 204)
Figures = dict[str, object]


@dataclass(frozen=True)
class Answer:
    """One request: monotonic seconds of its begin and end, and the answer's status (0: the connection broke or hung)."""

    kind: str
    begun: float
    ended: float
    status: int
    rows: int | None = None
    degraded: int | None = None
    retry_after: bool = False

    @property
    def is_whole(self) -> bool:
        return self.status in GOOD and not self.degraded and self.rows != 0


class Callers:
    """Requests on kept-alive connections, until `stop` is set."""

    def __init__(self, url: str, token: str, movies: Sequence[str]) -> None:
        self._host, self._port = url.removeprefix("http://").rstrip("/").split(":")
        self._token = token
        self._movies = movies
        self.answers: list[Answer] = []
        self.acknowledged: dict[str, int] = {}
        """Movie -> the last position that was answered by 204, in seconds. Each movie has one writer."""
        self._positions = dict.fromkeys(movies, 0)

    async def run(self, seconds: float) -> None:
        """All callers at once, for `seconds`."""
        until = time.monotonic() + seconds
        callers = [self._call_until(KINDS[number % len(KINDS)], number, until) for number in range(CALLERS)]
        await asyncio.gather(*callers, self._call_until("readyz", CALLERS, until))

    async def _call_until(self, kind: str, number: int, until: float) -> None:
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while time.monotonic() < until:
            begun = time.monotonic()
            status, head, body = 0, b"", b""
            try:
                async with asyncio.timeout(GIVE_UP_SECONDS):
                    if connection is None:
                        connection = await asyncio.open_connection(self._host, int(self._port), limit=2**22)
                    reader, writer = connection
                    movie, position = self._next(kind, number)
                    writer.write(self._request(kind, movie, position))
                    head = (await reader.readuntil(b"\r\n\r\n")).lower()
                    length = head.partition(b"content-length:")[2].split(b"\r\n")[0].strip()
                    body = await reader.readexactly(int(length or 0))
                    status = int(head[9:12])
                if kind == "progress" and status == 204:
                    self.acknowledged[movie] = position
            except (OSError, EOFError, TimeoutError, ValueError):
                pass
            if status == 0 and connection is not None:
                connection[1].close()
                connection = None
            page = json.loads(body) if kind == "home" and status == 200 else {}
            self.answers.append(
                Answer(
                    kind,
                    begun,
                    time.monotonic(),
                    status,
                    rows=len(page["rows"]) if page else None,
                    degraded=len(page.get("degraded", ())) if page else None,
                    retry_after=b"\r\nretry-after:" in head,
                )
            )
            await asyncio.sleep(PAUSE_SECONDS * (2 if status else 10) * random.random())  # noqa: S311
        if connection is not None:
            connection[1].close()

    def _next(self, kind: str, number: int) -> tuple[str, int]:
        movie = self._movies[number % len(self._movies)]
        if kind == "progress":
            self._positions[movie] += 1
        return movie, self._positions[movie]

    def _request(self, kind: str, movie: str, position: int) -> bytes:
        paths = {
            "home": "GET /api/v1/home?limit=10",
            "stream": f"GET /api/v1/stream?movie_id={movie}",
            "search": "GET /api/v1/search?q=film&limit=10",
            "progress": "POST /api/v1/stream/progress",
            "readyz": "GET /api/v1/readyz",
        }
        body = json.dumps({"movie_id": movie, "position_seconds": position}) if kind == "progress" else ""
        head = f"{paths[kind]} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._token}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"{head}\r\n{body}".encode()

    async def resume_positions(self, url: str) -> dict[str, float]:
        """Movie -> where it resumes, for every movie with an acknowledged position."""
        found = {}
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            for movie in self.acknowledged:
                headers = {"Authorization": f"Bearer {self._token}"}
                answer = await http.get("/api/v1/stream", params={"movie_id": movie}, headers=headers)
                answer.raise_for_status()
                found[movie] = answer.json()["resume_position_seconds"]
        return found


def _spread(answers: Sequence[Answer]) -> Figures:
    taken = sorted(1000 * (answer.ended - answer.begun) for answer in answers)
    if not taken:
        return {"requests": 0}
    cuts = statistics.quantiles(taken, n=100, method="inclusive") if len(taken) > 1 else taken * 99
    figures: Figures = {
        "requests": len(taken),
        "p50_ms": round(cuts[49], 1),
        "p99_ms": round(cuts[98], 1),
        "max_ms": round(taken[-1], 1),
        "statuses": dict(sorted(Counter(answer.status for answer in answers).items())),
    }
    pages = [answer for answer in answers if answer.rows is not None]
    if pages:
        figures["rows"] = [min(page.rows or 0 for page in pages), max(page.rows or 0 for page in pages)]
        figures["degraded_pages"] = sum(1 for page in pages if page.degraded)
        figures["empty_pages_as_success"] = sum(1 for page in pages if page.rows == 0)
    if unsaid := sum(1 for answer in answers if answer.status == 503 and not answer.retry_after):
        figures["503_without_retry_after"] = unsaid
    return figures


def _judge(answers: Sequence[Answer], began: float, ended: float) -> Figures:
    figures: Figures = {}
    for kind in (*KINDS, "readyz"):
        mine = [answer for answer in answers if answer.kind == kind]
        after = [answer for answer in mine if answer.begun >= ended]
        bad = [answer for answer in mine if answer.ended >= began and not answer.is_whole]
        whole = [answer.ended for answer in after if answer.is_whole]
        refused = [answer.ended for answer in bad if answer.status not in GOOD]
        figures[kind] = {
            "before": _spread([answer for answer in mine if answer.begun < began]),
            "during": _spread([answer for answer in mine if began <= answer.begun < ended]),
            "after": _spread(after),
            "first_whole_answer_seconds": round(min(whole) - ended, 2) if whole else None,
            "last_other_answer_seconds": round(max((answer.ended for answer in bad), default=ended) - ended, 2),
            "seconds_of_refusals": round(max(refused) - min(refused), 2) if refused else 0.0,
        }
    return figures


async def _case(url: str, token: str, movies: Sequence[str], seconds: float, pid: int) -> Figures:
    callers = Callers(url, token, movies)
    load = asyncio.create_task(callers.run(BEFORE_SECONDS + seconds + AFTER_SECONDS))
    await asyncio.sleep(BEFORE_SECONDS)
    began = time.monotonic()
    with frozen(pid):
        await asyncio.sleep(seconds)
    ended = time.monotonic()
    await load
    resumes = await callers.resume_positions(url)
    lost = [movie for movie, position in callers.acknowledged.items() if resumes[movie] < position]
    return {**_judge(callers.answers, began, ended), "acknowledged_positions_lost": len(lost)}


async def _measure(url: str, pids: dict[str, int], settings: Settings, asked: argparse.Namespace) -> Figures:
    figures: Figures = {}
    async with seeded(settings) as (stores, movies):
        token = await log_in(url, stores)
        for case in asked.case or FROZEN:
            figures[case] = await _case(url, token, movies, asked.seconds, pids[case])
            sys.stdout.write(f"{case}: {json.dumps(figures[case])}\n")
            sys.stdout.flush()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--case", action="append", choices=FROZEN)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder, platform(Path(folder)) as (settings, pids):
        url = settings.loopback("gateway")
        figures = asyncio.run(_measure(url, pids, settings, asked))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
