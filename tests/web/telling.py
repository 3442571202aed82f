"""A page that plays, and what the event log has of its session."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from playwright.async_api import BrowserContext, Page

from marquee.events import ViewingEvent
from marquee.stores.event_log.contract import EventLog
from tests.harness.api.telemetry import told
from tests.web.conftest import Site
from tests.web.faults import Faults, faulty_page

TELEMETRY: Final = r"/api/v1/telemetry/"
SEGMENTS: Final = r"/v\d+_\d+\.m4s"
LATER: Final = r"/[va]\w*_([2-9]|1\d)\.m4s"
"""From 4 s on."""
ARRIVES_SECONDS: Final = 90.0
MAX_TRIES: Final = 5  # four, and the one on leaving
PAGES_AT_ONCE: Final = 3
PLAYED: Final = """seconds => { const video = document.querySelector('video');
  return video && !video.paused && video.currentTime > seconds; }"""
STANDS: Final = """() => { const video = document.querySelector('video');
  return video && video.currentTime > 1 && video.readyState < 3 && !video.paused; }"""
WITHOUT_MEDIA_SOURCE: Final = (
    """() => { for (const name of ["MediaSource", "ManagedMediaSource"]) delete window[name]; }"""
)


@dataclass
class Watching:
    page: Page
    faults: Faults
    log: EventLog
    site: Site
    session_id: str = ""

    async def open(self, *, plays: bool = True) -> None:
        """Open the film of choices in the player."""
        async with self.page.expect_response(lambda answer: "/api/v1/stream?" in answer.url) as answer:
            await self.page.goto(f"{self.site.settings.public}/watch/{self.site.film_of_choices}?from=start")
        stream = await (await answer.value).json()
        self.session_id = stream["session_id"]
        if plays:
            await self.played(0.2)

    async def played(self, seconds: float) -> None:
        await self.page.wait_for_function(PLAYED, arg=seconds)

    async def act(self, script: str) -> None:
        await self.page.locator("video").evaluate(f"async video => {{ {script} }}")

    async def leave(self) -> None:
        """Back to the title: the page itself stays."""
        await self.page.keyboard.press("Escape")
        await self.page.locator("video").wait_for(state="detached")

    async def events(self, last: str = "exit") -> list[ViewingEvent]:
        """What the log has of the session, once the last event is there."""
        until = time.monotonic() + ARRIVES_SECONDS
        while time.monotonic() < until:
            found = [event for event in await told(self.log, self.session_id) if event.source == "client"]
            if any(event.kind == last for event in found):
                return sorted(found, key=lambda event: int(event.event_id.rsplit(":", 1)[-1]))
            await asyncio.sleep(0.2)
        raise AssertionError(
            f"no {last} on the log within {ARRIVES_SECONDS:.0f} s, only {[each.kind for each in found]}"
        )


Case = Callable[[Watching], Awaitable[None]]


@asynccontextmanager
async def watching(context: BrowserContext, site: Site, log: EventLog) -> AsyncIterator[Watching]:
    async with faulty_page(context) as (page, faults):
        yield Watching(page, faults, log, site)


def kinds(events: list[ViewingEvent], *leaving_out: str) -> list[str]:
    return [event.kind for event in events if event.kind not in leaving_out]


def only(events: list[ViewingEvent], kind: str) -> ViewingEvent:
    found = [event for event in events if event.kind == kind]
    assert len(found) == 1, f"{len(found)} of {kind} in {kinds(events)}"
    return found[0]


def watched_seconds(events: list[ViewingEvent]) -> float:
    return sum(event.watched_ms or 0 for event in events) / 1000
