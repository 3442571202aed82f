"""What a viewer sees of a film is on the event log, with its order and its durations; and nothing of it disturbs the film.

Each case runs in a page of its own, several at once, on the real platform. The rules are in `web/src/domain/viewing.ts`.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Page, Route

from marquee.events import ViewingEvent
from marquee.stores.event_log.contract import EventLog
from marquee.stores.opened import open_stores
from tests.harness.api.telemetry import told
from tests.web.conftest import Site
from tests.web.faults import Faults, Give, faulty_page, html, silent, status

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

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


@pytest.fixture
async def run(engineer: BrowserContext, site: Site) -> AsyncIterator[Callable[[Mapping[str, Case]], Awaitable[None]]]:
    """Run cases side by side, and name each that failed."""
    async with open_stores(site.settings) as stores:

        async def run_all(cases: Mapping[str, Case]) -> None:
            places = asyncio.Semaphore(PAGES_AT_ONCE)
            failed: list[str] = []

            async def one(name: str, case: Case) -> None:
                async with places, watching(engineer, site, stores.event_log) as seen:
                    try:
                        await case(seen)
                    except Exception as error:
                        failed.append(f"{name}: {str(error)[:800]}")

            await asyncio.gather(*(one(name, case) for name, case in cases.items()))
            assert not failed, f"{len(failed)} of {len(cases)} failed:\n" + "\n".join(failed)

        yield run_all


def kinds(events: list[ViewingEvent], *leaving_out: str) -> list[str]:
    return [event.kind for event in events if event.kind not in leaving_out]


def only(events: list[ViewingEvent], kind: str) -> ViewingEvent:
    found = [event for event in events if event.kind == kind]
    assert len(found) == 1, f"{len(found)} of {kind} in {kinds(events)}"
    return found[0]


def watched_seconds(events: list[ViewingEvent]) -> float:
    return sum(event.watched_ms or 0 for event in events) / 1000


async def plays_pauses_and_seeks(seen: Watching) -> None:
    await seen.open()
    await seen.played(2)
    await seen.act("video.pause();")
    before = await seen.page.locator("video").evaluate("video => video.currentTime")
    await seen.act("await video.play();")
    await seen.act("video.currentTime = 10;")
    await seen.played(11.5)
    await seen.leave()
    events = await seen.events()
    told_kinds = kinds(events, "heartbeat", "dropped_frames", "rendition", "stall_begin", "stall_end")
    assert told_kinds == ["attempt", "first_frame", "pause", "play", "seek", "exit"], kinds(events)
    first, seek, end = only(events, "first_frame"), only(events, "seek"), events[-1]
    assert (first.duration_ms or 0) > 0
    assert seek.position_seconds == pytest.approx(10, abs=0.5)
    assert (seek.duration_ms or 0) > 0
    shown = before + (end.position_seconds or 0) - 10
    assert watched_seconds(events) == pytest.approx(shown, abs=1.5), f"{shown} s were shown: {events}"
    rendition = next(event for event in events if event.kind == "rendition")
    assert rendition.height in (180, 270, 360)
    assert (rendition.kbps or 0) > 0
    assert {event.movie_id for event in events} == {seen.site.film_of_choices}
    assert all(event.is_preview for event in events), "an engineer's look counts among viewers"
    assert re.fullmatch(r"marquee-web/[0-9.]+/hls\.js/[0-9.]+", first.player or ""), first.player
    assert first.edge in seen.site.settings.edges
    _carries_cmcd(seen)


def _carries_cmcd(seen: Watching) -> None:
    asked = [urlsplit(one.split(" ", 1)[1]) for one in seen.faults.asked]
    segments = [parse_qs(url.query) for url in asked if re.search(SEGMENTS, url.path)]
    said = [dict(pair.split("=") for pair in query["CMCD"][0].split(",")) for query in segments]
    assert said, f"no segment carries CMCD: {asked}"
    assert all(one["sid"] == f'"{seen.session_id}"' and one["ot"] == "v" and one["bl"].isdigit() for one in said), said
    assert any("br" in one and "mtp" in one for one in said), said
    assert not [url for url in asked if url.path.endswith(".m3u8") and url.query], "a playlist has a query"


async def stalls(seen: Watching) -> None:
    """Nothing of the film's second part arrives, until it does."""
    go_on = asyncio.Event()

    async def held(route: Route) -> None:
        await go_on.wait()
        await route.continue_()

    seen.faults.add(LATER, held)
    await seen.open()
    await seen.page.wait_for_function(STANDS)
    stood = await seen.page.evaluate("() => performance.now()")
    await seen.page.wait_for_function("since => performance.now() > since + 500", arg=stood)
    go_on.set()
    await seen.played(6)
    await seen.leave()
    events = await seen.events()
    told_kinds = kinds(events, "heartbeat", "dropped_frames", "rendition", "error")
    assert told_kinds[:4] == ["attempt", "first_frame", "stall_begin", "stall_end"], kinds(events)
    stall = next(event for event in events if event.kind == "stall_end")
    assert (stall.duration_ms or 0) >= 450
    assert watched_seconds(events) <= (events[-1].position_seconds or 0) + 0.5, "a stall counts as watched"


async def leaves_before_the_first_picture(seen: Watching) -> None:
    rule = seen.faults.add(SEGMENTS, silent)
    await seen.open(plays=False)
    await seen.page.wait_for_function("() => document.querySelector('video')?.paused === false")
    await rule.hit()
    await seen.leave()
    events = await seen.events()
    assert kinds(events, "heartbeat", "error") == ["attempt", "exit"]
    assert not any(event.is_fatal for event in events)


async def closes_the_page(seen: Watching) -> None:
    await seen.open()
    await seen.played(1)
    await seen.page.close()
    events = await seen.events()
    assert kinds(events, "heartbeat", "dropped_frames", "rendition", "stall_begin", "stall_end") == [
        "attempt",
        "first_frame",
        "exit",
    ]
    assert watched_seconds(events) > 0.5


async def fails(seen: Watching) -> None:
    seen.faults.add(SEGMENTS, status(404))
    await seen.open(plays=False)
    await seen.page.get_by_role("alert").wait_for()
    await seen.page.get_by_role("button", name="Go back").click()
    await seen.page.locator("video").wait_for(state="detached")
    events = await seen.events()
    assert [event.error_code for event in events if event.is_fatal] == ["missing"]
    assert kinds(events, "heartbeat", "error") == ["attempt", "exit"]


async def _renews(seen: Watching) -> None:
    """The edge refuses the address in mid-film: the page asks for a fresh one, and the film plays on."""
    await seen.open()
    rule = seen.faults.add(LATER, status(403, problem="url-expired"), times=1)
    await seen.act("video.currentTime = 12;")
    await rule.hit()
    await seen.played(12.5)
    renewals = [url for url in seen.faults.asked if "/api/v1/stream?" in url and "session_id=" in url]
    assert renewals, f"no fresh address was asked for: {seen.faults.asked}"
    assert all(f"session_id={seen.session_id}" in url for url in renewals), "another viewing is renewed"


async def goes_on_under_fresh_addresses(seen: Watching) -> None:
    await _renews(seen)
    fresh = next(url for url in reversed(seen.faults.asked) if re.search(SEGMENTS, url))
    assert seen.session_id in fresh, "the edges log the rest of the film as another viewing"
    await seen.leave()
    only(await seen.events(), "attempt")


async def goes_on_as_another_session(seen: Watching) -> None:
    """The session was too old to be continued: the rest of the film is told of where the answer says."""
    answers: list[str] = []

    async def without_session(route: Route) -> None:
        answer = await route.fetch(url=re.sub(r"&session_id=[^&]*", "", route.request.url))
        answers.append((await answer.json())["session_id"])
        await route.fulfill(response=answer)

    seen.faults.add(r"/api/v1/stream\?.*session_id=", without_session)
    await _renews(seen)
    await seen.leave()
    only(await seen.events(), "attempt")
    seen.session_id = answers[-1]
    events = await seen.events()
    assert kinds(events)[0] == "attempt"
    assert only(events, "exit").watched_ms, "what was shown after the change is nowhere"
    assert "hls.js" in (events[-1].player or ""), "the new session does not know its player"


async def plays_by_the_browsers_own_hls(seen: Watching) -> None:
    await seen.page.add_init_script(f"({WITHOUT_MEDIA_SOURCE})()")
    await seen.open(plays=False)
    native = await seen.page.evaluate("document.createElement('video').canPlayType('application/vnd.apple.mpegurl')")
    if not native:
        return  # this Chromium has no HLS of its own
    await seen.played(2)
    await seen.act("video.currentTime = 8;")
    await seen.played(9)
    await seen.leave()
    events = await seen.events()
    told_kinds = kinds(events, "heartbeat", "dropped_frames", "rendition", "stall_begin", "stall_end")
    assert told_kinds == ["attempt", "first_frame", "seek", "exit"], kinds(events)
    assert watched_seconds(events) > 2
    assert (events[0].player or "").endswith("/native")


@pytest.mark.timeout(600)
async def test_what_a_viewer_sees_is_on_the_event_log(run: Callable[[Mapping[str, Case]], Awaitable[None]]) -> None:
    await run(
        {
            "a stall": stalls,
            "a failure": fails,
            "pause and seek": plays_pauses_and_seeks,
            "an exit before the start": leaves_before_the_first_picture,
            "a page that is closed": closes_the_page,
            "a renewed address": goes_on_under_fresh_addresses,
            "a renewed address of a session that is too old": goes_on_as_another_session,
            "the browser's own HLS": plays_by_the_browsers_own_hls,
        }
    )


def _undisturbed(give: Give, *, tries: int) -> Case:
    """The film plays on and the viewer is told of nothing, though nothing is taken."""

    async def case(seen: Watching) -> None:
        errors: list[str] = []
        shown: list[str] = []

        def console(message: ConsoleMessage) -> None:
            if message.type == "error" and "telemetry" in f"{message.location} {message.text}":
                shown.append(message.text)

        seen.page.on("pageerror", lambda error: errors.append(str(error)))
        seen.page.on("console", console)
        rule = seen.faults.add(TELEMETRY, give)
        await seen.open()
        await seen.played(1.5)
        assert rule.hits, "nothing was reported: the test is wrong"
        assert not await seen.page.get_by_role("alert").count()
        await seen.leave()
        await seen.page.get_by_role("heading", level=1).first.wait_for()
        assert not errors, errors
        assert len(rule.hits) <= tries, f"{len(rule.hits)} requests for what takes nothing"
        assert len(shown) <= tries, f"a storm in the console: {shown}"

    return case


async def _blocked(route: Route) -> None:
    """As an ad blocker does it."""
    await route.abort("blockedbyclient")


@pytest.mark.timeout(600)
async def test_nothing_of_it_disturbs_the_film(run: Callable[[Mapping[str, Case]], Awaitable[None]]) -> None:
    await run(
        {
            "an ad blocker": _undisturbed(_blocked, tries=MAX_TRIES),
            "an endpoint that hangs": _undisturbed(silent, tries=MAX_TRIES),
            "a network's page": _undisturbed(html, tries=MAX_TRIES),
            "an outage": _undisturbed(status(502), tries=MAX_TRIES),
            "a limit": _undisturbed(status(429, retry_after=3600), tries=1),
            "a refusal": _undisturbed(status(403, problem="telemetry-url-expired"), tries=1),
        }
    )
