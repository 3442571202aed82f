"""What a viewer sees while a part of the platform does not answer: what is missing, and a button that tries again."""

import pytest
from playwright.async_api import BrowserContext, Route

from marquee.platform.supervisor.supervision import Supervisor
from tests.harness.browsing import open_visit
from tests.harness.freezing import frozen
from tests.web.conftest import TITLE, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]
RETRY = "role=button[name='Try again']"


async def test_a_missing_row_is_named_and_comes_back_by_trying_again(engineer: BrowserContext, site: Site) -> None:
    visit = await open_visit(engineer)
    page = visit.page
    await page.goto(site.settings.public)
    await page.get_by_test_id("title-card").first.wait_for()
    postgres = await Supervisor(site.settings).process("postgres")
    with frozen(postgres.pid):
        await page.reload()
        await page.get_by_text("“Continue watching” cannot be shown at the moment.").wait_for()
        assert await page.get_by_test_id("title-card").count(), "the rows that are there are not shown"
    await page.locator(RETRY).click()
    await page.get_by_text("cannot be shown at the moment").wait_for(state="detached")
    await page.close()


async def test_an_outage_never_reads_like_an_empty_platform(engineer: BrowserContext, site: Site) -> None:
    visit = await open_visit(engineer)
    page = visit.page

    async def unavailable(route: Route) -> None:
        problem = '{"title":"t","status":503,"code":"store-unavailable","detail":"The rows could not be read."}'
        headers = {"Retry-After": "2", "Content-Type": "application/problem+json"}
        await route.fulfill(status=503, headers=headers, body=problem)

    for path, heading in (
        ("home", "Nothing is on yet"),
        ("search", "Nothing found"),
        ("history", "You have not watched"),
    ):
        await page.route(f"**/api/v1/{path}?**", unavailable)
        await page.goto(
            f"{site.settings.public}/{'' if path == 'home' else path}{'?q=keeper' if path == 'search' else ''}"
        )
        await page.locator(RETRY).wait_for()
        assert not await page.get_by_text(heading).count(), f"{path} says that there is nothing"
        await page.unroute(f"**/api/v1/{path}?**")
        await page.locator(RETRY).click()
        await page.locator(RETRY).wait_for(state="detached")
    await page.goto(site.settings.public)
    await page.get_by_text(TITLE).first.wait_for()
    await page.close()
