"""The pages as other people use them: by keyboard alone, without motion, in the system's own colours.

And whatever page was visited before: a page's style sheet stays loaded when the viewer goes on.
"""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import BrowserContext, Page

from marquee.platform.project import WEB_CLIENT
from tests.harness.browsing import open_visit
from tests.web.conftest import Site
from tests.web.screens import SCREENS
from tests.web.test_screens import open_screen

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

BY_KEYBOARD: Final = (
    "home, many",
    "title, many",
    "watch",
    "watch, ended",
    "watch, statistics",
    "history, many",
    "account, many",
    "upload, 20 films",
    "studio, all opened",
    "analytics, many",
)


def _id(name: str) -> str:
    return name.replace(", ", "-").replace(" ", "-")


REACHABLE: Final = """() => {
  window.visited = new Set();
  const over = document.querySelector('dialog[open]');
  const all = [...(over ?? document).querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')];
  window.places = all.filter(each => each.tabIndex >= 0 && !each.disabled
    && each.checkVisibility({visibilityProperty: true}) && !each.closest('[inert], [aria-hidden=true]'));
  return window.places.length;
}"""
FOCUSED: Final = """() => {
  const at = document.activeElement;
  if (at === null || at === document.body) return null;
  const before = window.visited.has(at);
  window.visited.add(at);
  return before;
}"""
MISSED: Final = """() => window.places.filter(each => !window.visited.has(each) && !(each.type === 'radio' && !each.checked))
  .map(each => each.outerHTML.slice(0, 120))"""
NO_RING: Final = """() => [...window.visited].filter(each => each.isConnected).filter(each => {
  each.focus({focusVisible: true});
  const ringed = [each, each.parentElement, each.closest('label')].some(one => {
    const style = one && getComputedStyle(one);
    return style && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  });
  return document.activeElement === each && !ringed;
}).map(each => each.outerHTML.slice(0, 120))"""


@pytest.fixture
async def page(
    request: pytest.FixtureRequest, site: Site, made_stream: Path, stranger: BrowserContext, engineer: BrowserContext
) -> Page:
    screen = SCREENS[request.param]
    visit = await open_visit(engineer if screen.visitor == "engineer" else stranger)
    await visit.page.set_viewport_size({"width": 1440, "height": 900})
    await open_screen(visit.page, screen, site, made_stream)
    return visit.page


@pytest.mark.parametrize("page", BY_KEYBOARD, indirect=True, ids=_id)
async def test_tab_reaches_everything_and_is_held_nowhere(page: Page) -> None:
    await page.evaluate("document.activeElement?.blur()")
    count = await page.evaluate(REACHABLE)
    for _ in range(2 * count + 20):
        await page.keyboard.press("Tab")
        if await page.evaluate(FOCUSED) is not False and not await page.evaluate(MISSED):
            break
    missed = await page.evaluate(MISSED)
    assert not missed, f"{len(missed)} of {count} are not reached by Tab: {missed[:5]}"
    bare = await page.evaluate(NO_RING)
    assert not bare, f"the focus cannot be seen on {bare[:5]}"
    await page.close()


LEAKS: Final = """async files => {
  const look = each => {
    const {x, y, width, height} = each.getBoundingClientRect();
    const {color, backgroundColor, font} = getComputedStyle(each);
    return [...[x, y, width, height].map(Math.round), color, backgroundColor, font].join(' ');
  };
  for (const shelf of document.querySelectorAll('.shelf')) shelf.style.contentVisibility = 'visible';
  // Pictures and the rows' own measuring come first.
  for (const picture of document.images) picture.loading = 'eager';
  await Promise.all([...document.images].map(picture => picture.decode().catch(() => 0)));
  await new Promise(done => requestIdleCallback(() => requestAnimationFrame(() => requestAnimationFrame(done))));
  const before = [...document.body.querySelectorAll('*')].map(each => [each, look(each)]);
  await Promise.all(files.map(href => new Promise((done, failed) => {
    if (document.querySelector(`link[href='${href}']`)) return done();
    document.head.append(Object.assign(document.createElement('link'), {rel: 'stylesheet', href, onload: done, onerror: failed}));
  })));
  return before.filter(([each, was]) => each.isConnected && look(each) !== was)
    .map(([each, was]) => `${each.outerHTML.slice(0, 80)}: ${was} became ${look(each)}`);
}"""


@pytest.mark.parametrize(
    "page",
    ["home, many", "title, many", "search, many", "history, many", "account, many", "studio, many", "upload, 20 films"],
    indirect=True,
    ids=_id,
)
async def test_a_page_looks_the_same_whatever_was_visited_before(page: Page) -> None:
    files = sorted(f"/assets/{path.name}" for path in (WEB_CLIENT / "assets").glob("*.css"))
    assert len(files) > 3, "the test is wrong: pages have one style sheet"
    # Home renders its 44 rows one after the other.
    await page.wait_for_function(
        "() => !document.querySelector('.hero') || document.querySelectorAll('.shelf').length >= 44"
    )
    changed = await page.evaluate(LEAKS, files)
    assert not changed, f"{len(changed)} elements changed: " + "\n".join(changed[:8])
    await page.close()


VALUES: Final = """selectors => Object.fromEntries(selectors.map(one => {
  const style = getComputedStyle(document.querySelector(one));
  return [one, [style.backgroundColor, style.borderTopWidth, style.outlineStyle]];
}))"""


@pytest.mark.parametrize("page", ["watch, statistics"], indirect=True, ids=["watch"])
async def test_in_the_systems_colours_what_is_played_and_pressed_can_be_told(page: Page) -> None:
    await page.emulate_media(forced_colors="active")
    await page.evaluate("document.querySelector('video').currentTime = 6")
    track, played, knob, pressed, idle = (
        ".scrub-track",
        ".scrub-played",
        ".scrub-knob",
        "[aria-label=Statistics][aria-pressed=true]",
        "[aria-label=Picture-in-picture]",
    )
    seen = await page.evaluate(VALUES, [track, played, knob, pressed, idle])
    assert seen[track][2] != "none", "the time line has no line"
    assert seen[played][0] == seen[knob][0] != seen[track][0], f"what was played looks as what was not: {seen}"
    assert seen[pressed][1] != seen[idle][1], "a pressed button is told by its colour alone"
    # The viewer's own choice for subtitles stays.
    drawn = "span => { document.querySelector('[data-testid=captions]').append(span); return getComputedStyle(span).color; }"
    colour = await page.evaluate(f"() => ({drawn})(document.createElement('span'))")
    assert colour == "rgb(255, 255, 255)"
    await page.close()


@pytest.mark.parametrize("page", ["home, many"], indirect=True, ids=_id)
async def test_without_motion_rows_scroll_at_once(page: Page) -> None:
    """A script's smooth scrolling does not obey the style sheet."""
    row = page.get_by_test_id("row-new-releases")
    await row.scroll_into_view_if_needed()
    moved = await row.evaluate("""row => {
      row.querySelector('.shelf-turn.on').click();
      return row.querySelector('.shelf-track').scrollLeft;
    }""")
    assert moved > 200, f"after the press the row is at {moved} px: it moves"
    await page.close()
