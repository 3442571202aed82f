"""What viewers see of a title before they play it: the wide picture, and the poster where there is none."""

import re

import pytest
from playwright.async_api import BrowserContext, Page, Route

from tests.harness.browsing import keep_screenshot
from tests.web.conftest import TITLE, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]


async def _shown(page: Page, selector: str) -> str:
    """The address of the picture that the browser chose, once it is drawn."""
    picture = page.locator(f"{selector} img").first
    await picture.wait_for()
    await page.wait_for_function(
        "selector => document.querySelector(selector + ' img')?.naturalWidth > 0", arg=selector, timeout=60_000
    )
    return str(await picture.evaluate("each => each.currentSrc"))


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("where", ["/", "/title/{movie_id}"])
async def test_the_large_picture_is_the_wide_one_and_falls_back_to_the_poster(
    site: Site, engineer: BrowserContext, where: str, width: int
) -> None:
    page = await engineer.new_page()
    await page.set_viewport_size({"width": width, "height": 844})
    path = site.settings.public + where.format(movie_id=site.movie_id)
    try:
        await page.goto(path)
        # Home shows the newest film large, whichever that is by now; all films of the site have pictures of one size.
        await page.get_by_role("heading", name=re.compile("." if where == "/" else TITLE)).first.wait_for()
        assert (await _shown(page, "[data-testid=backdrop]")).endswith("/backdrop-320.jpg")
        await keep_screenshot(page, f"backdrop-{'home' if where == '/' else 'title'}-{width}")

        async def lost(route: Route) -> None:
            await route.fulfill(status=404)

        await page.route("**/backdrop-*.jpg", lost)
        await page.goto(path)
        large = ".hero-picture" if where == "/" else ".title-picture"
        assert (await _shown(page, large)).endswith("/poster.jpg"), "a lost wide picture leaves a hole"
    finally:
        await page.close()
