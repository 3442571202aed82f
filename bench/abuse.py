"""What an abuser costs everybody else: latencies of honest callers before and during each abuse, and who was refused.

`python -m bench.abuse [NAME ...] [--seconds 60] [--callers 32] [--pause 0.2]`, with names from `bench.abuses.NAMES`. It starts
the engines, the API, the gateway and the public S3 endpoint of one machine, with the limits of their defaults. 32 callers with
accounts of their own ask for home, stream, progress and search in turn, from 127.0.0.1; each pauses between two requests
(`--pause 0`: as fast as answers come, which loads the machine to its limit). Before each abuse they are measured alone, for
the same time. Meanwhile the owner of the attacked account logs in again and again on a known device.

The abuser is on the same machine, which it would not be in life: its process has a low priority, so that its own work costs the
platform little. The last line is one JSON object; times are milliseconds.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from api.auth.passwords import Passwords
from bench.abuses import NAMES, Target, run
from bench.raw_client import Answer, RawClient, request_bytes
from marquee.platform.supervisor.supervision import start, stop
from marquee.platform.topology import PARTS
from marquee.settings import Settings
from marquee.stores.opened import Stores, open_stores
from tests.harness.api.seeding import Seeder
from tests.harness.servers import make_test_settings

GENRES: Final = ("Drama", "Comedy", "Action", "Horror", "Crime", "War", "Western", "Fantasy")
ROUTES: Final = ("home", "stream", "progress", "search")
PASSWORD: Final = "a bench's password"  # noqa: S105
OWNER: Final = "owner@example.org"
ABUSER: Final = "abuser@example.org"
ABUSER_NICENESS: Final = 10
OWNER_PAUSE_SECONDS: Final = 1.0
SEARCHABLE_SECONDS: Final = 60.0
NEEDED: Final = (
    *("postgres", "valkey-cache", "valkey-log", "seaweedfs", "s3-pace", "s3-proxy"),
    *("search-sync", "change-capture", "api", "gateway"),
)


@dataclass
class Measured:
    """Of the honest callers: latencies by route, and what failed, by route and status."""

    latency_ms: dict[str, list[float]] = field(default_factory=lambda: {route: [] for route in ROUTES})
    failed: dict[str, int] = field(default_factory=dict)
    owner_ms: list[float] = field(default_factory=list)
    owner_refused: int = 0

    def percentile(self, route: str, percent: int) -> float:
        """In milliseconds; 0 without two answers."""
        values = self.latency_ms[route]
        return round(statistics.quantiles(values, n=100)[percent - 1], 2) if len(values) > 1 else 0.0


@dataclass(frozen=True)
class Honest:
    """The callers: their tokens, what they ask for, and how many rows a whole home page has."""

    settings: Settings
    tokens: Sequence[str]
    movies: Sequence[str]
    rows: int
    pause: float
    device_token: str | None

    async def measure(self, seconds: float) -> Measured:
        """All callers, and the owner's logins, for `seconds`."""
        measured, until = Measured(), time.perf_counter() + seconds
        callers = (self._caller(number, token, until, measured) for number, token in enumerate(self.tokens))
        await asyncio.gather(self._owner(until, measured), *callers)
        return measured

    async def _caller(self, number: int, token: str, until: float, measured: Measured) -> None:
        client = RawClient(self.settings.public, "127.0.0.1")
        await asyncio.sleep(self.pause * number / len(self.tokens))
        while time.perf_counter() < until:
            number += 1
            route = ROUTES[number % len(ROUTES)]
            begun = time.perf_counter()
            answer = await client.send(self._request(route, number, token))
            measured.latency_ms[route].append(1000 * (time.perf_counter() - begun))
            if not self._is_whole(route, answer):
                key = f"{route} {answer.status}"
                measured.failed[key] = measured.failed.get(key, 0) + 1
            await asyncio.sleep(self.pause)
        client.close()

    def _request(self, route: str, number: int, token: str) -> bytes:
        movie = self.movies[number % len(self.movies)]
        if route == "home":
            return request_bytes("GET", "/api/v1/home?limit=10", token=token)
        if route == "stream":
            return request_bytes("GET", f"/api/v1/stream?movie_id={movie}", token=token)
        if route == "search":
            return request_bytes("GET", f"/api/v1/search?q=film%20{number % 80}&limit=10", token=token)
        body = json.dumps({"movie_id": movie, "position_seconds": number % 500}).encode()
        return request_bytes("POST", "/api/v1/stream/progress", body=body, token=token)

    def _is_whole(self, route: str, answer: Answer) -> bool:
        """A page of home that lacks rows is a failure like an error."""
        return answer.status in (200, 204) and (route != "home" or answer.body.count(b'"items":') >= self.rows)

    async def _owner(self, until: float, measured: Measured) -> None:
        client = RawClient(self.settings.public, "127.0.0.1")
        while time.perf_counter() < until:
            begun = time.perf_counter()
            answer = await log_in(client, OWNER, self.device_token)
            if answer.status == 201:
                measured.owner_ms.append(1000 * (time.perf_counter() - begun))
            else:
                measured.owner_refused += 1
            await asyncio.sleep(OWNER_PAUSE_SECONDS)
        client.close()


async def log_in(client: RawClient, email: str, device_token: str | None = None) -> Answer:
    """The answer to a right login."""
    body = {"email": email, "password": PASSWORD, **({"device_token": device_token} if device_token else {})}
    return await client.send(request_bytes("POST", "/api/v1/sessions", body=json.dumps(body).encode()))


async def _prepare(settings: Settings, stores: Stores, callers: int) -> list[str]:
    """The callers' tokens, the abuser's last; the accounts are made directly in the store."""
    password_hash = await Passwords().hash(PASSWORD)
    client, tokens = RawClient(settings.public, "127.0.0.1"), []
    for email in (OWNER, *(f"caller-{number}@example.org" for number in range(callers)), ABUSER):
        await stores.accounts.create(email, password_hash, role="viewer", profile_names=["Bench"])
        if email != OWNER:
            for _ in range(60):
                answer = await log_in(client, email)
                if answer.status == 201:
                    break
                await asyncio.sleep(float(answer.header("retry-after") or 1))
            tokens.append(json.loads(answer.body)["access_token"])
    client.close()
    return tokens


async def _searchable(client: RawClient, token: str) -> None:
    """Wait until the platform's own search sync has made the titles findable."""
    until = time.perf_counter() + SEARCHABLE_SECONDS
    while b'"movie_id"' not in (await client.send(request_bytes("GET", "/api/v1/search?q=film", token=token))).body:
        if time.perf_counter() > until:
            raise RuntimeError(f"nothing was found for {SEARCHABLE_SECONDS} s")
        await asyncio.sleep(0.5)


async def _measure(settings: Settings, names: Sequence[str], asked: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {"seconds": asked.seconds, "callers": asked.callers, "pause": asked.pause}
    totals = {"failed_requests": 0, "tried": 0, "refused": 0}
    async with open_stores(settings) as stores:
        seeder = Seeder(stores)
        movies = [await seeder.playable(f"Film {n}", genres=[GENRES[n % len(GENRES)]]) for n in range(80)]
        *tokens, abusers_token = await _prepare(settings, stores, asked.callers)
        client = RawClient(settings.public, "127.0.0.1")
        await _searchable(client, tokens[0])
        page = await client.send(request_bytes("GET", "/api/v1/home?limit=10", token=tokens[0]))
        device_token = json.loads((await log_in(client, OWNER)).body).get("device_token")
        client.close()
        rows = page.body.count(b'"items":')
        honest = Honest(settings, tokens, movies, rows, asked.pause, device_token)
        target = Target(settings.public, settings.public_s3, OWNER, abusers_token)
        await honest.measure(min(3.0, asked.seconds))  # warm-up
        for name in names:
            before = await honest.measure(asked.seconds)
            during, counts = await _abused(honest, target, name, asked.seconds)
            found = _figures(name, before, during, counts)
            figures |= found
            for key in totals:
                totals[key] += found[f"{key}_{name}"]
            sys.stderr.write(json.dumps(found) + "\n")
            # Both sides begin the next abuse with full buckets.
            await asyncio.sleep(2)
    return {**figures, **totals}


async def _abused(honest: Honest, target: Target, name: str, seconds: float) -> tuple[Measured, dict[str, int]]:
    process = _start_abuser(name, target, seconds + 1)
    try:
        assert process.stdout is not None
        # It says when it has imported everything and begins.
        await asyncio.to_thread(process.stdout.readline)
        during = await honest.measure(seconds)
        async with asyncio.timeout(60):
            counts = json.loads(await asyncio.to_thread(process.stdout.read))
    finally:
        process.kill()
        process.wait()
    return during, counts


def _start_abuser(name: str, target: Target, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.abuse", "--abuser", name, "--seconds", str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(vars(target)) + "\n")
    process.stdin.close()
    return process


def _figures(name: str, before: Measured, during: Measured, counts: dict[str, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for route in ROUTES:
        for percent in (50, 99):
            one, two = before.percentile(route, percent), during.percentile(route, percent)
            found[f"{route}_p{percent}_before_{name}"], found[f"{route}_p{percent}_{name}"] = one, two
            found[f"{route}_p{percent}_ratio_{name}"] = round(two / one, 2) if one else None
    found[f"failed_requests_{name}"] = sum(during.failed.values()) + sum(before.failed.values())
    found[f"failed_{name}"] = during.failed
    found[f"tried_{name}"] = sum(count for key, count in counts.items() if key != "ended by the server")
    found[f"refused_{name}"] = counts.get("429", 0) + counts.get("ended by the server", 0)
    found[f"answers_{name}"] = counts
    found[f"owner_logins_{name}"] = len(during.owner_ms)
    found[f"owner_refused_{name}"] = during.owner_refused
    found[f"owner_login_p50_{name}"] = round(statistics.median(during.owner_ms), 1) if during.owner_ms else None
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=[])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--callers", type=int, default=32)
    parser.add_argument("--pause", type=float, default=0.2)
    parser.add_argument("--abuser", choices=NAMES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.abuser:
        os.nice(ABUSER_NICENESS)
        target = Target(**json.loads(sys.stdin.readline()))
        sys.stdout.write("begins\n")
        sys.stdout.flush()
        counts = asyncio.run(run(asked.abuser, target, asked.seconds))
        sys.stdout.write(json.dumps(counts) + "\n")
        return
    without = ",".join(part.name for part in PARTS if part.name not in NEEDED)
    with tempfile.TemporaryDirectory(prefix="marquee-abuse-") as folder:
        settings = asyncio.run(start(make_test_settings(Path(folder) / "state", without=without)))
        try:
            figures = asyncio.run(_measure(settings, asked.names or NAMES, asked))
        finally:
            asyncio.run(stop(settings))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
