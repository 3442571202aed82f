"""A viewer deletes a profile, then the account, each after a question; nobody can log in to it afterwards."""

import asyncio
import secrets

import httpx
import pytest
from playwright.async_api import Browser, expect

from marquee.demo.browser import log_in
from tests.harness.browsing import accessibility_violations, keep_screenshot
from tests.web.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]
PATIENT_MS = 30_000


async def _posted(app: httpx.AsyncClient, path: str, body: dict[str, object]) -> httpx.Response:
    """The answer, once the platform has time for a password's hash."""
    for _ in range(60):
        answer = await app.post(path, json=body)
        if answer.status_code != 429:
            break
        await asyncio.sleep(float(answer.headers["retry-after"]))
    return answer


@pytest.mark.timeout(300)
async def test_a_profile_and_then_the_account_are_deleted(browser: Browser, site: Site) -> None:
    public, email, password = site.settings.public, f"{secrets.token_hex(6)}@example.org", secrets.token_hex(8)
    async with httpx.AsyncClient(base_url=public) as app:
        body: dict[str, object] = {"email": email, "password": password, "profiles": ["Anna", "Ben"]}
        assert (await _posted(app, "/api/v1/accounts", body)).status_code == 201
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        try:
            page = await context.new_page()
            page.set_default_timeout(PATIENT_MS)
            await log_in(page, public, email, password)
            await page.set_viewport_size({"width": 390, "height": 844})
            await page.goto(f"{public}/account")
            await page.get_by_role("button", name="Delete the profile Ben").wait_for()
            assert await page.get_by_role("button", name="Delete the profile Anna").count() == 0, "the watching one"
            assert not await accessibility_violations(page)
            await keep_screenshot(page, "account-deletion-390")
            delete_ben = page.get_by_role("button", name="Delete the profile Ben")
            await delete_ben.click()
            dialog = page.get_by_role("dialog", name="Delete the profile Ben?")
            assert not await accessibility_violations(page), "with the question"
            await page.keyboard.press("Escape")
            await dialog.wait_for(state="detached")
            await expect(delete_ben).to_be_focused()
            await delete_ben.click()
            await dialog.get_by_role("button", name="Delete the profile").click()
            await delete_ben.wait_for(state="detached")
            assert await page.get_by_role("dialog").count() == 0, "the question stays open"
            await page.set_viewport_size({"width": 1440, "height": 900})
            await keep_screenshot(page, "account-deletion-1440")

            secret = page.get_by_label("Your password", exact=True)
            button = page.get_by_role("button", name="Delete account")
            sure = page.get_by_role("dialog", name="Delete this account?").get_by_role(
                "button", name="Delete the account"
            )
            await secret.fill("not the password")
            await button.click()
            await sure.click()
            await expect(secret).to_have_attribute("aria-invalid", "true")
            await page.get_by_role("alert").wait_for()
            await secret.fill(password)
            await button.click()
            await sure.click()
            await page.get_by_role("button", name="Log in").wait_for()
        finally:
            await context.close()
        refused = await _posted(app, "/api/v1/sessions", {"email": email, "password": password})
        assert refused.status_code == 401, "the account is still there"
