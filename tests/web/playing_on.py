"""Cases of `test_player_failures.py` with a course of their own: what the film goes on without, what the platform says of it,
and when it goes on by itself.
"""

import re
from typing import Final

from playwright.async_api import Route, expect

from tests.harness.film_of_parts import SECONDS
from tests.web.conftest import Site
from tests.web.faults import CORS, Give, html, refused, status
from tests.web.viewing import FORGOTTEN, MAX_REQUESTS, THERE, Case, Viewing

LATER: Final = r"/v\d+_2\d\.m4s"
STREAM: Final = r"/api/v1/stream\?"
PATIENT_MS: Final = 60_000
AHEAD: Final = "const now = Date.now; Date.now = () => now.call(Date) + 12 * 3600e3; sessionStorage.clear();"
ENDED_OR_TOLD: Final = "() => document.querySelector('video').ended || document.querySelector('[role=alert]') !== null"


async def one_segment(viewing: Viewing) -> None:
    """A segment that no edge has. The viewer leaves it out by a button, and loses no more than a few seconds."""
    viewing.faults.add(r"/v\d+_23\.m4s", status(404))
    await viewing.open()
    await viewing.begins()
    await viewing.seek()
    await viewing.told()
    await viewing.press("Leave out 10 seconds")
    await viewing.plays(THERE + 10)
    await viewing.is_quiet()


async def one_sound(viewing: Viewing) -> None:
    rule = viewing.faults.add(r"/a_en_2\d\.m4s", status(404))
    await viewing.open()
    await viewing.begins()
    await viewing.seek()
    note = viewing.page.get_by_test_id("player-note")
    words = "The sound “English” cannot be loaded. The film goes on with “Français”."
    await expect(note).to_have_text(words, timeout=PATIENT_MS)
    await viewing.plays(THERE)
    assert len(rule.hits) <= MAX_REQUESTS, f"{len(rule.hits)} requests"


def subtitles(pattern: str, give: Give) -> Case:
    """The film goes on without them, says so, and shows them when they are chosen again later."""

    async def case(viewing: Viewing) -> None:
        rule = viewing.faults.add(pattern, give)
        await viewing.open()
        await viewing.plays()
        await viewing.page.keyboard.press("c")
        note = viewing.page.get_by_test_id("player-note")
        words = "The subtitles cannot be loaded. The film goes on without them."
        await expect(note).to_have_text(words, timeout=PATIENT_MS)
        await viewing.plays(await viewing.plays())
        assert 0 < len(rule.hits) <= MAX_REQUESTS, f"{len(rule.hits)} requests"
        viewing.faults.mend()
        await viewing.page.keyboard.press("c")
        await viewing.page.get_by_test_id("captions").get_by_text("Words").wait_for()

    return case


def final(code: int, problem: str, words: str) -> Case:
    """The edge refuses the old address, as it does once a title is withdrawn, and the API says why: nothing to try again."""

    async def case(viewing: Viewing) -> None:
        await viewing.open()
        await viewing.begins()
        viewing.faults.add(LATER, status(403))
        rule = viewing.faults.add(STREAM, status(code, problem=problem, detail="This title is no longer offered."))
        await viewing.seek()
        assert words in await viewing.told()
        assert not await viewing.page.get_by_role("button", name="Try again").count()
        assert len(rule.hits) == 1, "what is final is asked for again"
        await viewing.page.get_by_role("link", name="Go home").click()
        await viewing.page.get_by_role("searchbox").wait_for()

    return case


async def unplayable(viewing: Viewing) -> None:
    async def unknown_codecs(route: Route) -> None:
        text = (await (await route.fetch()).text()).replace("avc1.42c01e", "vvc1.1.L51.CQA")
        await route.fulfill(status=200, headers=CORS, body=text)

    viewing.faults.add(r"/master\.m3u8", unknown_codecs)
    await viewing.open()
    assert "cannot play this film" in await viewing.told()
    assert not await viewing.page.get_by_role("button", name="Try again").count()
    await viewing.page.get_by_role("alert").get_by_role("button", name="Go back").click()
    await viewing.page.get_by_role("searchbox").wait_for()


async def no_script(viewing: Viewing) -> None:
    viewing.faults.add(r"/assets/hls", status(404))
    await viewing.open()
    assert "player could not be loaded" in await viewing.told()
    viewing.faults.mend()
    await viewing.press("Load the page again")
    await viewing.plays()


def another_edge(edges: tuple[str, ...]) -> Case:
    """The renewed address names another host: nobody listens at the first one any more."""

    async def case(viewing: Viewing) -> None:
        await viewing.open()
        await viewing.begins()
        first = next(url for each in viewing.faults.asked if "/master.m3u8" in (url := each.split(" ", 1)[1]))
        bad = first.split("/v/", 1)[0]
        good = next(edge for edge in edges if edge != bad)

        async def moved(route: Route) -> None:
            answer = await route.fetch()
            await route.fulfill(response=answer, body=(await answer.text()).replace(bad, good))

        viewing.faults.add(re.escape(bad) + "/v/", refused)
        viewing.faults.add(STREAM, moved)
        await viewing.seek()
        await viewing.plays(THERE)
        await viewing.is_quiet()

    return case


async def asleep(viewing: Viewing) -> None:
    """After an hour the address and the access token have both ended (PeerTube 5733, SmartTube 3589)."""
    await viewing.open()
    await viewing.begins()
    signed = next(re.search(r"/v/[^/]+/\d+/", each) for each in viewing.faults.asked if "/master.m3u8" in each)
    assert signed is not None
    viewing.faults.add(re.escape(signed[0]), status(403, problem="url-expired"))
    rule = viewing.faults.add(STREAM, status(401, problem="not-authenticated"), times=1)
    await viewing.seek()
    await viewing.plays(THERE)
    assert rule.hits, "no address was asked for: the test is wrong"
    await viewing.is_quiet()


async def progress(viewing: Viewing) -> None:
    rule = viewing.faults.add(r"/stream/progress", html)
    await viewing.open()
    await viewing.plays(5)
    assert rule.hits
    await viewing.is_quiet()


async def watched_on(viewing: Viewing) -> None:
    """After a failure the film plays on, and the page is loaded again elsewhere: it does not begin at the failure."""
    await viewing.open()
    await viewing.begins()
    viewing.faults.add(LATER, status(404))
    await viewing.seek()
    await viewing.told()
    await viewing.page.wait_for_function(f"() => !({FORGOTTEN})()")  # a page that is loaded again now begins here
    viewing.faults.mend()
    await viewing.press()
    await viewing.plays(THERE)
    await viewing.page.wait_for_function(FORGOTTEN)
    await viewing.page.reload()
    at = await viewing.plays()  # from the start, as its address says
    assert at < THERE - 10, f"it begins at {at} s, where it failed before"


async def retry_after(viewing: Viewing) -> None:
    await viewing.open()
    await viewing.begins()
    rule = viewing.faults.add(LATER, status(503, retry_after=4), times=3)
    await viewing.seek()
    await viewing.plays(THERE)
    pauses = [later - earlier for earlier, later in zip(rule.hits, rule.hits[1:], strict=False)]
    assert any(pause > 3.9 for pause in pauses), f"asked again after {pauses} s, not after Retry-After"


async def the_end(viewing: Viewing) -> None:
    rule = viewing.faults.add(r"/[va]\w+_29\.m4s", status(500))
    await viewing.open()
    await viewing.begins()
    await viewing.seek(SECONDS - 4)
    await viewing.page.wait_for_function(ENDED_OR_TOLD)
    assert 0 < len(rule.hits) <= MAX_REQUESTS
    viewing.faults.mend()
    if await viewing.page.get_by_role("alert").count():
        await viewing.press()
        await viewing.page.wait_for_function("() => document.querySelector('video').ended")


async def wrong_clock(viewing: Viewing) -> None:
    """A device that lives 12 hours ahead refreshes its session once, not with each of its requests."""
    await viewing.page.add_init_script(AHEAD)
    await viewing.open()
    await viewing.plays(6)
    refreshes = [each for each in viewing.faults.asked if each.endswith("/sessions/refresh")]
    assert len(refreshes) == 1, f"{len(refreshes)} refreshes among {len(viewing.faults.asked)} requests"


def cases(site: Site) -> dict[str, Case]:
    """Those that run always."""
    return {
        "one segment (hls.js 3174)": one_segment,
        "one sound track (hls.js 4634, 5419)": one_sound,
        "subtitles": subtitles(r"/t_en_\d+\.vtt", status(503)),
        "not offered any more": final(409, "title-not-playable", "This title is no longer offered."),
        "the player's script": no_script,
        "another edge": another_edge(tuple(site.settings.edges)),
        "asleep for an hour": asleep,
        "watched on after a failure": watched_on,
        "Retry-After": retry_after,
        "the last segment": the_end,
        "a wrong clock": wrong_clock,
    }


MORE: Final[dict[str, Case]] = {
    "the list of the subtitles": subtitles(r"/t_en\.m3u8", status(404)),
    "subtitles that are refused": subtitles(r"/t_en_\d+\.vtt", status(403)),
    "a page in place of subtitles": subtitles(r"/t_en\.m3u8", html),
    "gone": final(404, "title-unknown", "may have been removed"),
    "not for this account": final(403, "not-permitted", "may not do that"),
    "a film of codecs that nobody has": unplayable,
    "progress that nobody takes": progress,
}
