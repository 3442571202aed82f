"""How the tests of the player open a film and use its menus."""

from typing import Final

from playwright.async_api import Page

from tests.harness.browsing import Visit

PLAYS: Final = "() => (document.querySelector('video')?.currentTime ?? 0) > 0.2"
STORED: Final = "marquee.player"
"""The item of localStorage that holds what the player remembers."""
RECORDS_SESSION: Final = """() => {
  window.handlers = {};
  window.positions = [];
  const {setActionHandler, setPositionState} = MediaSession.prototype;
  MediaSession.prototype.setActionHandler = function (action, handler) {
    window.handlers[action] = handler;
    setActionHandler.call(this, action, handler);
  };
  MediaSession.prototype.setPositionState = function (state) {
    window.positions.push(state ?? null);
    setPositionState.call(this, state);
  };
}"""
"""Records what the page tells the system of its film."""


async def watch(visit: Visit, public: str, film: str) -> None:
    """Open the film and wait until it plays. It begins again at its end, however slow this machine is."""
    await visit.page.goto(f"{public}/watch/{film}?from=start")
    await visit.page.wait_for_function(PLAYS)
    await visit.page.evaluate("document.querySelector('video').loop = true")


async def choose(page: Page, menu: str, *labels: str) -> None:
    for label in labels:
        await page.get_by_role("button", name=menu, exact=True).click()
        await page.get_by_role("menuitemradio", name=label, exact=True).click()


async def chosen(page: Page, menu: str) -> list[str]:
    """The chosen items of a menu."""
    await page.get_by_role("button", name=menu, exact=True).click()
    items = page.locator("[role=menuitemradio][aria-checked=true] > span:first-of-type")
    found = await items.all_inner_texts()
    await page.keyboard.press("Escape")
    return [each for each in found if each]
