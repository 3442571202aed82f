"""Every page and state at every width: nothing sticks out of the screen, nothing is covered, no text is cut off."""

from collections.abc import AsyncIterator
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

SIZES: Final = {1920: 1080, 1440: 900, 820: 1180, 390: 844, 360: 740, 320: 640}
"""Heights of the screens, by their widths. 320 is what a page of 1280 has at 400 %, and the narrowest phone."""
VIEWS: Final = ((1920, 16), (1440, 16), (1440, 32), (820, 16), (390, 16), (360, 16), (320, 16), (390, 32))
"""Width of the screen and the browser's font size, in pixels. A desktop comes first: a page that was touched stays so."""
LAYOUT: Final = (PROJECT / "tests" / "harness" / "web" / "layout.js").read_text()


@pytest.fixture
async def page(
    request: pytest.FixtureRequest, site: Site, made_stream: Path, stranger: BrowserContext, engineer: BrowserContext
) -> AsyncIterator[Page]:
    screen: Screen = SCREENS[request.param]
    visit = await open_visit(engineer if screen.visitor == "engineer" else stranger)
    await open_screen(visit.page, screen, site, made_stream)
    yield visit.page
    if screen.stored:
        await visit.page.evaluate(
            "(names) => names.forEach((name) => localStorage.removeItem(name))", list(screen.stored)
        )
    await visit.page.close()


async def open_screen(page: Page, screen: Screen, site: Site, stream: Path) -> None:
    await page.emulate_media(reduced_motion="reduce")
    await answer_pages(page, Answers(screen.amount, site.settings.edges[0], stream, screen.answers).let_go())
    if screen.stored:
        await page.add_init_script(
            f"Object.entries({screen.stored}).forEach(([name, value]) => localStorage.setItem(name, value))"
        )
    await page.goto(site.settings.public + screen.path)
    await page.locator(screen.shown).first.wait_for(state="attached")
    if screen.then is not None:
        await screen.then(page)


async def set_view(page: Page, width: int, font: int) -> None:
    """The page in a window of this width; below 1000 px it is a phone or a tablet, which widens its page to what it holds."""
    browser = await page.context.new_cdp_session(page)
    small = width < 1000
    await browser.send("Emulation.setTouchEmulationEnabled", {"enabled": small})
    metrics = {"width": width, "height": SIZES[width], "deviceScaleFactor": 1, "mobile": small}
    await browser.send("Emulation.setDeviceMetricsOverride", metrics)
    await browser.send("Page.setFontSizes", {"fontSizes": {"standard": font, "fixed": font}})
    await page.evaluate(_LAY_OUT_ANEW)


_LAY_OUT_ANEW: Final = """() => new Promise((done) => requestAnimationFrame(() => {
  // Chromium keeps some lengths of the font size before.
  document.documentElement.style.display = "none";
  document.documentElement.getBoundingClientRect();
  document.documentElement.style.display = "";
  requestAnimationFrame(done);
}))"""


async def wrong_in(page: Page, width: int, font: int) -> list[str]:
    await set_view(page, width, font)
    return list(await page.evaluate(f"(width) => {{ {LAYOUT}\n return wrongAt(width); }}", width))


@pytest.mark.parametrize("page", SCREENS, indirect=True, ids=lambda name: name.replace(", ", "-").replace(" ", "-"))
async def test_nothing_sticks_out_and_nothing_is_covered(page: Page) -> None:
    found = []
    for width, font in VIEWS:
        if wrong := await wrong_in(page, width, font):
            found.append(f"{page.url}, {width} px wide, text of {font} px: " + "\n    ".join(wrong))
    assert not found, "\n".join(found)


async def test_what_sticks_out_is_noticed(stranger: BrowserContext) -> None:
    """Proof that the test above can fail: each fault of a page that has them all is named."""
    visit = await open_visit(stranger)
    await visit.page.set_content(
        "<meta name=viewport content='width=device-width'><style>body { margin: 0 } button { position: absolute }</style>"
        "<p style='width: 2000px'>wide</p><div style='overflow: hidden; width: 3rem'>aBoxThatIsTooNarrow</div>"
        "<div style='overflow: hidden; height: 3px'>low</div>"
        "<button style='top: 20rem'>below</button><div style='position: absolute; top: 20rem; width: 9rem; height: 9rem'></div>"
        "<nav class=tabs style='position: absolute; top: 9000px'><a href=/>Home</a></nav>"
    )
    found = await wrong_in(visit.page, 390, 16)
    for fault in (
        "zoomed out",
        "p “wide”",
        "cut off by div",
        "button “below” is covered",
        "the tab a “Home”",
        "height of div",
    ):
        assert any(fault in one for one in found), f"“{fault}” is not among {found}"
    await visit.page.close()
