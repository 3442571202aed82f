"""A page opened in the browser, with everything that it asked for and everything that it reported."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page, Request, Response

from marquee.demo.browser import ACTION_MS, errors_of


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
        """Where its requests went, as scheme://host:port; `data:` and `blob:` URLs go nowhere."""
        parts = [urlsplit(url) for url in self.requests]
        return {f"{each.scheme}://{each.netloc}" for each in parts if each.scheme not in ("data", "blob")}


async def open_visit(context: BrowserContext) -> Visit:
    """An empty tab that is watched from before its first request."""
    page = await context.new_page()
    page.set_default_timeout(ACTION_MS)
    visit = Visit(page, errors_of(page))

    def requested(request: Request) -> None:
        visit.requests.append(request.url)

    page.on("request", requested)
    page.on("websocket", lambda socket: visit.requests.append(socket.url))
    return visit
