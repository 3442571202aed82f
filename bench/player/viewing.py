"""One viewing: a new browser profile on a paced line, a click on Play, and what was seen until the time is over.

Our player is the real web client's: log in, the title's page, click. The others get a page of the bench that holds the same
stream's URL. Pages and scripts are loaded before the line is paced, unless `late` asks for the scripts after the click.
"""

import asyncio
import contextlib
import functools
import gzip
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from playwright.async_api import Browser, BrowserContext, Page

from bench.player.figures import Figures, Rung, figures, right_height
from bench.player.film import stream_of
from bench.player.profiles import Profile
from marquee.demo.browser import log_in
from marquee.platform.project import PROJECT
from marquee.settings import Settings
from tests.harness.paced_line import PacedLine, bandwidth_at

OURS: Final = "ours"
PLAYERS: Final = (OURS, "hls.js", "shaka", "dash.js")
PAGES: Final = Path(__file__).parent / "page"
SCREEN: Final = {"width": 1280, "height": 720}


class _Pages(SimpleHTTPRequestHandler):
    """The bench's pages, and below /scripts/ the packages of the web client's lock."""

    def do_GET(self) -> None:
        file = Path(self.translate_path(self.path))
        if not file.is_file():
            self.send_error(404)
            return
        body = gzip.compress(file.read_bytes())  # as the platform sends the web client's own scripts
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(file)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def translate_path(self, path: str) -> str:
        path = path.partition("?")[0]
        if path.startswith("/scripts/"):
            return str(PROJECT / "web" / "node_modules" / path.removeprefix("/scripts/"))
        return str(PAGES / path.lstrip("/"))

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def pages() -> Iterator[str]:
    """Serve the pages of other people's players; yields their address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Pages))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class Viewer:
    """Watches one film by any player, over one line."""

    def __init__(self, browser: Browser, line: PacedLine, settings: Settings, movie_id: str, pages_url: str) -> None:
        self._browser, self._line, self._settings = browser, line, settings
        self._movie_id, self._pages_url = movie_id, pages_url

    async def watch(
        self, player: str, profile: Profile, seconds: float, rungs: list[Rung], *, late: bool = False
    ) -> Figures:
        """Figures of one viewing of `seconds`, counted from the click."""
        self._line.end()
        context = await self._browser.new_context(viewport=SCREEN, proxy={"server": self._line.proxy})
        try:
            await context.add_init_script(path=PAGES / "watch.js")
            page = await (
                self._our_page(context, late=late) if player == OURS else self._their_page(context, player, late=late)
            )
            await page.evaluate("() => { window.__seen.clicked = null; }")
            self._line.begin(profile.steps, profile.rtt_seconds)
            await page.locator("[data-bench-play]").evaluate("button => button.click()")
            await asyncio.sleep(seconds)
            seen: dict[str, Any] = await page.evaluate("() => window.__seen")
            after_dip = bandwidth_at(profile.steps, profile.dip_ends or 0.0)[0]
            return figures(seen, self._line.received, seconds, profile.dip_ends, right_height(rungs, after_dip))
        finally:
            self._line.end()
            await context.close()

    async def _our_page(self, context: BrowserContext, *, late: bool) -> Page:
        page = await context.new_page()
        settings = self._settings
        await log_in(page, settings.public, settings.email, settings.password.get_secret_value())
        if late:
            # The click is a link to the player's page: everything that this page needs comes after it.
            await page.evaluate(
                """path => { const link = document.createElement("a"); link.href = path; link.textContent = "Play";
                link.dataset.benchPlay = ""; link.style = "position:fixed;top:0;z-index:9"; document.body.append(link); }""",
                f"/watch/{self._movie_id}?from=start",
            )
            return page
        await page.goto(f"{settings.public}/title/{self._movie_id}")
        await page.get_by_test_id("play").wait_for()
        await page.wait_for_load_state("networkidle")
        again = page.get_by_role("button", name="From the start")
        button = again if await again.count() else page.get_by_test_id("play")
        await button.evaluate("button => { button.dataset.benchPlay = ''; }")
        return page

    async def _their_page(self, context: BrowserContext, player: str, *, late: bool) -> Page:
        stream = await stream_of(self._settings, self._movie_id)
        url = stream["dash_url"] if player in ("shaka", "dash.js") else stream["stream_url"]
        page = await context.new_page()
        await page.goto(f"{self._pages_url}/players.html?player={player}&late={int(late)}&url={quote(url, safe='')}")
        await page.wait_for_selector("body[data-ready]", state="attached")
        await page.evaluate("() => { document.querySelector('#play').dataset.benchPlay = ''; }")
        return page
