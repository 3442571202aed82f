"""What a viewer reaches for in the player, in Chromium: sound, quality, subtitles, statistics, small window, system's keys."""

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from marquee.demo.browser import log_in
from marquee.stores.opened import open_stores
from tests.harness.browsing import Visit, accessibility_violations, open_visit
from tests.harness.film_of_choices import RUNGS, SECONDS, TONES, WORDS, encode_film_of_choices
from tests.harness.published_film import publish_film
from tests.web.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

TITLE: Final = "The Lamp"
PLAYS: Final = "() => (document.querySelector('video')?.currentTime ?? 0) > 0.2"
STORED: Final = "marquee.player"
LISTENS: Final = """hertz => {
  const video = document.querySelector('video');
  if (!window.ear) {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaElementSource(video).connect(analyser).connect(context.destination);
    window.ear = {context, analyser};
  }
  const {context, analyser} = window.ear;
  const loudness = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(loudness);
  return Math.abs(loudness.indexOf(Math.max(...loudness)) * context.sampleRate / analyser.fftSize - hertz) < 60;
}"""
"""Whether the loudest tone that the video element plays is this one."""
RECORDS_SESSION: Final = """() => {
  window.handlers = {};
  window.positions = [];
  const {setActionHandler, setPositionState} = MediaSession.prototype;
  MediaSession.prototype.setActionHandler = function (action, handler) {
    window.handlers[action] = handler;
    setActionHandler.call(this, action, handler);
  };
  MediaSession.prototype.setPositionState = function (state) {
    window.positions.push(state ?? null);
    setPositionState.call(this, state);
  };
}"""
OUTSIDE: Final = """() => [...document.querySelectorAll('.player *')].filter(each => {
  const {width, left, right} = each.getBoundingClientRect();
  return width > 0 && (left < -0.5 || right > innerWidth + 0.5) && !each.closest('svg, .pulse, .scrub-track');
}).map(each => each.outerHTML.slice(0, 80))"""
TOO_SMALL: Final = """() => [...document.querySelectorAll('.player button, .player label, .player [role=slider]')].filter(each => {
  const {width, height} = each.getBoundingClientRect();
  return width > 0 && (width < 44 || height < 44);
}).map(each => each.ariaLabel || each.textContent)"""


@pytest.fixture(scope="module")
async def film(site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    """movie_id of a film with three rungs, stereo and 5.1 in two languages, and two subtitle tracks."""
    async with open_stores(site.settings, search_writer=True) as stores:
        folder = tmp_path_factory.mktemp("film")
        return await publish_film(stores, TITLE, folder, encode_stream=encode_film_of_choices, seconds=SECONDS)


@pytest.fixture(scope="module")
async def viewer(browser: Browser, site: Site) -> AsyncIterator[BrowserContext]:
    """A visitor with a device of their own, because the player remembers choices on it."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.settings.public)
    page = await context.new_page()
    await log_in(page, site.settings.public, site.settings.email, site.settings.password.get_secret_value())
    await page.close()
    yield context
    await context.close()


@pytest.fixture
async def visit(viewer: BrowserContext, site: Site, film: str) -> AsyncIterator[Visit]:
    """The film plays, on a device that remembers nothing."""
    visit = await open_visit(viewer)
    await visit.page.add_init_script(f"({RECORDS_SESSION})()")
    await visit.page.goto(f"{site.settings.public}/account")
    await visit.page.evaluate(f"localStorage.removeItem('{STORED}')")
    await watch(visit, site, film)
    yield visit
    assert not visit.errors, f"the player reports errors: {visit.errors[:5]}"
    await visit.page.close()


async def watch(visit: Visit, site: Site, film: str) -> None:
    """Open the film and wait until it plays. It begins again at its end, however slow this machine is."""
    await visit.page.goto(f"{site.settings.public}/watch/{film}?from=start")
    await visit.page.wait_for_function(PLAYS)
    await visit.page.evaluate("document.querySelector('video').loop = true")


async def choose(page: Page, menu: str, *labels: str) -> None:
    for label in labels:
        await page.get_by_role("button", name=menu, exact=True).click()
        await page.get_by_role("menuitemradio", name=label, exact=True).click()


async def chosen(page: Page, menu: str) -> list[str]:
    """The chosen items of a menu."""
    await page.get_by_role("button", name=menu, exact=True).click()
    items = page.locator("[role=menuitemradio][aria-checked=true] > span:first-of-type")
    found = await items.all_inner_texts()
    await page.keyboard.press("Escape")
    return [each for each in found if each]


async def pixels(captions: Locator) -> float:
    return float(await captions.evaluate("each => parseFloat(getComputedStyle(each).fontSize)"))


async def test_stereo_and_surround_are_heard_and_remembered(visit: Visit, site: Site, film: str) -> None:
    page = visit.page
    await page.wait_for_function(LISTENS, arg=TONES["en", 2])
    assert await chosen(page, "Audio") == ["English", "Stereo"]
    await choose(page, "Audio", "Surround 5.1")
    await page.wait_for_function(LISTENS, arg=TONES["en", 6])
    await choose(page, "Audio", "Deutsch")
    await page.wait_for_function(LISTENS, arg=TONES["de", 6])

    await watch(visit, site, film)
    await page.wait_for_function(LISTENS, arg=TONES["de", 6])
    assert await chosen(page, "Audio") == ["Deutsch", "Surround 5.1"]
    await choose(page, "Audio", "Stereo")
    await page.wait_for_function(LISTENS, arg=TONES["de", 2])


async def test_another_sound_neither_moves_a_paused_film_nor_starts_it(visit: Visit) -> None:
    page = visit.page
    video = page.locator("video")
    await video.evaluate("video => { video.pause(); video.currentTime = 11; }")
    async with page.expect_request("**/a6en_*.m4s"):
        await choose(page, "Audio", "Surround 5.1")
    await page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    assert await video.evaluate("video => [video.paused, Math.round(video.currentTime)]") == [True, 11]


async def test_quality_and_speed_are_remembered(visit: Visit, site: Site, film: str) -> None:
    page = visit.page
    video = page.locator("video")
    await choose(page, "Quality and speed", "270p", "1.5×")
    await page.wait_for_function("() => document.querySelector('video').videoHeight === 270")

    visit.requests.clear()
    await watch(visit, site, film)
    await page.wait_for_function("() => document.querySelector('video').videoHeight === 270")
    assert await chosen(page, "Quality and speed") == ["270p", "1.5×"]
    assert await video.evaluate("video => [video.playbackRate, video.preservesPitch]") == [1.5, True]
    better = [url for url in visit.requests if "/v360_" in url]
    assert not better, f"more than the remembered quality was fetched: {better}"

    # The next film has no such rung.
    await page.evaluate(f"localStorage.setItem('{STORED}', '{{\"quality\": 200}}')")
    await watch(visit, site, film)
    assert await chosen(page, "Quality and speed") == ["180p", "Normal"]
    await choose(page, "Quality and speed", "Auto")
    assert await page.evaluate(f"JSON.parse(localStorage.getItem('{STORED}')).quality") is None
    await page.wait_for_function(f"() => document.querySelector('video').videoHeight === {max(RUNGS)}")


async def test_nonsense_on_the_device_does_not_stop_a_film(visit: Visit, site: Site, film: str) -> None:
    for stored in ("{", "[]", '{"volume": 7, "rate": 0, "quality": "x", "captionLook": 1, "subtitles": []}'):
        await visit.page.evaluate(f"text => localStorage.setItem('{STORED}', text)", stored)
        await watch(visit, site, film)
        assert await chosen(visit.page, "Quality and speed") == ["Auto", "Normal"], stored


async def test_subtitles_have_the_size_and_look_that_was_chosen(visit: Visit, site: Site, film: str) -> None:
    page = visit.page
    await choose(page, "Subtitles", "Deutsch")
    captions = page.get_by_test_id("captions")
    await expect(captions).to_have_text(WORDS["de"])
    usual = await pixels(captions)
    assert usual >= 16

    await page.get_by_role("button", name="Subtitles", exact=True).click()
    await page.locator("[role=menuitemradio]:focus").wait_for()
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Subtitle size and look")
    assert not await accessibility_violations(page)
    sizes = {}
    for size in ("Small", "Normal", "Large", "Larger", "Largest"):
        await panel.get_by_label(size, exact=True).check()
        sizes[size] = await pixels(captions)
        assert await pixels(page.get_by_test_id("caption-preview")) == sizes[size], "the preview shows another size"
    assert sizes["Small"] < sizes["Normal"] == usual < sizes["Large"] < sizes["Larger"] < sizes["Largest"]
    drawn = set()
    looks = await panel.get_by_role("group", name="Look").get_by_role("radio").all()
    for look in looks:
        await look.check()
        style = "each => { const s = getComputedStyle(each); return s.color + s.backgroundColor + s.textShadow; }"
        drawn.add(await captions.locator("span").first.evaluate(style))
    assert len(drawn) == len(looks) >= 3
    await panel.get_by_label("Yellow on black").check()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Subtitles", exact=True)).to_be_focused()

    await watch(visit, site, film)
    await expect(captions).to_have_text(WORDS["de"])
    assert await pixels(captions) == sizes["Largest"]
    await page.keyboard.press("-")
    assert await pixels(captions) == sizes["Larger"]
    await page.keyboard.press("Control+-")
    assert await pixels(captions) == sizes["Larger"], "the browser's own shortcut changed the subtitles"


async def test_statistics_say_what_plays_and_can_be_copied(visit: Visit, site: Site, film: str) -> None:
    page = visit.page
    await page.keyboard.press("i")
    panel = page.get_by_role("region", name="Statistics")
    for words in (film, "avc1.", "mp4a.40.2", "bit/s", "hls.js"):
        await expect(panel).to_contain_text(words)
    await page.wait_for_function("() => !document.querySelector('.stats').innerText.includes('not known')")
    shown = await panel.inner_text()
    assert any(urlsplit(edge).netloc in shown for edge in site.settings.edges), shown
    assert "/v/" not in shown, "the statistics show the stream's token"
    await panel.get_by_role("button", name="Copy").click()
    await expect(panel.get_by_role("status")).to_have_text("Copied")
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert film in copied
    assert "Chrome" in copied
    assert not await accessibility_violations(page)
    await panel.get_by_role("button", name="Close statistics").focus()
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    await expect(page.get_by_role("button", name="Statistics")).to_be_focused()
    assert "/watch/" in page.url, "Escape left the player"


async def test_the_systems_own_keys_act_on_the_film_until_it_is_left(visit: Visit) -> None:
    page = visit.page
    session = "(() => { const s = navigator.mediaSession; return [s.metadata?.title ?? null, s.playbackState]; })()"
    await page.wait_for_function("() => navigator.mediaSession.playbackState === 'playing'")
    assert await page.evaluate(session) == [TITLE, "playing"]
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
    assert {"play", "pause", "stop", "seekbackward", "seekforward", "seekto"} <= set(await page.evaluate("Object.keys(handlers)"))

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
    outcome = page.get_by_text("The browser refused picture-in-picture").or_(page.get_by_text("small window shows the picture only"))
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
