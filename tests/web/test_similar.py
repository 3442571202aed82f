""" "More like this": on a title's page, at the end of a film, and as what comes next where the viewer came from no row."""

import json
from typing import Any, Final

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from tests.harness.browsing import accessibility_violations, keep_screenshot, open_visit
from tests.web.conftest import TITLE, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

SIMILAR: Final = "**/api/v1/titles/*/similar*"
LIKE: Final = [
    {"movie_id": f"m_{number:020}", "title": f"Another light, part {number}", "duration_seconds": 150}
    for number in range(1, 9)
]


async def _answer(page: Page, body: Any, *, status: int = 200) -> None:
    async def give(route: Route) -> None:
        await route.fulfill(status=status, content_type="application/json", body=json.dumps(body))

    await page.route(SIMILAR, give)


async def test_a_title_has_more_like_it_or_is_whole_without(engineer: BrowserContext, site: Site) -> None:
    visit = await open_visit(engineer)
    page = visit.page
    section = page.get_by_test_id(f"row-similar-{site.movie_id}")
    itself = {"movie_id": site.movie_id, "title": TITLE}
    await _answer(page, {"items": [itself, *LIKE]})
    await page.goto(f"{site.settings.public}/title/{site.movie_id}")
    await section.get_by_role("heading", name="More like this").wait_for()
    assert await section.get_by_role("link").count() == len(LIKE), "a title is like itself"
    assert not await accessibility_violations(page)
    await section.scroll_into_view_if_needed()
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 844})
        await section.scroll_into_view_if_needed()
        await keep_screenshot(page, f"similar-{width}")
    await section.get_by_role("link").nth(2).click()
    await page.wait_for_url(f"**/title/{LIKE[2]['movie_id']}")
    assert await page.evaluate("() => [history.state.row, history.state.index]") == [f"similar-{site.movie_id}", 2]
    for body, status in (({"items": []}, 200), ({"title": "x"}, 200), ("nothing", 503)):
        await page.unroute(SIMILAR)
        await _answer(page, body, status=status)
        async with page.expect_response(SIMILAR):
            await page.goto(f"{site.settings.public}/title/{site.movie_id}")
        await page.get_by_test_id("play").wait_for()
        await expect(section).to_have_count(0)
        assert not await page.get_by_role("alert").count()
    assert not visit.errors, visit.errors
    await page.close()


async def test_a_film_that_was_opened_from_no_row_is_followed_by_one_like_it(
    engineer: BrowserContext, site: Site
) -> None:
    visit = await open_visit(engineer)
    page = visit.page
    await page.emulate_media(reduced_motion="reduce")  # nothing begins by itself
    await _answer(page, {"items": LIKE})
    await page.goto(f"{site.settings.public}/watch/{site.movie_id}?from=start")
    await page.wait_for_function("() => (document.querySelector('video')?.currentTime ?? 0) > 0.2", timeout=60_000)
    await page.locator("video").evaluate("video => { video.currentTime = video.duration - 0.5; void video.play(); }")
    await page.get_by_test_id("up-next").get_by_role("heading", name=LIKE[0]["title"]).wait_for(timeout=60_000)
    shown = page.get_by_test_id("ending-similar")
    await shown.get_by_role("heading", name="More like this").wait_for()
    names = await shown.get_by_role("link").all_inner_texts()
    assert [name.splitlines()[0] for name in names] == [one["title"] for one in LIKE[1:5]], names
    assert not await accessibility_violations(page)
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 844})
        await keep_screenshot(page, f"ending-similar-{width}")
    await shown.get_by_role("link").first.click()
    await page.wait_for_url(f"**/title/{LIKE[1]['movie_id']}")
    assert await page.evaluate("() => history.state.row") == f"similar-{site.movie_id}"
    assert not visit.errors, visit.errors
    await page.close()
