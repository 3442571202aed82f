"""What viewers see of a title before they play it: the wide picture, the poster where there is none, and posters on cards."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route

from marquee.demo.browser import log_in
from marquee.stores.opened import open_stores
from tests.harness.browsing import keep_screenshot
from tests.harness.published_film import publish_film
from tests.web.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]


NEWEST = "The Newest Light"


@pytest.fixture(scope="module")
async def newest(site: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """movie_id of the film that home shows large: nothing was published after it."""
    async with open_stores(site.settings, search_writer=True) as stores:
        yield await publish_film(stores, NEWEST, tmp_path_factory.mktemp("newest"))


async def _shown(page: Page, selector: str) -> str:
    """The address of the picture that the browser chose, once it is drawn."""
    picture = page.locator(f"{selector} img").first
    await picture.wait_for()
    await page.wait_for_function(
        "selector => document.querySelector(selector + ' img')?.naturalWidth > 0", arg=selector, timeout=60_000
    )
    return str(await picture.evaluate("each => each.currentSrc"))


async def _open(page: Page, path: str) -> None:
    """Loads it until the newest film is there: a process of the API may serve a row that it read half a second ago."""
    for _ in range(30):
        await page.goto(path)
        await page.locator("#featured, .title-picture").first.wait_for()
        if await page.get_by_role("heading", name=NEWEST).count():
            return
    raise AssertionError(f"{path} does not show {NEWEST}")


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("where", ["/", "/title/{movie_id}"])
async def test_the_large_picture_is_the_wide_one_and_falls_back_to_the_poster(
    site: Site, newest: str, engineer: BrowserContext, where: str, width: int
) -> None:
    page = await engineer.new_page()
    await page.set_viewport_size({"width": width, "height": 844})
    path = site.settings.public + where.format(movie_id=newest)
    try:
        await _open(page, path)
        assert (await _shown(page, "[data-testid=backdrop]")).endswith("/backdrop-320.jpg")
        await keep_screenshot(page, f"backdrop-{'home' if where == '/' else 'title'}-{width}")

        async def lost(route: Route) -> None:
            await route.fulfill(status=404)

        await page.route("**/backdrop-*.jpg", lost)
        await page.goto(path)
        large = ".hero-picture" if where == "/" else ".title-picture"
        assert (await _shown(page, large)).endswith("/poster-640x360.jpg"), "a lost wide picture leaves a hole"
    finally:
        await page.close()


@pytest.mark.parametrize(
    ("width", "scale", "size"),
    [(390, 1, "320x180"), (390, 2, "640x360"), (390, 3, "640x360"), (1440, 1, "320x180"), (1440, 2, "640x360")],
    ids=["a phone", "a phone of 2x", "a phone of 3x", "a desktop", "a desktop of 2x"],
)
async def test_a_card_fetches_the_poster_that_its_screen_needs(
    site: Site, browser: Browser, newest: str, width: int, scale: int, size: str
) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 844}, device_scale_factor=scale)
    page = await context.new_page()
    await log_in(page, site.settings.public, site.settings.email, site.settings.password.get_secret_value())
    await page.set_viewport_size({"width": width, "height": 844})
    await _open(page, site.settings.public)
    shown = await _shown(page, f"[data-testid=title-card][href$='{newest}']")
    assert shown.endswith(f"/poster-{size}.jpg")
    await context.close()
