"""A search result that is opened is told to the platform, and the page that opens does not wait for it."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Route

from tests.web.conftest import TITLE, Site
from tests.web.faults import faulty_page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]


async def test_which_result_of_a_search_was_opened_is_told_and_nobody_waits(
    engineer: BrowserContext, site: Site
) -> None:
    results = [{"movie_id": f"m_{n:020}", "title": f"Film {n}", "playable": True} for n in range(3)]
    results.append({"movie_id": site.movie_id, "title": TITLE, "playable": True})
    answer = {"results": results, "next_cursor": None, "search_id": "s.1/2"}
    told_of: list[tuple[str, object]] = []

    async def opened(route: Route) -> None:
        told_of.append((urlsplit(route.request.url).path, route.request.post_data_json))  # and no answer comes

    async with faulty_page(engineer) as (page, _):
        await page.route("**/api/v1/search?*", lambda route: route.fulfill(json=answer))
        await page.route("**/api/v1/search/*/opened", opened)
        await page.goto(f"{site.settings.public}/search?q=light")
        await page.get_by_role("list", name="Results").get_by_role("link", name=TITLE).click()
        await page.get_by_test_id("play").wait_for()
        assert told_of == [("/api/v1/search/s.1%2F2/opened", {"movie_id": site.movie_id, "place": 4})]
