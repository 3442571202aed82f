"""The abuses of `bench.abuse`: what each sends, from how many connections, and how its answers are counted.

Each runs in a process of its own, from another loopback address than the honest callers. A caller sends its next request
`pause` seconds after an answer, so a refusal at once is not repeated ten thousand times a second: the abuser would otherwise
only measure itself, on the cores that the platform needs.
"""

import asyncio
import contextlib
import json
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from bench.raw_client import RawClient, request_bytes

SLOW_SECONDS: Final = 1.0
"""Between two bytes of a slow client."""


@dataclass(frozen=True)
class Target:
    """`token` belongs to an account of the abuser's own; `owner` is the account that it attacks; `address` is the abuser's."""

    gateway: str
    s3: str
    owner: str
    token: str
    address: str


@dataclass(frozen=True)
class Abuse:
    """`callers` connections; each sends what `request` gives, and waits `pause` seconds after the answer."""

    callers: int
    pause: float
    request: Callable[[Target, int], bytes]
    endpoint: Literal["gateway", "s3"] = "gateway"


def _login(email: str, password: str) -> bytes:
    return request_bytes("POST", "/api/v1/sessions", body=json.dumps({"email": email, "password": password}).encode())


def _registration(_: Target, __: int) -> bytes:
    body = {"email": f"{secrets.token_hex(8)}@example.org", "password": secrets.token_hex(8)}
    return request_bytes("POST", "/api/v1/accounts", body=json.dumps(body).encode())


def _junk_refresh(_: Target, __: int) -> bytes:
    body = json.dumps({"refresh_token": secrets.token_urlsafe(32)}).encode()
    return request_bytes("POST", "/api/v1/sessions/refresh", body=body)


def _large_body(_: Target, number: int) -> bytes:
    return request_bytes("POST", "/api/v1/sessions", body=b"x" * (3_000_000 if number % 2 else 5_000_000))


def _search(target: Target, number: int) -> bytes:
    return request_bytes("GET", f"/api/v1/search?q=film%20{number % 97}&limit=50", token=target.token)


ABUSES: Final[dict[str, Abuse]] = {
    "login_flood": Abuse(40, 0.1, lambda target, number: _login(target.owner, f"guess {number}")),
    # 80 at once, each second.
    "login_burst": Abuse(80, 1.0, lambda target, number: _login(target.owner, f"guess {number}")),
    "password_spray": Abuse(40, 0.1, lambda _, __: _login(f"{secrets.token_hex(6)}@example.org", "Summer2026!")),
    "registrations": Abuse(20, 0.1, _registration),
    "junk_refreshes": Abuse(40, 0.1, _junk_refresh),
    "large_bodies": Abuse(8, 0.1, _large_body),
    "junk_tokens": Abuse(40, 0.1, lambda _, __: request_bytes("GET", "/api/v1/home", token=secrets.token_urlsafe(120))),
    "search_storm": Abuse(64, 0.0, _search),
    # As many as the login flood, and far from what the honest callers ask: what remains is the cost of sharing a machine.
    "junk_objects": Abuse(
        40, 0.1, lambda _, number: request_bytes("GET", f"/published/{number}.m4s?X-Amz-Signature=junk"), endpoint="s3"
    ),
}
SLOW: Final = {
    "slow_headers": ("gateway", b"GET /api/v1/home HTTP/1.1\r\nHost: x\r\nX-Slow: "),
    "slow_bodies": ("gateway", b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"),
    "slow_s3_headers": ("s3", b"GET /x HTTP/1.1\r\nHost: x\r\nX-Slow: "),
    "slow_s3_bodies": ("s3", b"PUT /x/y HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"),
}
"""Abuse -> (endpoint, what is sent at once). After that comes one byte in SLOW_SECONDS, on each of SLOW_CONNECTIONS."""
SLOW_CONNECTIONS: Final = 300
NAMES: Final = (*ABUSES, *SLOW)


async def run(name: str, target: Target, seconds: float) -> dict[str, int]:
    """Abuse the platform for `seconds`; the number of answers by status, and of connections that the server ended."""
    counts: Counter[str] = Counter()
    until = time.perf_counter() + seconds
    if name in SLOW:
        endpoint, begin = SLOW[name]
        url = target.gateway if endpoint == "gateway" else target.s3
        await asyncio.gather(*(_slow(url, target.address, begin, until, counts) for _ in range(SLOW_CONNECTIONS)))
    else:
        abuse = ABUSES[name]
        await asyncio.gather(*(_caller(abuse, target, first, until, counts) for first in range(abuse.callers)))
    return dict(counts)


async def _caller(abuse: Abuse, target: Target, first: int, until: float, counts: Counter[str]) -> None:
    url = target.gateway if abuse.endpoint == "gateway" else target.s3
    client, number = RawClient(url, target.address), first
    while time.perf_counter() < until:
        answer = await client.send(abuse.request(target, number))
        counts[str(answer.status)] += 1
        number += abuse.callers
        # A client without an answer does not hammer either.
        await asyncio.sleep(abuse.pause if answer.status else max(0.1, abuse.pause))
    client.close()


async def _slow(url: str, address: str, begin: bytes, until: float, counts: Counter[str]) -> None:
    """Hold a connection open by a byte now and then; open another one when the server ends it."""
    while time.perf_counter() < until:
        client = RawClient(url, address)
        counts["opened"] += 1
        with contextlib.suppress(OSError, TimeoutError):
            reader, writer = await client.connected()
            writer.write(begin)
            while time.perf_counter() < until and not reader.at_eof() and not writer.is_closing():
                writer.write(b"a")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SLOW_SECONDS):
                        if await reader.read(4096):
                            break
        counts["ended by the server"] += time.perf_counter() < until
        client.close()
        await asyncio.sleep(0.1)
