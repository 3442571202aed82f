"""Every page, in Chromium: it asks only this platform's own addresses, and its policy lets it do nothing else."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Literal

import pytest
from playwright.async_api import BrowserContext

from tests.harness.browsing import Visit, open_visit
from tests.web.conftest import TITLE, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]


@dataclass(frozen=True)
class PageOf:
    """A page of the platform, by whom it is opened, and an element that is there once everything is loaded."""

    path: str
    shown: str
    visitor: Literal["stranger", "engineer"] = "engineer"


PAGES: Final = {
    "login": PageOf("/login", "role=button[name='Log in']", "stranger"),
    "join": PageOf("/join", "role=button[name='Create account']", "stranger"),
    "home": PageOf("/", "css=[data-testid=title-card] img"),
    "search": PageOf("/search?q=lighthouse", f"role=link[name=/{TITLE}/]"),
    "title": PageOf("/title/{movie_id}", "role=button[name='Play']"),
    "watch": PageOf("/watch/{movie_id}", "css=[data-testid=time]"),
    "history": PageOf("/history", "role=heading[level=1]"),
    "account": PageOf("/account", "role=heading[level=1]"),
    "upload": PageOf("/upload", "role=heading[level=1]"),
    "an address of nothing": PageOf("/nowhere", "role=heading[level=1]"),
    "schema documentation": PageOf("/schema/scalar", "role=heading[name='Marquee'][level=1]", "stranger"),
    "schema document": PageOf("/schema/openapi.json", "css=pre", "stranger"),
    "an address of no schema": PageOf("/schema/nowhere", "role=heading[level=1]", "stranger"),
}

@pytest.fixture(scope="module", params=PAGES, ids=lambda name: name.replace(" ", "-"))
async def visit(
    request: pytest.FixtureRequest, site: Site, stranger: BrowserContext, engineer: BrowserContext
) -> AsyncIterator[Visit]:
    """One visit a page, which all tests of it look at."""
    page = PAGES[request.param]
    visit = await open_visit(engineer if page.visitor == "engineer" else stranger)
    visit.document = await visit.page.goto(site.settings.public + page.path.format(movie_id=site.movie_id))
    await visit.page.locator(page.shown).first.wait_for()
    await visit.page.wait_for_load_state("networkidle")
    yield visit
    await visit.page.close()


def test_it_asks_only_the_platforms_own_addresses(visit: Visit, site: Site) -> None:
    own = {site.settings.public, *site.settings.edges, site.settings.public_s3}
    assert visit.origins() <= own, f"{visit.page.url} asks other hosts: {sorted(visit.origins() - own)}"
    assert not visit.errors, f"{visit.page.url} reports errors: {visit.errors[:5]}"


async def test_its_policy_lets_in_no_foreign_and_no_inline_script(visit: Visit, site: Site) -> None:
    assert visit.document is not None
    headers = await visit.document.all_headers()
    rules = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    unsafe = {name: sources for name, sources in rules.items() if "unsafe" in sources}
    assert unsafe in ({}, {"style-src-attr": "'unsafe-inline'"})
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules.get("script-src", "'self'") == "'self'", "a script comes from a file of this origin or not at all"
    hosts = {source for sources in rules.values() for source in sources.split() if "://" in source}
    own = {site.settings.public, *site.settings.edges, site.settings.public_s3}
    assert hosts <= {name for each in own for name in (each, each.replace("127.0.0.1", "localhost"))}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"


async def test_the_watched_film_plays(engineer: BrowserContext, site: Site) -> None:
    """Else the page of the player could be silent because nothing was loaded."""
    visit = await open_visit(engineer)
    await visit.page.goto(f"{site.settings.public}/watch/{site.movie_id}?from=start")
    await visit.page.wait_for_function("() => (document.querySelector('video')?.currentTime ?? 0) > 0.5")
    assert {url.rsplit(".", 1)[-1] for url in visit.requests} >= {"m3u8", "m4s"}
    assert visit.origins() & set(site.settings.edges), "the film did not come from an edge"
    await visit.page.close()


async def test_a_request_to_another_host_is_noticed(stranger: BrowserContext, site: Site) -> None:
    """The tests above can fail: a page without a policy that asks another host, and a page whose policy refuses that."""
    visit = await open_visit(stranger)
    ask = "() => fetch('http://elsewhere.invalid/script.js').catch(() => null)"
    await visit.page.evaluate(ask)
    assert visit.origins() == {"http://elsewhere.invalid"}
    await visit.page.goto(f"{site.settings.public}/login")
    await visit.page.evaluate(ask)
    assert any("elsewhere.invalid" in error for error in visit.errors)
    await visit.page.close()
