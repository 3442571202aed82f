"""A page with a film in it, and the three courses that a failure may take: for `test_player_failures.py`."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from playwright.async_api import Page

from tests.web.faults import Faults, Give

THERE: Final = 45.0
"""A place that is not loaded while the film's first seconds play."""
MAX_REQUESTS: Final = 80
"""For files that always fail. A player without an end asks hundreds of times."""
OF_MACHINES: Final = re.compile(r"`|JSON|token|<|Unexpected|undefined|null|HTTP|fetch|\b[45]\d\d\b")
"""Words of parsers and browsers, and bare statuses."""
BEGINS: Final = """() => { const video = document.querySelector('video');
  if (!video || video.currentTime < 0.2 || video.readyState < 3) return false;
  video.pause();
  return true; }"""
PLAYS: Final = """after => { const video = document.querySelector('video');
  const plays = video && video.currentTime > after && !video.paused && video.readyState >= 3;
  return plays ? video.currentTime : false; }"""
FORGOTTEN: Final = "() => sessionStorage.getItem('marquee.left') === null"


@dataclass(frozen=True)
class Viewing:
    """One page with the film."""

    page: Page
    faults: Faults
    url: str

    async def open(self) -> None:
        await self.page.goto(f"{self.url}?from=start")

    async def plays(self, after: float = 0.2) -> float:
        """Wait until the film plays beyond this position. Returns where it was when that was seen first."""
        at = await self.page.wait_for_function(PLAYS, arg=after)
        return float(await at.json_value())

    async def begins(self) -> None:
        """Wait until the film has begun, and pause it there: a slow machine must not load it as far as `THERE`."""
        await self.page.wait_for_function(BEGINS)

    async def seek(self, seconds: float = THERE) -> None:
        """Go on watching there."""
        go = "to => { const video = document.querySelector('video'); video.currentTime = to; video.play().catch(() => 0); }"
        await self.page.evaluate(go, seconds)

    async def told(self) -> str:
        """Wait until the viewer is told. Returns the words, which are for people."""
        alert = self.page.get_by_role("alert")
        await alert.wait_for()
        words = await alert.inner_text()
        assert not OF_MACHINES.search(words), f"the viewer reads {words!r}"
        return words

    async def press(self, name: str = "Try again") -> None:
        await self.page.get_by_role("button", name=name).click()

    async def is_quiet(self) -> None:
        assert not await self.page.get_by_role("alert").count(), "the viewer is told of what has passed"


Case = Callable[[Viewing], Awaitable[None]]


def from_the_start(pattern: str, give: Give) -> Case:
    """The film never begins: told, and it begins once the fault is gone."""

    async def case(viewing: Viewing) -> None:
        rule = viewing.faults.add(pattern, give)
        await viewing.open()
        await viewing.told()
        assert 0 < len(rule.hits) <= MAX_REQUESTS, f"{len(rule.hits)} requests for what always fails"
        viewing.faults.mend()
        await viewing.press()
        await viewing.plays()
        await viewing.is_quiet()

    return case


def in_mid_film(pattern: str, give: Give) -> Case:
    """The film stops far from its start: told, and it goes on at the same place once the fault is gone."""

    async def case(viewing: Viewing) -> None:
        await viewing.open()
        await viewing.begins()
        rule = viewing.faults.add(pattern, give)
        await viewing.seek()
        await viewing.told()
        assert 0 < len(rule.hits) <= MAX_REQUESTS, f"{len(rule.hits)} requests for what always fails"
        viewing.faults.mend()
        await viewing.press()
        at = await viewing.plays(THERE)
        assert at < THERE + 10, f"it goes on at {at} s"
        await viewing.is_quiet()

    return case


def passing(pattern: str, give: Give, times: int) -> Case:
    """A fault that passes: the film plays on, and the viewer is asked for nothing."""

    async def case(viewing: Viewing) -> None:
        await viewing.open()
        await viewing.begins()
        rule = viewing.faults.add(pattern, give, times=times)
        await viewing.seek()
        await viewing.plays(THERE)
        assert rule.hits, "nothing was asked for: the test is wrong"
        await viewing.is_quiet()

    return case
