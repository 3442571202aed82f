"""What a viewer sees of a film is on the event log, with its order and its durations; and nothing of it disturbs the film.

Each case runs in a page of its own, several at once, on the real platform. The rules are in `web/src/domain/viewing.ts`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Route

from marquee.stores.opened import open_stores
from tests.web import renewing
from tests.web.conftest import Site
from tests.web.faults import Give, html, silent, status
from tests.web.telling import (
    LATER,
    MAX_TRIES,
    PAGES_AT_ONCE,
    SEGMENTS,
    STANDS,
    TELEMETRY,
    WITHOUT_MEDIA_SOURCE,
    Case,
    Watching,
    kinds,
    only,
    watched_seconds,
    watching,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]


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
            "a renewed address": renewing.goes_on_under_fresh_addresses,
            "a renewed address of a session that is too old": renewing.goes_on_as_another_session,
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
