"""The player on lines of several bandwidths: which rung it asks for first, how far ahead it fetches, what it remembers.

No test measures time. Each looks at which segments were asked for, and at the buffer.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page

from marquee.demo.browser import ACTION_MS, log_in
from marquee.stores.opened import open_stores
from tests.harness.laddered_film import RUNGS, SEGMENT_SECONDS, publish_laddered_film
from tests.harness.paced_line import PacedLine, Step, paced_line
from tests.web.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

HEIGHTS = [height for _, height, _ in RUNGS]
LONG_MS = 120_000
"""For what a loaded machine does late."""
AHEAD_SECONDS = 30 + 2 * SEGMENT_SECONDS
"""The player's bound, and the segments that it was loading when it reached the bound."""
_AHEAD = """() => {
  const video = document.querySelector('video');
  if (!video || video.buffered.length === 0) return 0;
  return video.buffered.end(video.buffered.length - 1) - video.currentTime;
}"""
_SEGMENT = re.compile(r"/(\d+)p/seg_(\d+)\.m4s")


@dataclass
class Viewing:
    page: Page
    line: PacedLine
    asked: list[tuple[int, int]] = field(default_factory=list)
    """Height and number of every video segment that was asked for, in order."""

    async def play(self) -> None:
        """Click, and wait until the film moves."""
        await self.page.get_by_role("button", name=re.compile("^(Play|From the start)$")).last.click()
        await self.page.wait_for_function("() => document.querySelector('video')?.currentTime > 0.5", timeout=LONG_MS)


@pytest.fixture(scope="module")
async def laddered(site: Site, tmp_path_factory: pytest.TempPathFactory) -> str:
    async with open_stores(site.settings) as stores:
        return await publish_laddered_film(stores, "The Ladder", tmp_path_factory.mktemp("ladder") / "stream")


@asynccontextmanager
async def viewing(browser: Browser, site: Site, movie_id: str) -> AsyncIterator[Viewing]:
    """A device that has played nothing, on the title's page, its scripts loaded; the line is still unlimited."""
    async with paced_line() as line:
        context = await browser.new_context(proxy={"server": line.proxy})
        page = await context.new_page()
        page.set_default_timeout(ACTION_MS)
        seen = Viewing(page, line)

        def asked(url: str) -> None:
            if found := _SEGMENT.search(url):
                seen.asked.append((int(found[1]), int(found[2])))

        page.on("request", lambda request: asked(request.url))
        settings = site.settings
        await log_in(page, settings.public, settings.email, settings.password.get_secret_value())
        await page.goto(f"{settings.public}/title/{movie_id}")
        await page.get_by_test_id("play").wait_for()
        await page.wait_for_load_state("networkidle")
        try:
            yield seen
        finally:
            line.end()
            await context.close()


async def test_a_slow_line_begins_with_the_lowest_rung_though_another_is_listed_first(
    browser: Browser, site: Site, laddered: str
) -> None:
    async with viewing(browser, site, laddered) as seen:
        # A round trip as long as this is not the line that the scripts came over, not even on a busy machine.
        seen.line.begin([Step(60, 0.3e6)], rtt_seconds=1.5)
        await seen.play()
        assert seen.asked[0] == (min(HEIGHTS), 0), f"the first segments asked for: {seen.asked[:4]}"
        assert {height for height, _ in seen.asked} == {min(HEIGHTS)}, f"0.3 Mbit/s does not carry all of {seen.asked}"
        # The estimate is kept when the film is left.
        await seen.page.keyboard.press("Escape")
        await seen.page.get_by_test_id("play").wait_for()
        kept = json.loads(await seen.page.evaluate("() => localStorage.getItem('marquee.line')"))
        assert 0.05e6 < kept["bitsPerSecond"] < 0.5e6, f"0.3 Mbit/s is remembered as {kept}"


async def test_the_buffer_is_bounded_on_a_fast_line_and_ends_with_the_best_rung(
    browser: Browser, site: Site, laddered: str
) -> None:
    async with viewing(browser, site, laddered) as seen:
        await seen.play()
        await seen.page.wait_for_function(f"() => ({_AHEAD})() > 25", timeout=LONG_MS)
        for _ in range(20):
            ahead = await seen.page.evaluate(_AHEAD)
            position = await seen.page.evaluate("() => document.querySelector('video').currentTime")
            assert ahead <= AHEAD_SECONDS, f"{ahead:.0f} s are buffered ahead"
            last = max(number for _, number in seen.asked) * SEGMENT_SECONDS
            assert last <= position + 1 + AHEAD_SECONDS, f"at {position:.0f} s the segment of {last} s was asked for"
            await seen.page.wait_for_function(
                f"() => document.querySelector('video').currentTime > {position + 0.3}", timeout=LONG_MS
            )
        assert max(HEIGHTS) in {height for height, _ in seen.asked}, f"never asked for {max(HEIGHTS)}p: {seen.asked}"


async def test_low_quality_in_the_buffer_is_replaced_when_the_line_is_fast_again(
    browser: Browser, site: Site, laddered: str
) -> None:
    async with viewing(browser, site, laddered) as seen:
        seen.line.begin([Step(600, 0.4e6)], rtt_seconds=0.3)
        await seen.play()
        await seen.page.wait_for_function(f"() => ({_AHEAD})() > 14", timeout=LONG_MS)
        low = {number for height, number in seen.asked if height == min(HEIGHTS)}
        seen.line.end()
        best = f"() => document.querySelector('video').videoHeight === {max(HEIGHTS)}"
        await seen.page.wait_for_function(best, timeout=LONG_MS)
        again = {number for height, number in seen.asked if height == max(HEIGHTS)} & low
        assert again, f"no segment was fetched a second time, in better quality: {seen.asked}"
