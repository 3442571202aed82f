"""The honest callers of `bench.abuse`: viewers that ask for pages, and the owner of an account who logs in again and again."""

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.raw_client import Answer, RawClient, request_bytes
from marquee.settings import Settings

ROUTES: Final = ("home", "stream", "progress", "search")
PASSWORD: Final = "a bench's password"  # noqa: S105
OWNER_PAUSE_SECONDS: Final = 1.0


@dataclass
class Measured:
    """Of the honest callers: latencies by route, and what failed, by route and status."""

    latency_ms: dict[str, list[float]] = field(default_factory=lambda: {route: [] for route in ROUTES})
    failed: dict[str, int] = field(default_factory=dict)
    owner_ms: list[float] = field(default_factory=list)
    owner_refused: int = 0

    def add(self, other: "Measured") -> None:
        """Put another round's figures to these."""
        for route, values in other.latency_ms.items():
            self.latency_ms[route] += values
        for key, count in other.failed.items():
            self.failed[key] = self.failed.get(key, 0) + count
        self.owner_ms += other.owner_ms
        self.owner_refused += other.owner_refused

    def percentile(self, route: str, percent: int) -> float:
        """In milliseconds; 0 without two answers."""
        values = self.latency_ms[route]
        return round(statistics.quantiles(values, n=100)[percent - 1], 2) if len(values) > 1 else 0.0


@dataclass(frozen=True)
class Owner:
    """Of an account that is attacked, with a device that is known."""

    email: str
    device_token: str | None


@dataclass(frozen=True)
class Honest:
    """The callers: their tokens, what they ask for, and how many rows a whole home page has."""

    settings: Settings
    tokens: Sequence[str]
    movies: Sequence[str]
    rows: int
    pause: float

    async def measure(self, seconds: float, owner: "Owner") -> Measured:
        """All callers, and the owner's logins, for `seconds`."""
        measured, until = Measured(), time.perf_counter() + seconds
        callers = (self._caller(number, token, until, measured) for number, token in enumerate(self.tokens))
        await asyncio.gather(self._owner(owner, until, measured), *callers)
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

    async def _owner(self, owner: "Owner", until: float, measured: Measured) -> None:
        client = RawClient(self.settings.public, "127.0.0.1")
        while time.perf_counter() < until:
            begun = time.perf_counter()
            answer = await log_in(client, owner.email, owner.device_token)
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
