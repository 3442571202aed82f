"""The engineers' page of titles in Chromium, on real servers: list, filter, edit with a conflict, unpublish, cancel, delete."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, expect

from marquee.demo.browser import log_in
from marquee.domain.ids import movie_id_of
from marquee.errors import TitleUnknown
from marquee.notes import note
from marquee.stores.catalogue.values import TitleDetails, Upload
from marquee.stores.opened import Stores, open_stores
from tests.harness.browsing import accessibility_violations, open_visit
from tests.harness.uploads import mark_completed, new_upload
from tests.web.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("web")]

HEBREW = "שלום עולם \U0001f3ac"
LONG = "Ünbreakable" * 18
FILM = {"name": "new cut.mp4", "mimeType": "video/mp4", "buffer": b"not sent"}


@pytest.fixture
async def stores(site: Site) -> AsyncIterator[Stores]:
    async with open_stores(site.settings) as opened:
        yield opened


@pytest.fixture
async def page(engineer: BrowserContext) -> AsyncIterator[Page]:
    visit = await open_visit(engineer)
    yield visit.page
    await visit.page.close()
    assert not visit.errors, f"the page reports errors: {visit.errors[:5]}"


async def ingesting(stores: Stores, title: str, movie_id: str | None = None) -> Upload:
    uploads = stores.catalogue.uploads
    details = None if movie_id else TitleDetails(title)
    asked = new_upload(movie_id=movie_id) if movie_id else new_upload()
    return await mark_completed(uploads, await uploads.open(asked, details))


async def announced(stores: Stores, title: str) -> str:
    movie_id = movie_id_of(title)
    await stores.catalogue.titles.announce([(movie_id, TitleDetails(title, year=1990, genres=("Drama",)))])
    return movie_id


def row(page: Page, title: str) -> Locator:
    return page.get_by_test_id("studio-title").filter(has=page.get_by_role("link", name=title, exact=True))


async def shown(page: Page, site: Site, title: str, query: str = "") -> Locator:
    await page.goto(f"{site.settings.public}/studio{query}")
    found = row(page, title)
    await found.wait_for()
    return found


async def test_the_list_says_state_reason_progress_and_notes_and_is_filtered_in_the_address(
    page: Page, site: Site, stores: Stores
) -> None:
    versions = stores.catalogue.versions
    refused, working = await ingesting(stores, "Quill refused"), await ingesting(stores, "Quill working")
    await versions.refuse(refused.movie_id, 1, "The file has no picture.")
    await versions.set_notes(working.movie_id, 1, {"source": [note("no-sound")]})
    await versions.report_progress(working.movie_id, 1, stage="renditions", percent=31.0)
    found = await shown(page, site, "Quill refused")
    await expect(found.get_by_text("Refused", exact=True)).to_be_visible()
    await found.get_by_text("Why?").click()
    await expect(found.get_by_text("The file has no picture.")).to_be_visible()
    bar = row(page, "Quill working").get_by_role("progressbar")
    assert await bar.get_attribute("aria-valuetext") == "Encode, 31 %"
    await versions.report_progress(working.movie_id, 1, stage="quality", percent=88.0)
    await expect(bar).to_have_attribute("aria-valuetext", "Quality, 88 %")
    await row(page, "Quill working").get_by_role("button", name="Notes of Quill working").click()
    await expect(page.get_by_test_id("notes").get_by_text(note("no-sound").sentence)).to_be_attached()

    await page.get_by_label("Words of the title").fill("QUILL")
    await page.get_by_label("State").select_option("refused")
    await page.wait_for_url("**/studio?q=QUILL&state=refused")
    await expect(row(page, "Quill working")).to_have_count(0)
    await expect(row(page, "Quill refused")).to_have_count(1)
    await page.reload()
    await expect(page.get_by_label("Words of the title")).to_have_value("QUILL")
    await expect(row(page, "Quill refused")).to_have_count(1)
    await page.get_by_label("With notes").check()
    await page.get_by_role("heading", name="No title fits").wait_for()
    await page.get_by_role("link", name="Show all titles").click()
    await row(page, "Quill working").wait_for()
    assert page.url.endswith("/studio")


async def test_of_an_edit_that_met_another_both_values_are_there_to_choose_from(
    page: Page, site: Site, stores: Stores
) -> None:
    movie_id = await announced(stores, "Vex")
    found = await shown(page, site, "Vex")
    await found.get_by_role("button", name="Edit Vex").click()
    form = page.get_by_role("form", name="Edit Vex")
    await form.get_by_label("Title").fill("Vex mine")
    await form.get_by_label("Year").fill("2001")
    await stores.catalogue.titles.edit(movie_id, TitleDetails("Vex theirs", year=1990, genres=("War",)))
    await form.get_by_role("button", name="Save").click()
    await form.get_by_text("Somebody else changed this title meanwhile.").wait_for()
    choice = form.get_by_role("group", name="Title")
    await expect(choice.get_by_text("Vex mine")).to_be_visible()
    await expect(choice.get_by_text("Vex theirs")).to_be_visible()
    await expect(form.get_by_label("Genres")).to_have_value("War")
    assert not await accessibility_violations(page)
    await choice.get_by_label("The other one").check()
    await form.get_by_role("button", name="Save").click()
    await row(page, "Vex theirs").wait_for()
    details = (await stores.catalogue.titles.get(movie_id)).details
    assert (details.title, details.year, details.genres) == ("Vex theirs", 2001, ["War"]), "one of two edits was lost"


async def test_unpublishing_and_republishing(page: Page, site: Site, stores: Stores) -> None:
    movie_id = await announced(stores, "Wick")
    found = await shown(page, site, "Wick")
    await found.get_by_role("button", name="Unpublish Wick").click()
    await expect(found.get_by_text("Unpublished", exact=True)).to_be_visible()
    assert (await stores.catalogue.titles.get(movie_id)).state == "unpublished"
    await found.get_by_role("button", name="Republish Wick").click()
    await expect(found.get_by_text("Announced", exact=True)).to_be_visible()


async def test_a_title_in_work_is_cancelled_after_a_question(page: Page, site: Site, stores: Stores) -> None:
    upload = await ingesting(stores, "Yonder")
    found = await shown(page, site, "Yonder", "?work=1")
    await found.get_by_role("button", name="Cancel the ingest of Yonder").click()
    question = page.get_by_role("dialog", name="Cancel the ingest")
    await expect(question.get_by_role("button", name="Go on with it")).to_be_focused()
    await question.get_by_text("cannot be played until a new film is uploaded").wait_for()
    assert not await accessibility_violations(page)
    await question.get_by_role("button", name="Go on with it").click()
    assert (await stores.catalogue.versions.get(upload.movie_id, 1)).state == "ingesting"
    await found.get_by_role("button", name="Cancel the ingest of Yonder").click()
    await question.get_by_role("button", name="Cancel the ingest").click()
    await expect(found.get_by_text("Cancelled", exact=True)).to_be_visible()
    assert (await stores.catalogue.versions.get(upload.movie_id, 1)).state == "cancelled"


async def test_titles_in_work_that_cannot_be_asked_for_any_more_are_told(
    page: Page, site: Site, stores: Stores
) -> None:
    await ingesting(stores, "Quill")
    await shown(page, site, "Quill")

    async def refused(route: Route) -> None:
        problem = '{"title":"t","status":403,"code":"not-permitted","detail":"x"}'
        await route.fulfill(status=403, content_type="application/problem+json", body=problem)

    await page.route("**/api/v1/titles?*", refused)
    await page.get_by_role("alert").get_by_text("may not do that").wait_for()
    await page.unroute_all()
    await page.get_by_role("button", name="Refresh").click()
    await row(page, "Quill").wait_for()
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_version_that_ended_meanwhile_is_told_and_not_cancelled(page: Page, site: Site, stores: Stores) -> None:
    upload = await ingesting(stores, "Zephyr")
    found = await shown(page, site, "Zephyr")
    await found.get_by_role("button", name="Cancel the ingest of Zephyr").click()
    # The page is asked to cancel in the same moment in which the version ends.
    await page.route("**/api/v1/titles*", lambda route: route.abort())
    await stores.catalogue.versions.refuse(upload.movie_id, 1, "No picture.")
    question = page.get_by_role("dialog", name="Cancel the ingest")
    await question.get_by_role("button", name="Cancel the ingest").click()
    await page.get_by_role("alert").get_by_text("Version 1 cannot be cancelled. The film was refused.").wait_for()
    await page.unroute_all()


async def test_deleting_asks_first(page: Page, site: Site, stores: Stores) -> None:
    movie_id = await announced(stores, "Xylo")
    found = await shown(page, site, "Xylo")
    await found.get_by_role("button", name="Delete Xylo").click()
    question = page.get_by_role("dialog", name="Delete Xylo?")
    await expect(question.get_by_role("button", name="Keep it")).to_be_focused()
    await question.get_by_role("button", name="Keep it").click()
    await expect(found.get_by_role("button", name="Delete Xylo")).to_be_focused()
    assert (await stores.catalogue.titles.get(movie_id)).state == "announced"
    await found.get_by_role("button", name="Delete Xylo").click()
    await page.get_by_role("button", name="Delete for good").click()
    await expect(found).to_have_count(0)
    with pytest.raises(TitleUnknown):
        await stores.catalogue.titles.get(movie_id)


async def test_a_replacement_is_uploaded_as_a_new_version_of_the_title(page: Page, site: Site, stores: Stores) -> None:
    movie_id = await announced(stores, "Udder & Co")
    found = await shown(page, site, "Udder & Co")
    await found.get_by_role("link", name="Replace the film of Udder & Co").click()
    await page.get_by_role("heading", name="Replace a film").wait_for()
    await expect(page.get_by_role("status").get_by_text("Udder & Co")).to_be_visible()
    await page.get_by_label("Choose films").set_input_files(FILM)  # type: ignore[arg-type]
    film = page.get_by_test_id("upload").first
    await expect(film.get_by_label("Title", exact=True)).to_have_count(0)
    await film.get_by_role("button", name="Upload").click()
    async with asyncio.timeout(60):
        while (await stores.catalogue.titles.listed(movie_id)).newest is None:  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(0.1)
    listed = await stores.catalogue.titles.listed(movie_id)
    assert listed.title.details.title == "Udder & Co", "the file's name took the title's place"


async def test_one_refused_subtitle_file_marks_its_own_fields(page: Page, site: Site) -> None:
    await page.goto(f"{site.settings.public}/upload")
    await page.evaluate("() => localStorage.removeItem('marquee.uploads')")
    await page.reload()
    await page.get_by_label("Choose films").set_input_files(FILM | {"name": "two subtitles.mp4"})  # type: ignore[arg-type]
    film = page.get_by_test_id("upload").first
    good = b"1\n00:00:01,000 --> 00:00:02,000\nWords.\n"
    for name in ("good.en.srt", "bad.de.srt"):
        await film.get_by_label("Add subtitles").set_input_files(
            {"name": name, "mimeType": "application/x-subrip", "buffer": good}  # type: ignore[arg-type]
        )
        await film.get_by_label(f"Encoding of {name}").wait_for()
    await film.get_by_label("Encoding of bad.de.srt").fill("no-such-encoding")
    await film.get_by_role("button", name="Upload").click()
    await expect(film.get_by_label("Encoding of bad.de.srt")).to_have_attribute("aria-invalid", "true")
    assert await film.get_by_label("Encoding of good.en.srt").get_attribute("aria-invalid") is None


@pytest.fixture
async def viewer(browser: Browser, site: Site) -> AsyncIterator[BrowserContext]:
    account = {"email": "watcher@example.org", "password": "a long enough pass phrase", "profiles": ["Watcher"]}
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{site.settings.public}/api/v1/accounts", json=account)
    assert answer.status_code in (201, 409), answer.text
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await log_in(page, site.settings.public, str(account["email"]), str(account["password"]))
    await page.close()
    yield context
    await context.close()


async def test_a_viewer_gets_no_link_and_a_sentence_at_the_address(viewer: BrowserContext, site: Site) -> None:
    visit = await open_visit(viewer)
    await visit.page.goto(f"{site.settings.public}/studio")
    await visit.page.get_by_role("heading", name="The studio is for content engineers").wait_for()
    assert await visit.page.get_by_role("link", name="Studio", exact=True).count() == 0
    assert not any("/api/v1/titles" in url for url in visit.requests), "the page asked for what a viewer may not read"
    await visit.page.close()


async def nothing_opened(page: Page, title: str) -> None:
    await row(page, title).wait_for()


async def editing(page: Page, title: str) -> None:
    await row(page, title).get_by_role("button", name=f"Edit {title}").click()
    await page.get_by_role("form").wait_for()


@pytest.mark.parametrize("act", [nothing_opened, editing], ids=["list", "editing"])
async def test_odd_names_fit_at_every_width_and_axe_finds_nothing(
    page: Page, site: Site, stores: Stores, act: Callable[[Page, str], Awaitable[None]]
) -> None:
    working = await ingesting(stores, LONG)
    await stores.catalogue.versions.report_progress(working.movie_id, 1, stage="renditions", percent=31.0)
    failed = await ingesting(stores, "\U0001f468\u200d\U0001f469\u200d\U0001f467")
    await stores.catalogue.versions.fail(failed.movie_id, 1, "x" * 2000)
    await announced(stores, HEBREW)
    await shown(page, site, HEBREW)
    await act(page, HEBREW)
    for width in (360, 390, 820, 1440, 1920):
        await page.set_viewport_size({"width": width, "height": 800})
        wide = await page.evaluate("() => document.scrollingElement.scrollWidth")
        assert wide <= width, f"the page is {wide} px wide on a screen of {width} px"
        assert not await accessibility_violations(page), f"at {width} px"
    await page.set_viewport_size({"width": 1280, "height": 800})
