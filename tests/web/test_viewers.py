"""What viewers do outside of the player: removing and undoing, showing a password, and what stands at the end of a film."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from marquee.demo.browser import ACTION_MS
from tests.harness.browsing import accessibility_violations, keep_screenshot
from tests.web.conftest import TITLE, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]
NEXT_TITLE: Final = "The Night Watch"
NEXT: Final = "m_00000000000000000000"


@pytest.fixture
async def page(engineer: BrowserContext) -> AsyncIterator[Page]:
    page = await engineer.new_page()
    page.set_default_timeout(ACTION_MS)
    yield page
    await page.close()


async def _no_violations(page: Page) -> None:
    violations = await accessibility_violations(page)
    assert not violations, "; ".join(violations)


async def _watch_some(page: Page, site: Site) -> None:
    """Play the film for a moment and pause, which sends the position."""
    await page.goto(f"{site.settings.public}/watch/{site.movie_id}?from=start")
    await page.wait_for_function("() => (document.querySelector('video')?.currentTime ?? 0) > 1", timeout=60_000)
    async with page.expect_response(lambda answer: answer.url.endswith("/stream/progress")):
        await page.locator("video").evaluate("video => video.pause()")


async def test_a_title_leaves_continue_watching_and_an_undo_brings_it_back(page: Page, site: Site) -> None:
    await _watch_some(page, site)
    await page.goto(site.settings.public)
    row = page.get_by_test_id("row-continue-watching")
    card = row.get_by_role("link", name=re.compile(TITLE))
    await card.wait_for()
    remove = row.get_by_role("button", name=f"Remove {TITLE} from Continue watching")
    await remove.focus()
    await _no_violations(page)
    await page.keyboard.press("Enter")
    await card.wait_for(state="detached")
    message = page.get_by_role("status").filter(has_text="was removed from Continue watching")
    await message.wait_for()
    await _no_violations(page)
    await keep_screenshot(page, "removed")
    await message.get_by_role("button", name="Undo").click()
    await card.wait_for()
    await page.reload()
    await card.wait_for()

    async with page.expect_response(lambda answer: "/rows/continue-watching/" in answer.url):
        await remove.click(force=True)
    await card.wait_for(state="detached")
    await page.reload()
    await page.get_by_test_id("title-card").first.wait_for()
    assert await card.count() == 0, "a removed title is there again after a reload"
    await page.goto(f"{site.settings.public}/history")
    await page.get_by_role("link", name=re.compile(TITLE)).wait_for()


async def test_a_removal_that_fails_puts_the_card_back_and_says_why(page: Page, site: Site) -> None:
    await _watch_some(page, site)
    await page.route("**/api/v1/history/m_*", lambda route: route.abort())
    await page.goto(f"{site.settings.public}/history")
    await page.get_by_role("button", name=f"Remove {TITLE} from the history").click(force=True)
    await page.get_by_role("status").filter(has_text="is still there").wait_for()
    await page.get_by_role("link", name=re.compile(TITLE)).wait_for()


async def test_a_title_leaves_the_history_and_the_whole_history_is_cleared_after_a_question(
    page: Page, site: Site
) -> None:
    await _watch_some(page, site)
    await page.goto(f"{site.settings.public}/history")
    card = page.get_by_role("link", name=re.compile(TITLE))
    remove = page.get_by_role("button", name=f"Remove {TITLE} from the history")
    await remove.click(force=True)
    await card.wait_for(state="detached")
    await page.get_by_role("button", name="Undo").click()
    await card.wait_for()
    await page.get_by_role("button", name="Clear history").click()
    dialog = page.get_by_role("dialog", name="Clear the whole history?")
    await expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    await _no_violations(page)
    await keep_screenshot(page, "clear-history")
    await page.keyboard.press("Escape")
    await dialog.wait_for(state="detached")
    await card.wait_for()
    await page.get_by_role("button", name="Clear history").click()
    await dialog.get_by_role("button", name="Clear everything").click()
    await page.get_by_text("You have not watched anything yet").wait_for()
    await page.goto(site.settings.public)
    await page.get_by_test_id("title-card").first.wait_for()
    assert await page.get_by_test_id("row-continue-watching").count() == 0


async def test_a_title_page_says_what_it_offers(page: Page, site: Site) -> None:
    await page.goto(f"{site.settings.public}/title/{site.movie_id}")
    offers = {name: page.get_by_test_id(f"offers-{name}") for name in ("picture", "audio", "subtitles")}
    await expect(offers["picture"]).to_contain_text("Up to 720p")
    for words in ("English, stereo", "English (commentary), stereo", "French, 5.1 surround"):
        await expect(offers["audio"]).to_contain_text(words)
    for words in ("English (SDH)", "German (forced)"):
        await expect(offers["subtitles"]).to_contain_text(words)
    await expect(page.locator(".facts")).to_contain_text("Added today")
    await expect(page.locator(".facts")).to_contain_text("12 s")
    await keep_screenshot(page, "title-offers")


@pytest.mark.parametrize("where", ["/login", "/join"])
async def test_a_password_can_be_shown_and_is_hidden_when_it_is_sent(
    site: Site, stranger: BrowserContext, where: str
) -> None:
    page = await stranger.new_page()
    page.set_default_timeout(ACTION_MS)
    try:
        await page.goto(site.settings.public + where)
        field = page.get_by_label("Password")
        await field.fill("a secret phrase")
        complete = await field.get_attribute("autocomplete")
        button = page.get_by_role("button", name="Show characters")
        assert await button.get_attribute("aria-pressed") == "false"
        assert await field.get_attribute("type") == "password"
        await button.click()
        assert await field.get_attribute("type") == "text"
        assert await button.get_attribute("aria-pressed") == "true"
        assert await field.get_attribute("autocomplete") == complete in {"current-password", "new-password"}
        assert await field.input_value() == "a secret phrase"
        await _no_violations(page)
        await page.get_by_label("Email").fill("nobody@example.org")
        held: list[Route] = []

        async def hold(route: Route) -> None:
            held.append(route)
            await route.fulfill(status=503, content_type="application/problem+json", body="{}")

        await page.route("**/api/v1/sessions", hold)
        await page.route("**/api/v1/accounts", hold)
        await page.locator("form button[type=submit]").click()
        await expect(field).to_have_attribute("type", "password")
        kept = await page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])")
        assert "secret phrase" not in kept
    finally:
        await page.close()


async def _to_the_end(page: Page, site: Site, *, rows: list[dict[str, Any]]) -> None:
    """Open the film from home's first shared row, with made rows behind it, and play its last second."""

    async def row(route: Route) -> None:
        body = {"id": "new-releases", "title": "New releases", "items": rows, "next_cursor": None}
        await route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    await page.route("**/api/v1/rows/*", row)
    await page.goto(site.settings.public)
    await page.get_by_test_id("row-new-releases").get_by_role("link", name=re.compile(TITLE)).click()
    await page.get_by_test_id("play").click()
    await page.wait_for_function("() => (document.querySelector('video')?.currentTime ?? 0) > 0.2", timeout=60_000)
    assert await page.evaluate("() => history.state.row") == "new-releases"
    await page.locator("video").evaluate("video => { video.currentTime = video.duration - 0.5; void video.play(); }")
    await page.get_by_test_id("ending").wait_for(timeout=60_000)


def _card(movie_id: str, title: str) -> dict[str, Any]:
    return {"movie_id": movie_id, "title": title, "duration_seconds": 150}


async def test_the_next_title_of_the_row_begins_after_a_count_down_that_can_be_stopped(page: Page, site: Site) -> None:
    await _to_the_end(page, site, rows=[_card(site.movie_id, TITLE), _card(NEXT, NEXT_TITLE)])
    upcoming = page.get_by_test_id("up-next")
    await upcoming.get_by_role("heading", name=NEXT_TITLE).wait_for()
    await expect(upcoming).to_contain_text("2 min 30 s")
    await expect(page.get_by_test_id("count-down")).to_be_visible()
    await _no_violations(page)
    for width in (390, 1440):
        await page.set_viewport_size({"width": width, "height": 844})
        await keep_screenshot(page, f"ending-{width}")
    await upcoming.get_by_role("button", name="Stop").click()
    await expect(page.get_by_test_id("count-down")).to_have_count(0)
    switch = page.get_by_role("switch", name=re.compile("Play the next film by itself"))
    await expect(switch).to_have_attribute("aria-checked", "true")
    await switch.click()
    await expect(switch).to_have_attribute("aria-checked", "false")
    await page.get_by_role("button", name="Watch again").click()
    await page.get_by_test_id("ending").wait_for(state="detached")
    await page.wait_for_function("() => !document.querySelector('video').paused")
    await page.locator("video").evaluate("video => { video.currentTime = video.duration - 0.5; void video.play(); }")
    await upcoming.wait_for(timeout=60_000)
    assert await page.get_by_test_id("count-down").count() == 0, "the device's wish was forgotten"
    await page.evaluate("() => localStorage.removeItem('marquee.play-next')")
    await upcoming.get_by_role("button", name="Play next", exact=True).click()
    await page.wait_for_url(f"**/watch/{NEXT}")
    assert await page.evaluate("() => [history.state.row, history.state.index]") == ["new-releases", 1]


async def test_the_count_down_leads_on_by_itself(page: Page, site: Site) -> None:
    await _to_the_end(page, site, rows=[_card(site.movie_id, TITLE), _card(NEXT, NEXT_TITLE)])
    await page.wait_for_url(f"**/watch/{NEXT}", timeout=60_000)


async def test_with_reduced_motion_nothing_begins_by_itself_and_back_leads_back(page: Page, site: Site) -> None:
    await page.emulate_media(reduced_motion="reduce")
    await _to_the_end(page, site, rows=[_card(site.movie_id, TITLE), _card(NEXT, NEXT_TITLE)])
    await page.get_by_test_id("up-next").wait_for()
    assert await page.get_by_test_id("count-down").count() == 0
    await page.get_by_role("button", name="Go back").click()
    await page.wait_for_url(f"**/title/{site.movie_id}")


async def test_a_row_with_nothing_else_leaves_replay_and_back(page: Page, site: Site) -> None:
    await _to_the_end(page, site, rows=[_card(site.movie_id, TITLE)])
    await page.get_by_role("button", name="Watch again").wait_for()
    assert await page.get_by_test_id("up-next").count() == 0
