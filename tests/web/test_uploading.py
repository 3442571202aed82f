"""The upload page in Chromium, on real servers: odd names, subtitles, a refusal, and a cancellation."""

import asyncio
import os
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import BrowserContext, FilePayload, Locator, Page, Route

from tests.harness.browsing import accessibility_violations, open_visit
from tests.web.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
MEBIBYTE = 1024 * 1024
RUSSIAN = b"1\n00:00:01,000 --> 00:00:02,000\n\xcf\xf0\xe8\xe2\xe5\xf2, \xfd\xf2\xee \xf0\xf3\xf1\xf1\xea\xe8\xe9.\n"
"""In windows-1251."""
NO_TEXT = bytes(range(256)) * 8


@pytest.fixture
async def page(engineer: BrowserContext, site: Site) -> AsyncIterator[Page]:
    visit = await open_visit(engineer)
    await visit.page.goto(f"{site.settings.public}/upload")
    await visit.page.evaluate("() => localStorage.removeItem('marquee.uploads')")
    await visit.page.reload()
    yield visit.page
    await visit.page.close()
    assert not visit.errors, f"the page reports errors: {visit.errors[:5]}"


async def choose(page: Page, name: str, body: bytes = b"not a film") -> Locator:
    film = FilePayload(name=name, mimeType="video/mp4", buffer=body)
    await page.get_by_label("Choose films").set_input_files(film)
    chosen = page.get_by_test_id("upload").first
    await chosen.get_by_label("Title", exact=True).wait_for()
    return chosen


async def add_subtitles(film: Locator, name: str, body: bytes) -> None:
    await film.get_by_label("Add subtitles").set_input_files(
        FilePayload(name=name, mimeType="application/x-subrip", buffer=body)
    )
    await film.get_by_label(f"Language of {name}").wait_for()


async def state_of(film: Locator, state: str) -> None:
    await film.and_(film.page.locator(f"[data-state={state}]")).wait_for()


def unique(size: int) -> bytes:
    """A file that no other test has begun to upload."""
    return os.urandom(size)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (f"{FAMILY} party.mp4", f"{FAMILY} Party"),
        ('a "quote" & <b>50%</b> #1?;\'.mp4', 'A "quote" & <b>50%</b> #1?;\''),
        ("\u202b\u05e1\u05e8\u05d8\u200f.mp4", "\u202b\u05e1\u05e8\u05d8\u200f"),
        ("-i %03d http:x.mp4", "-i %03d Http:x"),
        ("cafe\u0301" * 51 + ".mp4", None),
    ],
    ids=["emoji", "signs", "right-to-left", "options", "long"],
)
async def test_a_film_of_any_name_has_the_same_title_on_its_pages(
    page: Page, site: Site, name: str, title: str | None
) -> None:
    film = await choose(page, name, unique(1000))
    shown = await film.get_by_label("Title", exact=True).input_value()
    if title is not None:
        assert shown.casefold() == title.casefold()
    async with page.expect_response(lambda answer: answer.url.endswith("/uploads") and answer.ok) as opened:
        await film.get_by_role("button", name="Upload").click()
    movie_id = (await (await opened.value).json())["movie_id"]
    await page.get_by_role("heading", name=shown, exact=True, level=2).wait_for()
    await state_of(page.get_by_test_id("upload").first, "ingesting")
    await page.goto(f"{site.settings.public}/title/{movie_id}")
    heading = page.get_by_role("heading", level=1)
    await heading.wait_for()
    assert await heading.text_content() == shown
    assert await page.locator("b").filter(has_text="50%").count() == 0, "a title is read as markup"


async def test_refused_subtitles_are_named_before_the_film_is_sent_and_can_be_put_right(page: Page) -> None:
    film = await choose(page, "refused.mp4", unique(1000))
    await add_subtitles(film, "refused.ru.srt", NO_TEXT)
    parts: list[str] = []
    page.on("request", lambda asked: parts.append(asked.url) if asked.method == "PUT" else None)
    await film.get_by_role("button", name="Upload").click()
    await film.get_by_text("refused.ru.srt").filter(has_text="read").wait_for()
    assert not parts, "bytes of the film were sent although its subtitles are refused"
    await film.get_by_role("button", name="Leave out refused.ru.srt").click()
    await add_subtitles(film, "good.ru.srt", RUSSIAN)
    await film.get_by_label("Kind of good.ru.srt").select_option("forced")
    await film.get_by_label("Encoding of good.ru.srt").fill("windows-1251")
    violations = await accessibility_violations(page)
    assert not violations, "; ".join(violations)
    await film.get_by_role("button", name="Upload").click()
    await state_of(page.get_by_test_id("upload").first, "ingesting")


def part_of(url: str) -> int:
    """The number of the part that is sent to this address."""
    return int(parse_qs(urlsplit(url).query)["partNumber"][0])


class HeldBack:
    """One part arrives at the store, the others do not: the upload stands still in its midst. Which part is first is open."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.arrived = 0
        self.held = asyncio.Event()

    async def __aenter__(self) -> "HeldBack":
        await self._page.route("**/*partNumber=*", self._pass)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._page.unroute_all(behavior="ignoreErrors")

    async def _pass(self, route: Route) -> None:
        if route.request.method == "OPTIONS" or not self.arrived or self.arrived == part_of(route.request.url):
            self.arrived = self.arrived or part_of(route.request.url)
            await route.continue_()
        else:
            self.held.set()  # neither answered nor passed on


async def test_a_cancelled_upload_is_gone_here_and_on_the_platform(page: Page, site: Site) -> None:
    film = await choose(page, "cancelled.mp4", unique(17 * MEBIBYTE))
    async with HeldBack(page) as line:
        async with page.expect_response(lambda answer: answer.url.endswith("/uploads") and answer.ok) as opened:
            await film.get_by_role("button", name="Upload").click()
        upload_id = (await (await opened.value).json())["upload_id"]
        await line.held.wait()
        async with page.expect_response(lambda answer: answer.request.method == "DELETE") as ended:
            await film.get_by_role("button", name="Cancel upload").click()
        assert (await ended.value).ok
        assert upload_id in (await ended.value).url
    await page.get_by_test_id("upload").wait_for(state="detached")
    assert await page.evaluate("() => localStorage.getItem('marquee.uploads')") in (None, "[]")
    async with httpx.AsyncClient(base_url=f"{site.settings.public}/api/v1", timeout=30) as client:
        login = {"email": site.settings.email, "password": site.settings.password.get_secret_value()}
        token = (await client.post("/sessions", json=login)).json()["access_token"]
        status = await client.get(f"/uploads/{upload_id}", headers={"Authorization": f"Bearer {token}"})
    assert status.json()["state"] == "aborted"


async def test_after_a_reload_the_same_file_goes_on_with_the_parts_that_are_missing(page: Page) -> None:
    body = unique(17 * MEBIBYTE)
    film = await choose(page, "reloaded.mp4", body)
    await film.get_by_label("Title", exact=True).fill("A Film That Goes On")
    async with HeldBack(page) as line:
        async with page.expect_response(lambda answer: answer.url.endswith("/uploads") and answer.ok) as opened:
            await film.get_by_role("button", name="Upload").click()
        first = await (await opened.value).json()
        await line.held.wait()
        page.on("dialog", lambda asked: asked.accept())  # "Leave this page?"
        await page.reload()
    await page.get_by_text("A Film That Goes On is unfinished.").wait_for()
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.url) if asked.method == "PUT" else None)
    await page.get_by_label("Choose films").set_input_files(
        FilePayload(name="reloaded.mp4", mimeType="video/mp4", buffer=body)
    )
    begin = page.get_by_role("button", name="Upload", exact=True)
    await begin.wait_for()
    assert await page.get_by_label("Title", exact=True).input_value() == "A Film That Goes On"
    async with page.expect_response(lambda answer: answer.url.endswith("/uploads") and answer.ok) as opened:
        await begin.click()
    again = await (await opened.value).json()
    assert (again["upload_id"], again["resumed"]) == (first["upload_id"], True)
    await state_of(page.get_by_test_id("upload").filter(has_text="A Film That Goes On").first, "ingesting")
    numbers = {part_of(url) for url in sent}
    assert numbers == {1, 2, 3} - {line.arrived}, f"part {line.arrived} had arrived, and {sorted(numbers)} were sent"
