"""Every page in Chromium: it requests only this platform's addresses, and its policy allows nothing else."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, FilePayload, Page

from tests.harness.browsing import Visit, accessibility_violations, open_visit
from tests.web.conftest import NOTES, TITLE, Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]


@dataclass(frozen=True)
class Opening:
    """How a page is opened, and an element that exists once everything is loaded."""

    path: str
    shown: str
    visitor: Literal["stranger", "engineer"] = "engineer"
    width: int = 1280
    color_scheme: Literal["light", "dark"] = "light"
    then: Callable[[Page], Awaitable[None]] | None = None
    """What the visitor does next."""


async def open_menu(page: Page) -> None:
    await page.get_by_role("button", name="Quality and speed").click()
    await page.get_by_role("menuitemradio").first.wait_for()


async def choose_film(page: Page) -> None:
    film = FilePayload(name="lighthouse.mp4", mimeType="video/mp4", buffer=b"not sent")
    await page.get_by_label("Choose films").set_input_files(film)
    await page.get_by_test_id("upload").wait_for()


HEADING: Final = "role=heading[level=1]"
CARD: Final = "css=[data-testid=title-card] img"
SCALAR: Final = "role=heading[name='Marquee'][level=1]"
PAGES: Final = {
    "login": Opening("/login", "role=button[name='Log in']", "stranger"),
    "join": Opening("/join", "role=button[name='Create account']", "stranger"),
    "home": Opening("/", CARD),
    "home on a phone": Opening("/", CARD, width=390),
    "search": Opening("/search?q=lighthouse", f"role=link[name=/{TITLE}/]"),
    "search on a phone": Opening("/search?q=lighthouse", f"role=link[name=/{TITLE}/]", width=390),
    "title": Opening("/title/{movie_id}", "role=button[name='Play']"),
    "watch": Opening("/watch/{movie_id}", "css=[data-testid=time]"),
    "watch with a menu": Opening("/watch/{movie_id}", "css=[data-testid=time]", then=open_menu),
    "history": Opening("/history", HEADING),
    "account": Opening("/account", HEADING),
    "upload": Opening("/upload", HEADING),
    "upload of a film": Opening("/upload", HEADING, then=choose_film),
    "an address of nothing": Opening("/nowhere", HEADING),
    "schema documentation": Opening("/schema/scalar", SCALAR, "stranger"),
    "schema documentation in the dark": Opening("/schema/scalar", SCALAR, "stranger", color_scheme="dark"),
}
OTHER_ANSWERS: Final = {
    "schema document": Opening("/schema/openapi.json", "css=pre", "stranger"),
    "an address of no schema": Opening("/schema/nowhere", "css=pre", "stranger"),
}
"""What a browser shows too, though neither is a page of ours."""


def opened(names: Iterable[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("visit", names, indirect=True, ids=lambda name: name.replace(" ", "-"))


@pytest.fixture(scope="module")
async def visit(
    request: pytest.FixtureRequest, site: Site, stranger: BrowserContext, engineer: BrowserContext
) -> AsyncIterator[Visit]:
    """One visit of a page, which all tests of that page look at."""
    opening = (PAGES | OTHER_ANSWERS)[request.param]
    visit = await open_visit(engineer if opening.visitor == "engineer" else stranger)
    await visit.page.set_viewport_size({"width": opening.width, "height": 800})
    await visit.page.emulate_media(color_scheme=opening.color_scheme)
    visit.document = await visit.page.goto(site.settings.public + opening.path.format(movie_id=site.movie_id))
    await visit.page.locator(opening.shown).first.wait_for()
    await visit.page.wait_for_load_state("networkidle")
    if opening.then is not None:
        await opening.then(visit.page)
    yield visit
    await visit.page.close()


@opened([*PAGES, *OTHER_ANSWERS])
def test_it_asks_only_the_platforms_own_addresses(visit: Visit, site: Site) -> None:
    own = {site.settings.public, *site.settings.edges, site.settings.public_s3}
    assert visit.origins() <= own, f"{visit.page.url} asks other hosts: {sorted(visit.origins() - own)}"
    assert not visit.errors, f"{visit.page.url} reports errors: {visit.errors[:5]}"


@opened([*PAGES, *OTHER_ANSWERS])
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


async def test_a_page_names_the_edges_before_its_script_is_read_and_a_file_does_not(
    stranger: BrowserContext, site: Site
) -> None:
    document = await stranger.request.get(f"{site.settings.public}/login")
    named = document.headers["link"]
    assert all(f"<{edge}>; rel=preconnect" in named for edge in site.settings.edges), named
    [style] = re.findall(r'href="(/assets/[^"]+[.]css)"', await document.text())
    file = await stranger.request.get(site.settings.public + style)
    assert file.ok
    assert "link" not in file.headers


@opened(PAGES)
async def test_axe_finds_nothing_wrong_with_it(visit: Visit) -> None:
    violations = await accessibility_violations(visit.page)
    assert not violations, f"{visit.page.url}: " + "; ".join(violations)


async def test_an_engineer_sees_a_titles_notes_and_the_harmless_ones_on_request(
    engineer: BrowserContext, site: Site
) -> None:
    visit = await open_visit(engineer)
    await visit.page.goto(f"{site.settings.public}/title/{site.movie_id}")
    notes = visit.page.get_by_test_id("notes")
    for severe in NOTES[:2]:
        await notes.get_by_text(severe.sentence).wait_for()
    assert not await notes.get_by_text(NOTES[2].sentence).is_visible(), "a remark takes the place of a warning"
    await notes.get_by_text("One remark").click()
    await notes.get_by_text(NOTES[2].sentence).wait_for()
    await visit.page.close()


async def test_the_watched_film_plays(engineer: BrowserContext, site: Site) -> None:
    """Without this test the player's page could pass the others because it loaded nothing."""
    visit = await open_visit(engineer)
    await visit.page.goto(f"{site.settings.public}/watch/{site.movie_id}?from=start")
    await visit.page.wait_for_function("() => (document.querySelector('video')?.currentTime ?? 0) > 0.5")
    assert {urlsplit(url).path.rsplit(".", 1)[-1] for url in visit.requests} >= {"m3u8", "m4s"}
    assert visit.origins() & set(site.settings.edges), "the film did not come from an edge"
    await visit.page.close()


async def test_a_request_to_another_host_is_noticed(stranger: BrowserContext, site: Site) -> None:
    """Proof that the tests above can fail: one page without a policy calls another host, one page's policy refuses it."""
    visit = await open_visit(stranger)
    ask = "() => fetch('http://elsewhere.invalid/script.js').catch(() => null)"
    await visit.page.evaluate(ask)
    assert visit.origins() == {"http://elsewhere.invalid"}
    await visit.page.goto(f"{site.settings.public}/login")
    await visit.page.evaluate(ask)
    assert any("elsewhere.invalid" in error for error in visit.errors)
    await visit.page.close()


async def test_axe_notices_what_is_wrong(stranger: BrowserContext) -> None:
    """A page that a screen reader cannot describe: a picture without a text."""
    visit = await open_visit(stranger)
    await visit.page.set_content("<main><h1>A page</h1><img src='data:,'></main>")
    violations = await accessibility_violations(visit.page)
    assert any(violation.startswith("image-alt (critical)") for violation in violations), violations
    await visit.page.close()
