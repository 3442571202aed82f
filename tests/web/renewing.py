"""Cases of `test_telemetry`: the film goes on under a fresh address, in the same session or, if that is too old, in another."""

import re

from playwright.async_api import Route

from tests.web.faults import status
from tests.web.telling import LATER, SEGMENTS, Watching, kinds, only


async def _renews(seen: Watching) -> None:
    """The edge refuses the address in mid-film: the page asks for a fresh one, and the film plays on."""
    # Before the film is opened: a player that is quick has all of it in its buffer, and asks for nothing more.
    rule = seen.faults.add(LATER, status(403, problem="url-expired"), times=1)
    await seen.open()
    await seen.act("video.currentTime = 12;")
    await rule.hit()
    await seen.played(12.5)
    renewals = [url for url in seen.faults.asked if "/api/v1/stream?" in url and "session_id=" in url]
    assert renewals, f"no fresh address was asked for: {seen.faults.asked}"
    assert all(f"session_id={seen.session_id}" in url for url in renewals), "another viewing is renewed"


async def goes_on_under_fresh_addresses(seen: Watching) -> None:
    await _renews(seen)
    fresh = next(url for url in reversed(seen.faults.asked) if re.search(SEGMENTS, url))
    assert seen.session_id in fresh, "the edges log the rest of the film as another viewing"
    await seen.leave()
    only(await seen.events(), "attempt")


async def goes_on_as_another_session(seen: Watching) -> None:
    """The session was too old to be continued: the rest of the film is told of where the answer says."""
    answers: list[str] = []

    async def without_session(route: Route) -> None:
        answer = await route.fetch(url=re.sub(r"&session_id=[^&]*", "", route.request.url))
        answers.append((await answer.json())["session_id"])
        await route.fulfill(response=answer)

    seen.faults.add(r"/api/v1/stream\?.*session_id=", without_session)
    await _renews(seen)
    await seen.leave()
    only(await seen.events(), "attempt")
    seen.session_id = answers[-1]
    events = await seen.events()
    assert kinds(events)[0] == "attempt"
    assert only(events, "exit").watched_ms, "what was shown after the change is nowhere"
    assert "hls.js" in (events[-1].player or ""), "the new session does not know its player"
