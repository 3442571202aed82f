"""The player beside its film: statistics, the system's keys, the small window, another screen, narrow screens and fingers."""

from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, expect

from tests.harness.browsing import Visit, accessibility_violations
from tests.harness.film_of_choices import SECONDS, WORDS
from tests.harness.web.watching import choose
from tests.web.conftest import CHOICES_TITLE, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

OUTSIDE: Final = """() => [...document.querySelectorAll('.player *')].filter(each => {
  const {width, left, right} = each.getBoundingClientRect();
  return width > 0 && (left < -0.5 || right > innerWidth + 0.5) && !each.closest('svg, .pulse, .scrub-track');
}).map(each => each.outerHTML.slice(0, 80))"""
TOO_SMALL: Final = """() => [...document.querySelectorAll('.player :is(button, label, [role=slider])')].filter(each => {
  const {width, height} = each.getBoundingClientRect();
  return width > 0 && (width < 44 || height < 44);
}).map(each => each.ariaLabel || each.textContent)"""


async def test_statistics_say_what_plays_and_can_be_copied(visit: Visit, site: Site, film_of_choices: str) -> None:
    page = visit.page
    await page.keyboard.press("i")
    panel = page.get_by_role("region", name="Statistics")
    for words in (film_of_choices, "avc1.", "mp4a.40.2", "bit/s", "hls.js"):
        await expect(panel).to_contain_text(words)
    await page.wait_for_function("() => !document.querySelector('.stats').innerText.includes('not known')")
    shown = await panel.inner_text()
    assert any(urlsplit(edge).netloc in shown for edge in site.settings.edges), shown
    assert "/v/" not in shown, "the statistics show the stream's token"
    await panel.get_by_role("button", name="Copy").click()
    await expect(panel.get_by_role("status")).to_have_text("Copied")
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert film_of_choices in copied
    assert "Chrome" in copied
    assert not await accessibility_violations(page)
    await panel.get_by_role("button", name="Close statistics").focus()
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    # However fast the keys follow each other, Escape closes the panel and does not leave the player.
    await page.evaluate("""async () => { for (const key of ['i', 'Escape', 'i', 'i', 'i', 'Escape']) {
      document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
      await new Promise(done => setTimeout(done));
    } }""")
    await expect(panel).to_have_count(0)
    await expect(page.get_by_role("button", name="Statistics")).to_be_focused()
    assert "/watch/" in page.url, "Escape left the player"


async def test_the_systems_own_keys_act_on_the_film_until_it_is_left(visit: Visit) -> None:
    page = visit.page
    session = "(() => { const s = navigator.mediaSession; return [s.metadata?.title ?? null, s.playbackState]; })()"
    await page.wait_for_function("() => navigator.mediaSession.playbackState === 'playing'")
    assert await page.evaluate(session) == [CHOICES_TITLE, "playing"]
    poster = await page.evaluate("navigator.mediaSession.metadata.artwork[0].src")
    assert await page.evaluate("async url => (await createImageBitmap(await (await fetch(url)).blob())).width", poster)

    await page.evaluate("handlers.pause({})")
    await page.evaluate("handlers.pause({})")
    assert await page.locator("video").evaluate("video => video.paused"), "a second press of pause plays"
    await page.wait_for_function("() => navigator.mediaSession.playbackState === 'paused'")
    at = "() => Math.round(document.querySelector('video').currentTime)"
    await page.evaluate("handlers.seekto({seekTime: 4})")
    await page.evaluate("handlers.seekforward({seekOffset: 3})")
    await page.evaluate("handlers.seekbackward({})")
    await page.evaluate("handlers.seekforward({})")
    assert await page.evaluate(at) == 10
    await page.evaluate(f"handlers.seekto({{seekTime: {SECONDS + 100}}})")
    await page.wait_for_function(f"({at})() >= {SECONDS - 1}")
    told = [each for each in await page.evaluate("positions") if each]
    assert all(0 <= each["position"] <= each["duration"] and each["duration"] > 0 for each in told)
    assert {"play", "pause", "stop", "seekbackward", "seekforward", "seekto"} <= set(
        await page.evaluate("Object.keys(handlers)")
    )

    await page.evaluate("handlers.stop({})")
    await page.locator("video").wait_for(state="detached")
    assert await page.evaluate(session) == [None, "none"]
    assert await page.evaluate("Object.values(handlers).every(handler => handler === null)"), "a key of no film acts"
    assert await page.evaluate("positions.at(-1)") is None


async def test_picture_in_picture_opens_and_ends_with_the_player(visit: Visit) -> None:
    """A headless Chromium may refuse the window. Then the player says so."""
    page = visit.page
    await choose(page, "Subtitles", "English")
    button = page.get_by_role("button", name="Picture-in-picture")
    await expect(button).to_have_attribute("aria-pressed", "false")
    await page.keyboard.press("p")
    refused = page.get_by_text("The browser refused picture-in-picture")
    outcome = refused.or_(page.get_by_text("small window shows the picture only"))
    await outcome.first.wait_for()
    if await page.evaluate("document.pictureInPictureElement !== null"):
        await expect(button).to_have_attribute("aria-pressed", "true")
        await expect(page.get_by_test_id("captions")).to_have_text(WORDS["en"])
        await button.click()
        await expect(button).to_have_attribute("aria-pressed", "false")
        await button.click()
        await expect(button).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("button", name="Back", exact=True).click()
    await page.locator("video").wait_for(state="detached")
    await page.wait_for_function("() => document.pictureInPictureElement === null")


async def test_no_other_screen_is_offered_for_a_film_that_none_can_fetch(visit: Visit) -> None:
    assert await visit.page.locator("video").evaluate("video => video.disableRemotePlayback")
    await expect(visit.page.get_by_role("button", name="Play on another screen")).to_have_count(0)


async def test_the_player_fits_every_screen_and_finger(visit: Visit, viewer: BrowserContext) -> None:
    page = visit.page
    await page.locator("video").evaluate("video => video.pause()")  # the controls stay
    devtools = await viewer.new_cdp_session(page)
    await devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    await page.wait_for_function("() => matchMedia('(pointer: coarse)').matches")
    for width, height in ((320, 568), (360, 640), (390, 844), (844, 390), (820, 1180), (1920, 1080)):
        await page.set_viewport_size({"width": width, "height": height})
        more = page.get_by_role("button", name="More", exact=True)
        menus = ["Subtitles", "Audio", "Quality and speed", *(["More"] if await more.is_visible() else [])]
        assert ("More" in menus) == (width <= 640)
        for menu in menus:
            await page.get_by_role("button", name=menu, exact=True).click()
            await page.get_by_role("menu", name=menu).wait_for()
            assert not (beside := await page.evaluate(OUTSIDE)), f"{menu} at {width} px lies outside: {beside}"
            assert not (small := await page.evaluate(TOO_SMALL)), f"too small for a finger at {width} px: {small}"
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("button", name=menu, exact=True)).to_be_focused()
        await page.keyboard.press("?")
        await page.get_by_role("dialog", name="Keys").wait_for()
        assert not await page.evaluate(OUTSIDE), f"the list of keys is wider than {width} px"
        await page.keyboard.press("Escape")
    await page.set_viewport_size({"width": 360, "height": 640})
    await page.get_by_role("button", name="More", exact=True).click()
    assert not await accessibility_violations(page)
    await page.get_by_role("menuitem", name="Statistics").click()
    assert not await page.evaluate(OUTSIDE)
    assert not await page.evaluate(TOO_SMALL)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="More", exact=True)).to_be_focused()
