"""What a viewer reads when a page's calls fail: a sentence for people, and a button only where it can help.

Three answers stand for all: a validator's refusal, HTML with 502 of a proxy in front, and HTML with 200 of a network's login
page. The sentence of each code of the API is tested in `web/src/domain/problems.test.ts`.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from tests.harness.browsing import open_visit
from tests.web.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

PORTAL: Final = "<!doctype html><title>Welcome to the hotel</title><h1>Log in</h1>"
VALIDATOR: Final = json.dumps(
    {
        "title": "The request has a value that cannot be used",
        "status": 400,
        "code": "input-invalid",
        "detail": "movie_id: Expected `str` matching regex '^m_[0-9a-z]{20}$'.",
        "field": "movie_id",
    }
)
OF_MACHINES: Final = re.compile(r"regex|`|Expected|JSON|token|<|Unexpected|undefined|null|HTTP|fetch")
"""Words of validators, parsers and browsers."""


@dataclass  # not frozen: Playwright leaves a mark on the object whose method handles a route
class Answer:
    status: int
    body: str
    content_type: str

    async def give(self, route: Route) -> None:
        await route.fulfill(status=self.status, body=self.body, content_type=self.content_type)


ANSWERS: Final = {
    "a validator's refusal": Answer(400, VALIDATOR, "application/problem+json"),
    "a proxy's page": Answer(502, "<html><h1>502 Bad Gateway</h1></html>", "text/html"),
    "a network's login page": Answer(200, PORTAL, "text/html"),
}
PAGES: Final = {
    "": "home?",
    "search?q=keeper": "search?",
    "title/{movie_id}": "titles/",
    "watch/{movie_id}": "stream?",
    "history": "history?",
    "account": "accounts/me",
}


async def told(page: Page) -> str:
    """The sentence of the page's alert, once there is one."""
    alert = page.get_by_role("alert").first
    await alert.wait_for()
    return await alert.inner_text()


@pytest.mark.parametrize("path", PAGES)
async def test_a_failing_page_speaks_to_people(engineer: BrowserContext, site: Site, path: str) -> None:
    page = (await open_visit(engineer)).page
    call = re.compile(rf"/api/v1/{re.escape(PAGES[path])}")
    for name, answer in ANSWERS.items():
        await page.route(call, answer.give)
        await page.goto(f"{site.settings.public}/{path.format(movie_id=site.movie_id)}")
        words = await told(page)
        assert not OF_MACHINES.search(words), f"{path} shows {words!r} for {name}"
        again = page.get_by_role("button", name="Try again")
        assert await again.count() == (answer.status != 400), f"{path}: {words!r} for {name}"
        await page.unroute(call)
        if answer.status != 400:
            await again.click()
            await expect(again).to_have_count(0)
    await page.close()


async def test_a_failing_login_speaks_to_people(stranger: BrowserContext, site: Site) -> None:
    page = (await open_visit(stranger)).page
    call = re.compile(r"/api/v1/(sessions|accounts)$")
    for path, button in (("login", "Log in"), ("join", "Create account")):
        for name, answer in ANSWERS.items():
            await page.route(call, answer.give)
            await page.goto(f"{site.settings.public}/{path}")
            await page.get_by_label("Email").fill("somebody@example.org")
            await page.get_by_label("Password").fill("a long password")
            await page.get_by_role("button", name=button).click()
            words = await told(page)
            assert not OF_MACHINES.search(words), f"{path} shows {words!r} for {name}"
            await page.unroute(call)
    await page.goto(f"{site.settings.public}/login")
    await page.get_by_label("Email").fill("nobody@example.org")
    await page.get_by_label("Password").fill("a wrong password")
    await page.get_by_role("button", name="Log in").click()
    assert await told(page) == "The email address or the password is wrong."
    await page.close()


async def test_a_login_page_of_the_network_does_not_end_the_session(engineer: BrowserContext, site: Site) -> None:
    """The first call of a page is the refresh: its answer was parsed without a look at what it is."""
    page = (await open_visit(engineer)).page
    await page.goto(site.settings.public)
    await page.get_by_role("searchbox").wait_for()
    for status in (200, 401, 503):
        await page.evaluate("() => sessionStorage.clear()")
        await page.route("**/sessions/refresh", Answer(status, PORTAL, "text/html").give)
        await page.reload()
        words = await told(page)
        assert not OF_MACHINES.search(words), words
        await page.unroute("**/sessions/refresh")
        await page.get_by_role("button", name="Try again").click()
        await page.get_by_role("searchbox").wait_for()
    await page.close()


async def test_addresses_of_no_title_lead_home(engineer: BrowserContext, site: Site) -> None:
    page = (await open_visit(engineer)).page
    for path in ("title/m_of_nothing", "watch/m_of_nothing", f"title/m_{'0' * 20}", f"watch/m_{'0' * 20}"):
        await page.goto(f"{site.settings.public}/{path}")
        words = await told(page)
        assert not OF_MACHINES.search(words), f"{path} shows {words!r}"
        assert not await page.get_by_role("button", name="Try again").count(), f"{path} offers to try again"
        await page.get_by_role("link", name="Go home").click()
        await page.get_by_test_id("title-card").first.wait_for()
    await page.close()


async def test_a_page_whose_code_does_not_load_says_so(engineer: BrowserContext, site: Site) -> None:
    page = (await open_visit(engineer)).page
    broken = re.compile(r"/assets/(UploadPage|WatchPage)-[^/]*\.js$")

    async def missing(route: Route) -> None:
        await route.fulfill(status=404, body="nothing", content_type="text/plain")

    for path in ("upload", f"watch/{site.movie_id}"):
        await page.route(broken, missing)
        await page.goto(f"{site.settings.public}/{path}")
        words = await told(page)
        assert not OF_MACHINES.search(words), f"{path} shows {words!r}"
        await page.unroute(broken)
        await page.get_by_role("button", name="Try again").click()
        await page.locator("h1").first.wait_for()
    await page.close()
