"""What devices do to a film in its course: sleep, a refused start, a full disk, other tabs, the system's keys, the way back.

Each case is of the kind that people reported of other players. Nothing here is timed: each waits for what a viewer would see.
"""

from collections.abc import AsyncIterator
from typing import Final

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from marquee.demo.browser import log_in
from marquee.stores.opened import open_stores
from tests.harness.browsing import Visit
from tests.harness.film_of_choices import RUNGS, SECONDS
from tests.harness.film_of_parts import SECONDS as SECONDS_OF_PARTS
from tests.harness.film_of_parts import publish_film_of_parts
from tests.harness.web.watching import choose
from tests.web.conftest import TITLE, Site
from tests.web.faults import faulty_page, silent
from tests.web.viewing import THERE, Viewing

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

VIDEO: Final = "document.querySelector('video')"
LATER: Final = r"/v\d+_2\d\.m4s"
STANDS_AT_THE_END: Final = f"() => {VIDEO}.ended"
NO_ROOM: Final = (
    """() => { Storage.prototype.setItem = () => { throw new DOMException('no room', 'QuotaExceededError'); }; }"""
)
NO_STORAGE: Final = """() => { for (const name of ['localStorage', 'sessionStorage'])
  Object.defineProperty(window, name, {get() { throw new DOMException('The operation is insecure.', 'SecurityError'); }}); }"""
WANTS_A_PRESS: Final = """() => {
  const {play} = HTMLMediaElement.prototype;
  let pressed = false;
  addEventListener('click', () => { pressed = true; }, true);
  HTMLMediaElement.prototype.play = function () {
    return pressed ? play.call(this) : Promise.reject(new DOMException('no gesture', 'NotAllowedError'));
  };
}"""
LITTLE_BUFFER: Final = """() => {
  const {appendBuffer} = SourceBuffer.prototype;
  window.refusals = 0;
  SourceBuffer.prototype.appendBuffer = function (data) {
    const {buffered} = this;
    let held = 0;
    for (let i = 0; i < buffered.length; i += 1) held += buffered.end(i) - buffered.start(i);
    if (held > 9) { window.refusals += 1; throw new DOMException('full', 'QuotaExceededError'); }
    return appendBuffer.call(this, data);
  };
}"""
"""A device whose decoder holds 9 s of a film, such as a television with a film of 60 Mbit/s."""


@pytest.fixture(scope="module")
async def parts(site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    async with open_stores(site.settings, search_writer=False) as stores:
        return await publish_film_of_parts(stores, "The Interrupted Line", tmp_path_factory.mktemp("parts"))


@pytest.fixture
async def viewing(engineer: BrowserContext, site: Site, parts: str) -> AsyncIterator[Viewing]:
    async with faulty_page(engineer) as (page, faults):
        yield Viewing(page, faults, f"{site.settings.public}/watch/{parts}")


async def _reaches_the_end(page: Page) -> None:
    await page.wait_for_function(STANDS_AT_THE_END)
    await page.get_by_test_id("ending").wait_for()
    assert not await page.get_by_role("status", name="Loading").count(), "a spinner turns over the end of the film"


async def test_the_very_end_can_be_sought_by_every_way_and_the_film_begins_again(visit: Visit) -> None:
    """Beyond the end of a film that has ended nothing can be sought: it stood paused just before its end."""
    page = visit.page
    await page.evaluate(f"{VIDEO}.loop = false")
    await page.keyboard.press("End")
    await _reaches_the_end(page)
    await page.keyboard.press("ArrowRight")  # beyond the end
    await _reaches_the_end(page)
    await page.get_by_role("button", name="Watch again").click()
    await page.wait_for_function(f"() => !{VIDEO}.paused && {VIDEO}.currentTime < 10 && {VIDEO}.currentTime > 0.2")

    await page.evaluate(f"{VIDEO}.pause()")
    await page.keyboard.press("End")
    await page.wait_for_function(f"() => {VIDEO}.currentTime > {SECONDS - 1}")
    await page.keyboard.press("k")
    await _reaches_the_end(page)
    # The system's own keys after the end: play begins again, and nothing throws.
    assert await page.evaluate("navigator.mediaSession.playbackState") == "paused"
    await page.evaluate(f"handlers.seekto({{seekTime: {SECONDS}}})")
    await page.evaluate("handlers.seekforward({})")
    await page.evaluate("handlers.play({})")
    await page.wait_for_function(f"() => !{VIDEO}.paused")


async def test_the_last_of_several_seeks_during_a_standstill_is_where_the_film_goes_on(viewing: Viewing) -> None:
    await viewing.open()
    await viewing.begins()
    rule = viewing.faults.add(LATER, silent)
    await viewing.seek(THERE)
    await rule.hit()
    await viewing.seek(THERE + 8)
    await viewing.seek(THERE + 4)
    viewing.faults.mend()
    at = await viewing.plays(THERE + 4)
    assert at < THERE + 8, f"it goes on at {at} s"
    await viewing.is_quiet()


async def test_a_page_that_was_frozen_goes_on_where_it_was(viewing: Viewing) -> None:
    """A laptop that was closed. Chromium freezes a page in the same way."""
    await viewing.open()
    at = await viewing.plays()
    browser = await viewing.page.context.new_cdp_session(viewing.page)
    await browser.send("Page.setWebLifecycleState", {"state": "frozen"})
    await browser.send("Page.setWebLifecycleState", {"state": "active"})
    await viewing.page.evaluate(f"{VIDEO}.play()")
    assert await viewing.plays(at + 1) < at + 20
    await viewing.is_quiet()


async def test_a_browser_that_refuses_to_begin_shows_the_play_button(viewing: Viewing) -> None:
    """The policy for autoplay. Its refusal is made: what Playwright evaluates on a page counts as a viewer's press."""
    await viewing.page.add_init_script(f"({WANTS_A_PRESS})()")
    await viewing.open()
    page = viewing.page
    await page.wait_for_function(f"() => {VIDEO}?.readyState >= 2")
    await page.get_by_test_id("play-pause").and_(page.get_by_role("button", name="Play")).wait_for()
    await page.get_by_role("status", name="Loading").wait_for(state="detached")
    await viewing.is_quiet()
    await page.get_by_test_id("play-pause").click()
    await viewing.plays(0.5)


@pytest.mark.parametrize("storage", [NO_ROOM, NO_STORAGE], ids=["no room", "refused"])
async def test_a_browser_that_stores_nothing_logs_in_and_plays(browser: Browser, site: Site, storage: str) -> None:
    """Private windows, blocked cookies, a full disk. Choices and the login hold until the page is left."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.add_init_script(f"({storage})()")
    await log_in(page, site.settings.public, site.settings.email, site.settings.password.get_secret_value())
    await page.get_by_role("searchbox").first.fill(TITLE)
    await page.get_by_role("link", name=TITLE).first.click()
    await page.get_by_role("button", name="Play").click()
    await page.wait_for_function(f"() => {VIDEO}?.currentTime > 0.2")
    await page.keyboard.press("m")
    await page.get_by_role("button", name="Back", exact=True).click()
    await page.get_by_test_id("play").click()
    await page.wait_for_function(f"() => {VIDEO}?.readyState >= 2 && {VIDEO}.muted")
    await page.get_by_role("button", name="Back", exact=True).click()
    await page.get_by_test_id("play").wait_for()
    await context.close()


async def test_a_device_that_holds_a_few_seconds_plays_to_the_end(viewing: Viewing) -> None:
    """PeerTube 5974: QuotaExceededError for a film of high bitrate."""
    await viewing.page.add_init_script(f"({LITTLE_BUFFER})()")
    await viewing.open()
    await viewing.plays(4)
    await viewing.page.wait_for_function("() => window.refusals > 0")
    await viewing.seek(SECONDS_OF_PARTS - 12)
    await viewing.page.wait_for_function(STANDS_AT_THE_END)
    await viewing.is_quiet()


async def test_nothing_of_a_film_goes_on_once_its_page_is_left(viewing: Viewing) -> None:
    """PeerTube 7664. Ten times to and fro: no second film, and no request for what nobody watches."""
    page = viewing.page
    await viewing.open()
    await viewing.plays()
    for _ in range(10):
        await page.get_by_role("button", name="Back", exact=True).click()
        await page.get_by_test_id("play").click()
        await viewing.plays()
        assert await page.locator("video").count() == 1
    await page.get_by_role("button", name="Back", exact=True).click()
    await page.get_by_test_id("play").wait_for()
    await page.wait_for_load_state("networkidle")
    asked = len(viewing.faults.asked)
    await page.get_by_role("link", name="History").first.click()
    await page.get_by_role("heading", name="History").wait_for()
    await page.wait_for_load_state("networkidle")
    later = [one for one in viewing.faults.asked[asked:] if "/v/" in one]
    assert not later, f"asked for after the player was left: {later[:3]}"
    assert await page.evaluate("navigator.mediaSession.metadata") is None


async def test_full_screen_holds_through_a_rotation(visit: Visit) -> None:
    page = visit.page
    await page.locator("video").evaluate("video => video.pause()")
    await page.get_by_role("button", name="Full screen").click()
    await page.wait_for_function("() => document.fullscreenElement !== null")
    for width, height in ((844, 390), (390, 844), (844, 390)):
        await page.set_viewport_size({"width": width, "height": height})
        await page.wait_for_function("size => innerWidth === size", arg=width)
        box = await page.get_by_test_id("player").bounding_box()
        assert box is not None
        assert (round(box["width"]), round(box["height"])) == (width, height), f"the player is {box}"
    await page.get_by_role("button", name="Leave full screen").click()
    await page.wait_for_function("() => document.fullscreenElement === null")
    await page.get_by_role("button", name="Full screen", exact=True).wait_for()


async def test_the_small_window_may_be_closed_while_the_film_is_paused(visit: Visit) -> None:
    page = visit.page
    await page.keyboard.press("p")
    refused = page.get_by_text("The browser refused picture-in-picture")
    await refused.or_(page.locator("[aria-label=Picture-in-picture][aria-pressed=true]")).first.wait_for()
    if await page.evaluate("document.pictureInPictureElement === null"):
        pytest.skip("this headless Chromium has no small window")
    await page.locator("video").evaluate("video => video.pause()")
    at = await page.locator("video").evaluate("video => video.currentTime")
    await page.evaluate("document.exitPictureInPicture()")
    await expect(page.get_by_role("button", name="Picture-in-picture")).to_have_attribute("aria-pressed", "false")
    assert await page.locator("video").evaluate("video => [video.paused, video.currentTime]") == [True, at]
    await page.keyboard.press("k")
    await page.wait_for_function(f"() => !{VIDEO}.paused")


async def test_one_film_in_two_tabs_plays_in_both_and_ends_in_one(
    site: Site, parts: str, engineer: BrowserContext
) -> None:
    first, second = await engineer.new_page(), await engineer.new_page()
    for page in (first, second):
        await page.goto(f"{site.settings.public}/watch/{parts}?from=start")
        await page.wait_for_function(f"() => {VIDEO}?.currentTime > 0.2")
    await first.close()
    at = await second.evaluate(f"{VIDEO}.currentTime")
    await second.wait_for_function(f"at => {VIDEO}.currentTime > at + 1", arg=at)
    assert not await second.get_by_role("alert").count()
    await second.close()


async def test_choosing_a_low_quality_and_then_auto_leads_back_up(visit: Visit) -> None:
    """shaka-player 9175: the lowest quality chosen by hand stayed for a minute after Auto."""
    page = visit.page
    await choose(page, "Quality and speed", f"{min(RUNGS)}p")
    await page.wait_for_function(f"() => {VIDEO}.videoHeight === {min(RUNGS)}")
    await choose(page, "Quality and speed", "Auto")
    await page.wait_for_function(f"() => {VIDEO}.videoHeight === {max(RUNGS)}")


async def test_back_never_leaves_the_site(site: Site, parts: str, engineer: BrowserContext) -> None:
    """The browser's Back first, then the page's own: the visit began at this title."""
    page = await engineer.new_page()
    await page.goto("about:blank")
    title = f"{site.settings.public}/title/{parts}"
    await page.goto(title)
    await page.get_by_test_id("play").click()
    await page.locator("video").wait_for()
    await page.go_back()
    await page.get_by_test_id("play").wait_for()
    await page.get_by_role("button", name="Back", exact=True).click()
    await page.wait_for_url(f"{site.settings.public}/")
    # A page that was loaded again still knows the way back.
    await page.goto(title)
    await page.get_by_test_id("play").click()
    await page.locator("video").wait_for()
    await page.reload()
    await page.locator("video").wait_for()
    await page.get_by_role("button", name="Back", exact=True).click()
    await page.wait_for_url(title)
    await page.close()


@pytest.mark.parametrize("path", ["/title/%E0%A4", "/watch/%FF"])
async def test_an_address_that_is_no_text_is_told(site: Site, engineer: BrowserContext, path: str) -> None:
    page = await engineer.new_page()
    await page.goto(f"{site.settings.public}/history")
    await page.evaluate("path => history.pushState(null, '', path)", path)
    await page.reload()
    await page.get_by_role("heading", name="There is nothing at this address").wait_for()
    await page.close()
