"""What is shown stays where it is while the rest arrives: the cumulative layout shift of each page is at most 0.05.

Answers, and then pictures, are held back until what stands in their place has been painted, as on a slow line.
"""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import BrowserContext, Page

from marquee.platform.project import PROJECT
from tests.harness.browsing import open_visit
from tests.harness.web.made_site import Answers, answer_pages
from tests.web.conftest import Site
from tests.web.screens import SCREENS, Screen

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

ALLOWED: Final = 0.05
"""web.dev calls 0.1 good."""
SHIFTS: Final = (PROJECT / "tests" / "harness" / "web" / "shifts.js").read_text()
SIZES: Final = {"phone": (390, 844), "desktop": (1440, 900)}
STAND: Final = [
    "login",
    "join",
    "home, nothing",
    "home, few",
    "home, many",
    "home, rows missing",
    "search, few",
    "search, many",
    "title, few",
    "title, many",
    "title, failed",
    "watch",
    "history, nothing",
    "history, many",
    "account",
    "account, many",
    "upload",
]
_PAINTED: Final = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_PICTURES: Final = """() => [...document.images].every((image) => image.complete || image.loading === "lazy"
  && (image.getBoundingClientRect().top > innerHeight || image.getBoundingClientRect().left > innerWidth))"""


async def shift_of(
    page: Page, screen: Screen, size: tuple[int, int], public: str, answers: Answers
) -> tuple[float, list[str]]:
    """The cumulative layout shift of one visit, and what moved."""
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.add_init_script(SHIFTS)
    await answer_pages(page, answers)
    await page.goto(public + screen.path)
    await page.locator("#app > *").first.wait_for(state="attached")
    await page.evaluate(_PAINTED)
    answers.answering.set()
    await page.locator(screen.shown).first.wait_for(state="attached")
    await page.evaluate(_PAINTED)
    answers.showing.set()
    await page.wait_for_function(_PICTURES)
    await page.wait_for_load_state("networkidle")
    await page.evaluate(_PAINTED)
    found = await page.evaluate("() => globalThis.layoutShifts")
    return float(found["worst"]), list(found["moved"])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", STAND, ids=lambda name: name.replace(", ", "-").replace(" ", "-"))
async def test_nothing_moves_while_a_page_fills(
    name: str, size: str, site: Site, made_stream: Path, stranger: BrowserContext, engineer: BrowserContext
) -> None:
    screen = SCREENS[name]
    visit = await open_visit(engineer if screen.visitor == "engineer" else stranger)
    answers = Answers(screen.amount, site.settings.edges[0], made_stream, screen.answers)
    shift, moved = await shift_of(visit.page, screen, SIZES[size], site.settings.public, answers)
    await visit.page.close()
    assert shift <= ALLOWED, f"{name} on a {size} shifts by {shift:.3f}: " + "\n    ".join(moved[:12])


async def test_a_shift_is_noticed(stranger: BrowserContext, site: Site) -> None:
    """Proof that the test above can fail: a page whose upper half appears after its lower half."""
    visit = await open_visit(stranger)
    await visit.page.add_init_script(SHIFTS)
    await visit.page.goto(f"{site.settings.public}/login")
    await visit.page.locator("form").wait_for()
    await visit.page.evaluate(_PAINTED)
    await visit.page.evaluate("() => { document.querySelector('form').style.marginTop = '40vh' }")
    await visit.page.wait_for_function("() => layoutShifts.worst > 0.05")
    await visit.page.close()
