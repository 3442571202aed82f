"""A platform with one film, and a browser with two visitors: one logged in as an engineer, one not logged in."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext

from marquee.demo.browser import log_in, open_browser
from marquee.demo.report import CheckSkipped
from marquee.notes import note
from marquee.platform.project import WEB_CLIENT
from marquee.platform.supervisor.supervision import start, stop
from marquee.settings import Settings
from marquee.stores.opened import open_stores
from tests.harness.browsing import Visit, open_visit
from tests.harness.film_of_choices import SECONDS, encode_film_of_choices
from tests.harness.published_film import publish_film
from tests.harness.servers import make_test_settings
from tests.harness.web.made_stream import make_stream
from tests.harness.web.watching import RECORDS_SESSION, STORED, watch

TITLE = "The Lighthouse Keeper"
CHOICES_TITLE = "The Lamp"
NOTES = [note("silent", why="the only sound is AC-4, which cannot be decoded"), note("file-cut-off"), note("no-sound")]
WITHOUT = (
    "transcode,search-sync,change-capture,outbox,housekeeping,edge-logs,"
    "dagster-code-ingest,dagster-code-analytics,dagster-webserver,dagster-daemon"
)
"""No page asks these programs for anything."""


@dataclass(frozen=True)
class Site:
    settings: Settings
    movie_id: str
    film_of_choices: str


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Gateway, web client, API, edges and engines, each a real process."""
    if not (WEB_CLIENT / "index.html").is_file():
        pytest.skip("the web client is not built: run `make web`")
    settings = asyncio.run(start(make_test_settings(tmp_path_factory.mktemp("site"), without=WITHOUT)))
    try:
        yield asyncio.run(_publish(settings, tmp_path_factory.mktemp("films")))
    finally:
        asyncio.run(stop(settings))


async def _publish(settings: Settings, folder: Path) -> Site:
    for each in ("choices", "film"):
        await asyncio.to_thread((folder / each).mkdir)
    async with open_stores(settings, search_writer=True) as stores:
        # First, so that the newest title is the other one: the home page shows that one large.
        choices = await publish_film(
            stores, CHOICES_TITLE, folder / "choices", encode_stream=encode_film_of_choices, seconds=SECONDS
        )
        movie_id = await publish_film(stores, TITLE, folder / "film")
        await stores.catalogue.versions.set_notes(movie_id, 1, {"source": NOTES})
        return Site(settings, movie_id, choices)


@pytest.fixture(scope="session")
async def made_stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return await make_stream(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium for the whole session."""
    try:
        async with open_browser() as opened:
            yield opened
    except CheckSkipped as skipped:
        pytest.skip(str(skipped))


@pytest.fixture(scope="session")
async def stranger(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A visitor who is not logged in."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    await context.close()


@pytest.fixture(scope="session")
async def engineer(browser: Browser, site: Site) -> AsyncIterator[BrowserContext]:
    """A visitor who is logged in with the platform's first account, which may upload."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    visit = await open_visit(context)
    await log_in(visit.page, site.settings.public, site.settings.email, site.settings.password.get_secret_value())
    await visit.page.close()
    yield context
    await context.close()


@pytest.fixture(scope="session")
def film_of_choices(site: Site) -> str:
    """movie_id of a film with three rungs, stereo and 5.1 in two languages, and two subtitle tracks."""
    return site.film_of_choices


@pytest.fixture(scope="session")
async def viewer(browser: Browser, site: Site) -> AsyncIterator[BrowserContext]:
    """A visitor with a device of their own, because the player remembers choices on it."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.settings.public)
    page = await context.new_page()
    await log_in(page, site.settings.public, site.settings.email, site.settings.password.get_secret_value())
    await page.close()
    yield context
    await context.close()


@pytest.fixture
async def visit(viewer: BrowserContext, site: Site, film_of_choices: str) -> AsyncIterator[Visit]:
    """The film plays, on a device that remembers nothing."""
    visit = await open_visit(viewer)
    await visit.page.add_init_script(f"({RECORDS_SESSION})()")
    await visit.page.goto(f"{site.settings.public}/account")
    await visit.page.evaluate(f"localStorage.removeItem('{STORED}')")
    await watch(visit, site.settings.public, film_of_choices)
    yield visit
    assert not visit.errors, f"the player reports errors: {visit.errors[:5]}"
    await visit.page.close()
