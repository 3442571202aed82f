"""Every way in which a fetch of the player can fail: the film plays on, or the viewer reads a sentence and has a button.

The rules are in `web/src/domain/failures.ts`. Cases run side by side, each in a page of its own, because a standstill takes
20 s to be told. One case of each kind runs always; the others, and all statuses at all parts, are in the soak. Named after
public reports are the cases that stopped other players for ever.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

import pytest
from playwright.async_api import Browser, BrowserContext

from marquee.demo.browser import log_in
from marquee.stores.opened import open_stores
from tests.harness.film_of_parts import publish_film_of_parts
from tests.web import playing_on
from tests.web.conftest import Site
from tests.web.faults import Faults, Give, breaking_server, cut, faulty_page, html, noise, refused, silent, status
from tests.web.viewing import THERE, Case, Viewing, from_the_start, in_mid_film, passing

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

MASTER: Final = r"/master\.m3u8"
PLAYLIST: Final = r"/v\d+\.m3u8"
INIT: Final = r"/v\d+_init\.mp4"
SEGMENT: Final = r"/v\d+_\d+\.m4s"
LATER: Final = r"/v\d+_2\d\.m4s"
"""Segments from 40 s on: not loaded while the film's first seconds play."""
SOUND: Final = r"/a_\w+_2\d\.m4s"
STREAM: Final = r"/api/v1/stream\?"
PROGRESS: Final = r"/stream/progress"
REFRESH: Final = r"/sessions/refresh"
PARTS: Final = {"master": MASTER, "playlist": PLAYLIST, "init": INIT, "segment": SEGMENT}
STATUSES: Final = (400, 401, 403, 404, 408, 410, 412, 416, 425, 429, 500, 502, 503, 504)
PAGES_AT_ONCE: Final = 4
STANDS: Final = """at => { const video = document.querySelector('video');
  return video.currentTime >= at && video.readyState >= 3 && !document.querySelector('[role=alert]'); }"""

TOLD: Final = {
    "silence (jellyfin-web 1235)": in_mid_film(LATER, silent),
    "a busy edge (PeerTube 5138)": in_mid_film(LATER, status(503, retry_after=60)),
    "an edge that refuses the renewed address too": in_mid_film(LATER, status(403, problem="url-expired")),
    "each segment is gone (hls.js 3174, flashls 262)": in_mid_film(LATER, status(404)),
    "an outage of edges and API (jellyfin-web 5475)": in_mid_film(f"{LATER}|{STREAM}", refused),
    "half of each segment (jellyfin-vue 2220)": in_mid_film(LATER, cut),
    "no sound at all": in_mid_film(SOUND, status(404)),
    "a network's page in place of the film": from_the_start(MASTER, html),
    "bytes of nothing (hls.js 5011)": from_the_start(SEGMENT, noise),
    "no address": from_the_start(STREAM, silent),
}
PASSING: Final = {
    "refused twice (hls.js 6741)": passing(LATER, status(403), 2),
    "a proxy's 502": passing(LATER, status(502), 3),
    "no connection": passing(LATER, refused, 2),
    "one page of a network": passing(LATER, html, 1),
    "two failures right after each other": passing(f"{LATER}|{STREAM}", status(503), 3),
}
MORE_TOLD: Final = {
    "master 403": from_the_start(MASTER, status(403)),
    "master 429": from_the_start(MASTER, status(429, retry_after=40)),
    "playlist 410 (video.js 8803)": from_the_start(PLAYLIST, status(410)),
    "no connection for the playlist": from_the_start(PLAYLIST, refused),
    "init 404": from_the_start(INIT, status(404)),
    "init of HTML": from_the_start(INIT, html),
    "a page in mid-film": in_mid_film(LATER, html),
    "the API is down, the edge refuses": in_mid_film(f"{LATER}|{STREAM}", status(500)),
}
MORE_PASSING: Final = {
    "gone once": passing(LATER, status(404), 1),
    "too early": passing(LATER, status(425), 2),
    "one damaged segment": passing(LATER, noise, 1),
    "sound": passing(SOUND, status(403), 2),
    "progress, on which the film does not depend": passing(f"{PROGRESS}|{LATER}", status(500), 2),
}

View = Callable[[Mapping[str, Case]], Awaitable[None]]


@pytest.fixture(scope="module")
async def film(site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    async with open_stores(site.settings, search_writer=False) as stores:
        return await publish_film_of_parts(stores, "The Broken Line", tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="module")
async def breaking() -> AsyncIterator[dict[str, Give]]:
    async with breaking_server() as (stalls, breaks):
        yield {"half a body, then silence": stalls, "half a body, then the end": breaks}


@pytest.fixture
def view(engineer: BrowserContext, site: Site, film: str) -> View:
    """Run cases side by side, and name each that failed."""

    async def run(cases: Mapping[str, Case]) -> None:
        places = asyncio.Semaphore(PAGES_AT_ONCE)
        failed: list[str] = []

        async def one(name: str, case: Case) -> None:
            async with places, faulty_page(engineer) as (page, faults):
                try:
                    await case(Viewing(page, faults, f"{site.settings.public}/watch/{film}"))
                except Exception as error:
                    shown = (await page.locator("body").inner_text())[:200]
                    failed.append(f"{name}: {str(error)[:600]}\n    shown: {shown!r}")

        await asyncio.gather(*(one(name, case) for name, case in cases.items()))
        assert not failed, f"{len(failed)} of {len(cases)} failed:\n" + "\n".join(failed)

    return run


@pytest.mark.timeout(900)
async def test_a_film_plays_on_or_its_viewer_is_told_and_helped(
    view: View, breaking: dict[str, Give], site: Site
) -> None:
    broken = {name: in_mid_film(LATER, give) for name, give in breaking.items()}
    await view(broken | TOLD | PASSING | playing_on.cases(site))


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_more_ways_to_fail(view: View) -> None:
    await view(MORE_TOLD | MORE_PASSING | playing_on.MORE)


@pytest.mark.parametrize("paused", [False, True], ids=["playing", "paused"])
async def test_a_film_goes_on_when_the_device_is_online_again(
    browser: Browser, site: Site, film: str, paused: bool
) -> None:
    """hls.js 5488, LibreTube 4280. A context of its own: offline is a state of the whole context. A paused film stays paused."""
    context = await browser.new_context()
    page = await context.new_page()
    page.set_default_timeout(60_000)
    await log_in(page, site.settings.public, site.settings.email, site.settings.password.get_secret_value())
    viewing = Viewing(page, Faults(), f"{site.settings.public}/watch/{film}")
    await viewing.open()
    await viewing.begins()
    await context.set_offline(True)
    if paused:
        await page.evaluate("to => { document.querySelector('video').currentTime = to; }", THERE)
    else:
        await viewing.seek()
    assert "offline" in await viewing.told()
    await context.set_offline(False)
    if paused:
        await page.wait_for_function(STANDS, arg=THERE)
        assert await page.evaluate("() => document.querySelector('video').paused"), "it plays by itself"
    else:
        at = await viewing.plays(THERE)
        assert at < THERE + 10, f"it goes on at {at} s"
    await context.close()


async def test_a_login_that_is_lost_in_mid_film_leads_back_to_the_film(browser: Browser, site: Site, film: str) -> None:
    context = await browser.new_context()
    email, password = site.settings.email, site.settings.password.get_secret_value()
    async with faulty_page(context) as (page, faults):
        await log_in(page, site.settings.public, email, password)
        viewing = Viewing(page, faults, f"{site.settings.public}/watch/{film}")
        await viewing.open()
        await viewing.begins()
        await viewing.seek()
        await viewing.plays(THERE)
        faults.add(f"{PROGRESS}|{REFRESH}", status(401, problem="not-authenticated"))
        await page.get_by_text("You have been logged out. Log in to go on where you were.").wait_for()
        faults.mend()
        await page.get_by_label("Email").fill(email)
        await page.get_by_label("Password").fill(password)
        await page.get_by_role("button", name="Log in").click()
        at = await viewing.plays()
        assert THERE - 1 < at < THERE + 15, f"it goes on at {at} s"
    await context.close()


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("code", STATUSES)
async def test_every_status_at_every_part(view: View, code: int) -> None:
    starts = {f"{part} {code}": from_the_start(pattern, status(code)) for part, pattern in PARTS.items()}
    mids = {f"{name} {code}": in_mid_film(at, status(code)) for name, at in (("picture", LATER), ("sound", SOUND))}
    await view(starts | mids | {f"once {code}": passing(LATER, status(code), 1)})
