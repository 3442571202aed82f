"""The engineers' page of figures in Chromium, on real servers: pictures, tables, sources, CSV, and no figures yet."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.harness.browsing import accessibility_violations, keep_screenshot, open_visit
from tests.harness.marts import build_marts
from tests.web.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

TODAY = datetime.now(UTC).date()
MARTS = {
    "title_performance": [
        (f"m_{n}", f"Film {n}", TODAY, TODAY, 90 - n, 80, 40, 0.5, 300.0 / (n + 1), 9.0, 7.5, 1.9, 0.004, n)
        for n in range(12)
    ]
    + [("m_odd", "=HYPERLINK(1)", TODAY, TODAY, 1, 1, 0, None, 0.5, 0.5, 0.0, None, None, 0)],
    "quality_of_experience_daily": [
        (TODAY - timedelta(days=n), "all", "", 900, 880, 0.02, 0.01, 0.005, 0.7, 2.0 + n % 5, 0.003, 2800.0, 400.0)
        for n in range(28)
        if n != 9
    ],
    "failures_daily": [(TODAY, "media-decode", 5, 2), (TODAY, "network", 1, 9)],
    "search_quality": [(TODAY, "xyzzy", 7, 7, 0, None), (TODAY, "leo", 50, 0, 40, 1.2)],
    "retention_weekly": [
        (TODAY - timedelta(days=28), week, 100, 100 - 15 * week, 1 - 0.15 * week) for week in range(4)
    ],
    "encoding_cost": [("m_1", "Film 1", 1, 12.5, 4 * 10**9, 10**9)],
}


@pytest.fixture
async def page(engineer: BrowserContext, site: Site) -> AsyncIterator[Page]:
    visit = await open_visit(engineer)
    yield visit.page
    await visit.page.close()
    with psycopg.connect(site.settings.database) as connection:
        connection.execute("DROP SCHEMA IF EXISTS marts CASCADE")
    assert not visit.errors, f"the page reports errors: {visit.errors[:5]}"


async def test_a_platform_without_figures_says_what_to_do_and_shows_them_once_they_are_there(
    page: Page, site: Site
) -> None:
    await page.goto(f"{site.settings.public}/studio")
    await page.get_by_role("main").get_by_role("link", name="Analytics", exact=True).click()
    await page.get_by_role("heading", name="No viewer data yet").wait_for()
    assert not await accessibility_violations(page)
    await keep_screenshot(page, "analytics-nothing")
    build_marts(site.settings.database, MARTS, built_days_ago=3)
    await page.get_by_role("button", name="Look again").click()
    performance = page.get_by_test_id("report-performance")
    await expect(performance.get_by_text("built 3 days ago")).to_be_visible()
    await expect(performance.get_by_text("marts.title_performance")).to_be_visible()
    await expect(performance.get_by_role("listitem")).to_have_count(10)
    quality = page.get_by_test_id("report-quality")
    picture = quality.get_by_role("img", name="Startup time")
    assert "at most 6 s" in str(await picture.get_attribute("aria-label")), "the picture is told in words"
    await expect(page.get_by_test_id("report-failures").get_by_text("1 at start, 9 while playing")).to_be_visible()
    await expect(page.get_by_test_id("report-searches").get_by_text("7 of 7")).to_be_visible()
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 900})
        wide = await page.evaluate("() => document.scrollingElement.scrollWidth")
        assert wide <= width, f"the page is {wide} px wide on a screen of {width} px"
        await keep_screenshot(page, f"analytics-{width}")
        assert not await accessibility_violations(page), f"at {width} px"
    # By the keyboard alone: the table opens, and it scrolls.
    await performance.get_by_text("Figures of Title performance").focus()
    await page.keyboard.press("Enter")
    await expect(performance.get_by_role("row")).to_have_count(14)
    await page.keyboard.press("Tab")
    await expect(performance.get_by_role("region", name="Figures of Title performance")).to_be_focused()
    assert not await accessibility_violations(page), "with an open table"
    await page.get_by_label("Range").select_option("7")
    await page.wait_for_url("**/analytics?days=7")
    await quality.get_by_text("Figures of Quality of experience").click()
    await expect(quality.get_by_role("row")).to_have_count(8)


async def test_a_report_is_saved_as_csv_and_runs_nothing(page: Page, site: Site) -> None:
    build_marts(site.settings.database, MARTS)
    await page.goto(f"{site.settings.public}/analytics")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="CSV of Title performance").click()
    saved = await download.value
    assert saved.suggested_filename == f"marquee-performance-{TODAY}.csv"
    lines = Path(await saved.path()).read_text().splitlines()
    assert len(lines) == 14
    assert [line.split(",")[1] for line in lines if line.startswith("m_odd")] == ["'=HYPERLINK(1)"]


async def test_a_report_that_fails_is_told_beside_the_others(page: Page, site: Site) -> None:
    build_marts(site.settings.database, MARTS)
    await page.route("**/api/v1/analytics/quality?*", lambda route: route.fulfill(status=503, body="down"))
    await page.goto(f"{site.settings.public}/analytics?days=90")
    quality = page.get_by_test_id("report-quality")
    await quality.get_by_role("alert").wait_for()
    await expect(page.get_by_test_id("report-failures").get_by_role("listitem")).to_have_count(2)
    await keep_screenshot(page, "analytics-one-down")
    await page.unroute_all()
    await quality.get_by_role("button", name="Try again").click()
    await quality.get_by_role("img", name="Rebuffer ratio").wait_for()
