"""A title in two codecs in a browser: the web client takes the one that the device decodes well, and H.264 if a decode fails."""

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from marquee.client.session import ApiSession
from marquee.platform.project import WEB_CLIENT
from marquee.stores.opened import open_stores
from tests.harness.browsing import Visit, accessibility_violations, open_visit
from tests.harness.web.film_of_codecs import publish_film_of_codecs
from tests.harness.web.watching import PLAYS
from tests.web.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

PATIENT_MS: Final = 60_000
ANSWERS: Final = """answers => {
  navigator.mediaCapabilities.decodingInfo = async ({video}) => {
    window.asked = [...(window.asked ?? []), video];
    const [supported, smooth, powerEfficient] = answers[video.contentType.includes('av01') ? 'av1' : 'h264'];
    return {supported, smooth, powerEfficient};
  };
}"""
GOOD, BY_SOFTWARE, SLOW = [True, True, True], [True, True, False], [True, False, False]
SHOWS_PICTURES: Final = "() => document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames > 5"


@pytest.fixture(scope="module")
async def film_of_codecs(site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    async with open_stores(site.settings, search_writer=False) as stores:
        return await publish_film_of_codecs(stores, tmp_path_factory.mktemp("codecs"))


@pytest.fixture(scope="module")
async def stream_of_codecs(site: Site, film_of_codecs: str) -> dict[str, str]:
    """The addresses of its manifests. One login for all players, repeated while others log in on a loaded machine."""
    async with ApiSession(site.settings.public, retry_seconds=120) as api:
        await api.log_in(site.settings.email, site.settings.password.get_secret_value())
        return dict(await api.get("/stream", movie_id=film_of_codecs))


@pytest.fixture
async def codec_visit(viewer: BrowserContext) -> AsyncIterator[Visit]:
    visit = await open_visit(viewer)
    yield visit
    await visit.page.close()


async def watched(visit: Visit, site: Site, film: str, answers: dict[str, list[bool]] | None) -> Page:
    page = visit.page
    if answers is not None:
        await page.add_init_script(f"({ANSWERS})({msgspec.json.encode(answers).decode()})")
    await page.goto(f"{site.settings.public}/watch/{film}?from=start")
    await page.wait_for_function(PLAYS, timeout=PATIENT_MS)
    await page.evaluate("document.querySelector('video').loop = true")
    await page.wait_for_function(SHOWS_PICTURES, timeout=PATIENT_MS)
    await page.keyboard.press("i")
    return page


@pytest.mark.parametrize(
    ("answers", "codec", "words"),
    [
        ({"av1": GOOD, "h264": GOOD}, "av01.0.", "AV1 (smooth, saves power); H.264 can be played"),
        ({"av1": BY_SOFTWARE, "h264": BY_SOFTWARE}, "av01.0.", "AV1 (smooth, by software)"),
        ({"av1": BY_SOFTWARE, "h264": GOOD}, "avc1.", "H.264 (smooth, saves power); AV1 can be played"),
        ({"av1": SLOW, "h264": GOOD}, "avc1.", "AV1 is not smooth"),
    ],
    ids=["av1", "software", "power", "slow"],
)
async def test_the_player_takes_the_codec_that_the_device_decodes_well(
    codec_visit: Visit, site: Site, film_of_codecs: str, answers: dict[str, list[bool]], codec: str, words: str
) -> None:
    page = await watched(codec_visit, site, film_of_codecs, answers)
    panel = page.get_by_role("region", name="Statistics")
    await expect(panel).to_contain_text(codec)
    await expect(panel).to_contain_text(words)
    asked: list[dict[str, Any]] = await page.evaluate("window.asked")
    assert {(one["width"], one["height"]) for one in asked} == {(320, 180)}, "the largest picture is asked for"
    assert not await accessibility_violations(page)
    # The menu has each rung once.
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Quality and speed", exact=True).click()
    labels = await page.locator("[role=menuitemradio]").all_inner_texts()
    assert len([one for one in labels if "180p" in one and "Auto" not in one]) == 1, labels
    assert not codec_visit.errors


async def test_chromium_plays_what_it_says_itself(codec_visit: Visit, site: Site, film_of_codecs: str) -> None:
    page = await watched(codec_visit, site, film_of_codecs, None)
    panel = page.get_by_role("region", name="Statistics")
    await expect(panel).to_contain_text("Codec choice")
    text = await panel.inner_text()
    assert ("av01.0." in text) == ("AV1 (" in text), text


async def test_a_decode_that_fails_goes_on_in_h264(codec_visit: Visit, site: Site, film_of_codecs: str) -> None:
    """The AV1 segments arrive damaged: no decoder reads them."""

    async def damaged(route: Route) -> None:
        answer = await route.fetch()
        body = bytearray(await answer.body())
        start = body.find(b"mdat") + 4
        body[start:] = bytes(~byte & 255 for byte in body[start:])
        await route.fulfill(response=answer, body=bytes(body))

    await codec_visit.page.route("**/video/*-av1/seg_*", damaged)
    page = await watched(codec_visit, site, film_of_codecs, {"av1": GOOD, "h264": GOOD})
    panel = page.get_by_role("region", name="Statistics")
    await expect(panel).to_contain_text("avc1.", timeout=PATIENT_MS)
    await expect(panel).to_contain_text("AV1 failed")


SCRIPTS: Final = {
    "hls.js": "hls.js/dist/hls.min.js",
    "shaka": "shaka-player/dist/shaka-player.compiled.js",
    "dash.js": "dashjs/dist/modern/umd/dash.all.min.js",
}
OPEN: Final = {
    "hls.js": """url => new Promise(done => { const hls = new Hls(); window.hls = hls; hls.on('hlsManifestParsed', () => done());
      hls.loadSource(url); hls.attachMedia(video); })""",
    "shaka": """async url => { const player = window.shakaPlayer = new shaka.Player();
      await player.attach(video); await player.load(url); }""",
    "dash.js": """url => { window.dash = dashjs.MediaPlayer().create(); window.dash.initialize(video, url, true); }""",
}
PLAYING: Final = {
    "hls.js": "() => hls.levels[hls.currentLevel]?.videoCodec ?? ''",
    "shaka": "() => shakaPlayer.getVariantTracks().find(track => track.active)?.videoCodec ?? ''",
    "dash.js": "() => dash.getCurrentTrackFor('video')?.codec ?? ''",
}


@pytest.mark.parametrize(
    ("player", "manifest"),
    [("hls.js", "stream_url"), ("shaka", "dash_url"), ("shaka", "stream_url"), ("dash.js", "dash_url")],
)
async def test_other_players_play_both_manifests(
    browser: Browser, site: Site, stream_of_codecs: dict[str, str], player: str, manifest: str
) -> None:
    script = WEB_CLIENT.parent / "node_modules" / SCRIPTS[player]
    if not script.is_file():
        pytest.skip(f"{script.name} is not installed: run `make web`")
    settings = site.settings
    context = await browser.new_context(bypass_csp=True)
    try:
        page = await context.new_page()
        await page.goto(f"{settings.public}/login")
        await page.evaluate("document.body.innerHTML = '<video id=video muted playsinline></video>'")
        await page.add_script_tag(path=script)
        await page.evaluate("window.video = document.querySelector('video')")
        await page.evaluate(OPEN[player], stream_of_codecs[manifest])
        await page.evaluate("void video.play().catch(() => undefined)")
        await page.wait_for_function("() => video.currentTime > 0.5", timeout=PATIENT_MS)
        codec = await page.evaluate(PLAYING[player])
        assert codec.split('"')[-1 if player != "dash.js" else 1].startswith(("av01", "avc1")), codec
        if player == "hls.js":
            levels = await page.evaluate("() => hls.levels.map(level => level.videoCodec.slice(0, 4))")
            assert set(levels) == {"avc1", "av01"}, "one master playlist has both"
            for wanted in ("av01", "avc1"):
                await page.evaluate("level => { hls.currentLevel = level; }", levels.index(wanted))
                await page.wait_for_function(
                    "wanted => hls.levels[hls.currentLevel]?.videoCodec.startsWith(wanted) && video.readyState >= 3",
                    arg=wanted,
                    timeout=PATIENT_MS,
                )
    finally:
        await context.close()
