"""The web client's session in Chromium: its cookie, several tabs, the list of devices, and the token that 0.1.0 kept."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from marquee.demo.browser import log_in
from tests.web.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

STORED = "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
FORGET_ACCESS = "() => sessionStorage.clear()"


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context()
    yield opened
    await opened.close()


@pytest.fixture
async def page(context: BrowserContext, site: Site) -> Page:
    page = await context.new_page()
    await log_in(page, site.settings.public, site.settings.email, site.settings.password.get_secret_value())
    return page


async def refresh_token(context: BrowserContext, site: Site) -> str:
    """The refresh token, which only the browser sees; its cookie's attributes are checked."""
    name = f"marquee_refresh_{site.settings.port('gateway')}"
    cookie = next(
        each
        for each in await context.cookies(f"{site.settings.public}/api/v1/sessions/refresh")
        if each["name"] == name
    )
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/api/v1/sessions")
    return cookie["value"]


async def test_no_script_sees_the_refresh_token(page: Page, context: BrowserContext, site: Site) -> None:
    token = await refresh_token(context, site)
    assert len(token) >= 40
    assert token not in await page.evaluate(STORED)
    await page.evaluate(FORGET_ACCESS)
    await page.reload()
    await page.get_by_role("searchbox").wait_for()
    assert await refresh_token(context, site) != token, "the reload did not refresh the session"


async def test_tabs_that_start_at_once_share_the_session(page: Page, context: BrowserContext, site: Site) -> None:
    tabs = [await context.new_page() for _ in range(4)]
    await asyncio.gather(*(tab.goto(site.settings.public) for tab in tabs))
    await asyncio.gather(*(tab.get_by_role("searchbox").wait_for() for tab in tabs))
    await page.evaluate(FORGET_ACCESS)
    await page.reload()
    await page.get_by_role("searchbox").wait_for()


async def test_the_token_of_an_older_web_client_moves_into_the_cookie(context: BrowserContext, site: Site) -> None:
    body = {"email": site.settings.email, "password": site.settings.password.get_secret_value()}
    async with httpx.AsyncClient() as app:
        session = (await app.post(f"{site.settings.public}/api/v1/sessions", json=body)).json()
    page = await context.new_page()
    await page.goto(f"{site.settings.public}/login")
    await page.evaluate("token => localStorage.setItem('marquee.refresh', token)", session["refresh_token"])
    await page.goto(site.settings.public)
    await page.get_by_role("searchbox").wait_for()
    assert "marquee.refresh" not in await page.evaluate(STORED)
    assert await refresh_token(context, site) != session["refresh_token"]


async def test_the_account_page_ends_the_session_of_another_device(page: Page, site: Site) -> None:
    body = {"email": site.settings.email, "password": site.settings.password.get_secret_value()}
    async with httpx.AsyncClient() as app:
        television = await app.post(
            f"{site.settings.public}/api/v1/sessions", json={**body, "device_name": "The television"}
        )
        await page.goto(f"{site.settings.public}/account")
        listed = page.get_by_test_id("session")
        await expect(listed.filter(has_text="this device")).to_contain_text("Chrome")
        await page.get_by_role("button", name="Log out The television").click()
        await expect(listed.filter(has_text="The television")).to_have_count(0)
        refused = await app.post(
            f"{site.settings.public}/api/v1/sessions/refresh",
            json={"refresh_token": television.json()["refresh_token"]},
        )
    assert refused.status_code == 401, "the session goes on"


async def test_logging_out_removes_the_cookie_and_ends_the_session(
    page: Page, context: BrowserContext, site: Site
) -> None:
    token = await refresh_token(context, site)
    await page.goto(f"{site.settings.public}/account")
    await page.get_by_role("button", name="Log out", exact=True).click()
    await page.get_by_role("button", name="Log in").wait_for()
    left = {each.get("name", "") for each in await context.cookies(f"{site.settings.public}/api/v1/sessions")}
    assert not any(name.startswith("marquee_refresh") for name in left), f"the browser keeps the session: {left}"
    assert any(name.startswith("marquee_device") for name in left), "the browser is not known at its next login"
    async with httpx.AsyncClient() as app:
        refused = await app.post(f"{site.settings.public}/api/v1/sessions/refresh", json={"refresh_token": token})
    assert refused.status_code == 401
