"""A page opened in the browser, with its requests and its reported errors recorded."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page, Request, Response

from marquee.demo.browser import ACTION_MS, errors_of
from marquee.platform.project import PROJECT

AXE: Final = PROJECT / "web" / "node_modules" / "axe-core" / "axe.min.js"
"""Of the version in the web client's lock; there after `make web`."""


@dataclass
class Visit:
    page: Page
    errors: list[str]
    """Exceptions of its scripts, and what its Content-Security-Policy refused."""
    requests: list[str] = field(default_factory=list)
    """The URL of every request, also of those that failed or were refused."""
    document: Response | None = None
    """The answer that the page itself came with."""

    def origins(self) -> set[str]:
        """Origins of the page's requests, as scheme://host:port. `data:` and `blob:` URLs are left out."""
        parts = [urlsplit(url) for url in self.requests]
        return {f"{each.scheme}://{each.netloc}" for each in parts if each.scheme not in ("data", "blob")}


async def open_visit(context: BrowserContext) -> Visit:
    """Open an empty tab whose requests are recorded from the first one."""
    page = await context.new_page()
    page.set_default_timeout(ACTION_MS)
    visit = Visit(page, errors_of(page))

    def requested(request: Request) -> None:
        visit.requests.append(request.url)

    page.on("request", requested)
    page.on("websocket", lambda socket: visit.requests.append(socket.url))
    return visit


async def accessibility_violations(page: Page) -> list[str]:
    """The violations that axe-core finds on the current page: rule, impact, and the first elements concerned."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: {[node['html'] for node in each['nodes'][:3]]}"
        for each in found
    ]


async def keep_screenshot(page: Page, name: str) -> None:
    """Keep a screenshot for people to look at, in the folder of MARQUEE_TEST_SCREENSHOTS, if it is set."""
    if folder := os.environ.get("MARQUEE_TEST_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")
