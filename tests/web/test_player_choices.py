"""What a viewer chooses in the player, and what the device remembers of it: sound, quality, speed, subtitles."""

from typing import Final

import pytest
from playwright.async_api import Locator, expect

from tests.harness.browsing import Visit, accessibility_violations
from tests.harness.film_of_choices import RUNGS, TONES, WORDS
from tests.harness.web.watching import STORED, choose, chosen, watch
from tests.web.conftest import Site

SPEED: Final = "1.5\N{MULTIPLICATION SIGN}"
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

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


async def pixels(captions: Locator) -> float:
    return float(await captions.evaluate("each => parseFloat(getComputedStyle(each).fontSize)"))


async def test_stereo_and_surround_are_heard_and_remembered(visit: Visit, site: Site, film_of_choices: str) -> None:
    page = visit.page
    await page.wait_for_function(LISTENS, arg=TONES["en", 2])
    assert await chosen(page, "Audio") == ["English", "Stereo"]
    await choose(page, "Quality and speed", SPEED)
    await choose(page, "Audio", "Surround 5.1")
    await page.wait_for_function(LISTENS, arg=TONES["en", 6])
    await choose(page, "Audio", "Deutsch")
    await page.wait_for_function(LISTENS, arg=TONES["de", 6])
    # Another quality keeps the language, and another stream keeps the speed.
    await choose(page, "Quality and speed", "180p")
    await page.wait_for_function("() => document.querySelector('video').videoHeight === 180")
    await page.wait_for_function(LISTENS, arg=TONES["de", 6])
    assert await page.locator("video").evaluate("video => video.playbackRate") == 1.5

    await watch(visit, site.settings.public, film_of_choices)
    await page.wait_for_function(LISTENS, arg=TONES["de", 6])
    assert await chosen(page, "Audio") == ["Deutsch", "Surround 5.1"]
    await choose(page, "Audio", "Stereo")
    await page.wait_for_function(LISTENS, arg=TONES["de", 2])


async def test_another_sound_neither_moves_a_paused_film_nor_starts_it(visit: Visit) -> None:
    page = visit.page
    video = page.locator("video")
    await video.evaluate("video => { video.pause(); video.currentTime = 11; }")
    async with page.expect_request("**/a6en_*.m4s*"):
        await choose(page, "Audio", "Surround 5.1")
    await page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    assert await video.evaluate("video => [video.paused, Math.round(video.currentTime)]") == [True, 11]


async def test_quality_and_speed_are_remembered(visit: Visit, site: Site, film_of_choices: str) -> None:
    page = visit.page
    video = page.locator("video")
    await choose(page, "Quality and speed", "270p", SPEED)
    await page.wait_for_function("() => document.querySelector('video').videoHeight === 270")

    visit.requests.clear()
    await watch(visit, site.settings.public, film_of_choices)
    await page.wait_for_function("() => document.querySelector('video').videoHeight === 270")
    assert await chosen(page, "Quality and speed") == ["270p", SPEED]
    assert await video.evaluate("video => [video.playbackRate, video.preservesPitch]") == [1.5, True]
    better = [url for url in visit.requests if "/v360_" in url]
    assert not better, f"more than the remembered quality was fetched: {better}"

    # The next film has no such rung.
    await page.evaluate(f"localStorage.setItem('{STORED}', '{{\"quality\": 200}}')")
    await watch(visit, site.settings.public, film_of_choices)
    assert await chosen(page, "Quality and speed") == ["180p", "Normal"]
    await choose(page, "Quality and speed", "Auto")
    assert await page.evaluate(f"JSON.parse(localStorage.getItem('{STORED}')).quality") is None
    await page.wait_for_function(f"() => document.querySelector('video').videoHeight === {max(RUNGS)}")


async def test_nonsense_on_the_device_does_not_stop_a_film(visit: Visit, site: Site, film_of_choices: str) -> None:
    for stored in ("{", "[]", '{"volume": 7, "rate": 0, "quality": "x", "captionLook": 1, "subtitles": []}'):
        await visit.page.evaluate(f"text => localStorage.setItem('{STORED}', text)", stored)
        await watch(visit, site.settings.public, film_of_choices)
        assert await chosen(visit.page, "Quality and speed") == ["Auto", "Normal"], stored


async def test_subtitles_have_the_size_and_look_that_was_chosen(visit: Visit, site: Site, film_of_choices: str) -> None:
    page = visit.page
    await choose(page, "Subtitles", "Deutsch")
    captions = page.get_by_test_id("captions")
    await expect(captions).to_have_text(WORDS["de"])
    await page.locator("video").evaluate("video => video.pause()")
    await page.keyboard.press("c")
    await expect(captions).to_have_text("")
    await page.keyboard.press("c")
    await expect(captions).to_have_text(WORDS["de"])
    await choose(page, "Subtitles", "English", "Deutsch")
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

    await watch(visit, site.settings.public, film_of_choices)
    await expect(captions).to_have_text(WORDS["de"])
    assert await pixels(captions) == sizes["Largest"]
    await page.keyboard.press("-")
    assert await pixels(captions) == sizes["Larger"]
    await page.keyboard.press("Control+-")
    assert await pixels(captions) == sizes["Larger"], "the browser's own shortcut changed the subtitles"
    await page.set_viewport_size({"width": 2560, "height": 1440})
    assert await pixels(captions) > 1.3 * sizes["Larger"], "subtitles are small on a large screen"
