"""A search result that is opened is told to the platform, and the page that opens does not wait for it."""

from urllib.parse import parse_qs, urlsplit

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


async def test_a_query_counts_once_it_rests_and_not_while_it_is_typed(engineer: BrowserContext, site: Site) -> None:
    results = [{"movie_id": site.movie_id, "title": TITLE, "playable": True}]
    asked: list[dict[str, list[str]]] = []

    async def search(route: Route) -> None:
        asked.append(parse_qs(urlsplit(route.request.url).query))
        name = "typed" if "typing" in asked[-1] else "rested"
        await route.fulfill(json={"results": results, "next_cursor": None, "search_id": name})

    async with faulty_page(engineer) as (page, _):
        await page.route("**/api/v1/search?*", search)
        await page.route("**/api/v1/search/*/opened", lambda route: route.fulfill(status=204))
        await page.goto(site.settings.public)
        async with page.expect_response(lambda one: "/api/v1/search?" in one.url and "typing" not in one.url):
            await page.get_by_role("searchbox").first.fill("light")
        assert asked == [
            {"q": ["light"], "limit": ["24"], "typing": ["true"]},
            {"q": ["light"], "limit": ["1"]},
        ], "a query is counted while it is typed, or not once it rests"
        async with page.expect_request("**/api/v1/search/*/opened"):
            await page.get_by_role("list", name="Results").get_by_role("link", name=TITLE).click()
        await page.get_by_test_id("play").wait_for()
