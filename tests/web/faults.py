"""What a request of a page gets in place of its answer: a status, silence, half a body, another page. For the player's tests.

Statuses and silence are given by the browser's own interception. Half a body comes from a small server that breaks off, in a real
connection, because the browser's network code has to see it.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from playwright.async_api import BrowserContext, Page, Route

from marquee.demo.browser import ACTION_MS

Give = Callable[[Route], Awaitable[None]]

CORS: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
PORTAL: Final = "<!doctype html><title>Welcome to the hotel</title><h1>Log in</h1>"
_INTERCEPTED: Final = re.compile(r"/v/|/images?/|/api/v1/|/assets/hls")


def status(code: int, *, retry_after: int | None = None, problem: str | None = None, detail: str = "x") -> Give:
    """An answer with this status; `problem` is the `code` of a problem document of the platform."""
    headers = dict(CORS)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    body = json.dumps({"title": "x", "status": code, "code": problem, "detail": detail}) if problem else "nothing"
    kind = "application/problem+json" if problem else "text/plain"

    async def give(route: Route) -> None:
        await route.fulfill(status=code, headers=headers, body=body, content_type=kind)

    return give


async def html(route: Route) -> None:
    """A network's login page with 200."""
    await route.fulfill(status=200, headers=CORS, body=PORTAL, content_type="text/html")


async def refused(route: Route) -> None:
    """Nobody listens there."""
    await route.abort("connectionrefused")


async def silent(route: Route) -> None:
    """No answer at all, and the connection stays open."""


async def cut(route: Route) -> None:
    """Half of the bytes, as if that were all: a proxy has stored a broken download."""
    answer = await route.fetch()
    body = await answer.body()
    headers = {name: value for name, value in answer.headers.items() if name not in ("content-length", "etag")}
    await route.fulfill(status=answer.status, headers=headers, body=body[: len(body) // 2])


async def noise(route: Route) -> None:
    """Bytes of nothing."""
    await route.fulfill(status=200, headers=CORS, body=b"\xa5" * 20_000, content_type="video/mp4")


@asynccontextmanager
async def breaking_server() -> AsyncIterator[tuple[Give, Give]]:
    """(`stalls`, `breaks`): half of a body, after which the connection says nothing more, or ends."""
    held: set[asyncio.StreamWriter] = set()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.add(writer)
        if (task := asyncio.current_task()) is not None:
            serving.add(task)
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            head = "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 40000\r\nConnection: close\r\n"
            writer.write((head + "".join(f"{name}: {value}\r\n" for name, value in CORS.items()) + "\r\n").encode())
            writer.write(b"\x00" * 20_000)
            await writer.drain()
            if b"/stalls" in request:
                await reader.read()  # until the browser gives up
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the browser has given up: that is what this server is for
        finally:
            held.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    def through(path: str) -> Give:
        async def give(route: Route) -> None:
            await route.continue_(url=f"http://127.0.0.1:{port}/{path}")

        return give

    try:
        yield through("stalls"), through("breaks")
    finally:
        server.close()
        for writer in list(held):
            writer.close()
        await server.wait_closed()
        await asyncio.gather(*serving, return_exceptions=True)


@dataclass
class Rule:
    pattern: re.Pattern[str]
    give: Give
    times: int | None
    hits: list[float] = field(default_factory=list)
    """When each request came, by the monotonic clock."""

    async def hit(self) -> None:
        """Wait for the first request."""
        until = time.monotonic() + 30
        while not self.hits and time.monotonic() < until:  # noqa: ASYNC110 - the interception has no event
            await asyncio.sleep(0.05)
        assert self.hits, f"nothing asked for {self.pattern.pattern}: the test is wrong"


class Faults:
    """The faults of one page, which may change while it is open."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.asked: list[str] = []
        """Every address asked for below an edge or the API, with its method."""

    def add(self, pattern: str, give: Give, *, times: int | None = None) -> Rule:
        """Requests that the pattern finds get this: the first `times` of them, or all."""
        rule = Rule(re.compile(pattern), give, times)
        self.rules.append(rule)
        return rule

    def mend(self) -> None:
        """Every server answers again."""
        self.rules.clear()

    async def handle(self, route: Route) -> None:
        request = route.request
        self.asked.append(f"{request.method} {request.url}")
        for rule in self.rules:
            if rule.pattern.search(request.url) and (rule.times is None or len(rule.hits) < rule.times):
                rule.hits.append(time.monotonic())
                await rule.give(route)
                return
        await route.continue_()


@asynccontextmanager
async def faulty_page(context: BrowserContext) -> AsyncIterator[tuple[Page, Faults]]:
    """A page whose requests to edges and API go by its `Faults`."""
    faults = Faults()
    page = await context.new_page()
    page.set_default_timeout(3 * ACTION_MS)
    await page.route(_INTERCEPTED, faults.handle)
    try:
        yield page, faults
    finally:
        await page.close()
