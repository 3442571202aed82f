"""Uploads and the outbox: each version numbered once, each completion told once, nothing half-made left."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from marquee.domain.ids import new_movie_id
from marquee.errors import TitleUnknown, UploadStateConflict, UploadUnknown
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Sidecar, TitleDetails, TitleQuery
from tests.harness.catalogue.steps import DETAILS, captured_row, ingesting, opened, playable, publication_of
from tests.harness.uploads import new_upload


async def test_an_upload_makes_its_title(catalogue: Catalogue) -> None:
    asked = new_upload(hot=True)
    upload = await catalogue.uploads.open(asked, DETAILS)
    assert upload == replace(asked, version=1, sidecars=[])
    assert await catalogue.uploads.get(upload.upload_id) == upload
    title = await catalogue.titles.get(upload.movie_id)
    assert (title.state, title.hot, title.active_version) == ("ingesting", True, None)
    assert title.details.title == DETAILS.title
    assert list(title.details.people) == list(DETAILS.people)
    version = await catalogue.versions.of_upload(upload.upload_id)
    assert (version.version, version.state, version.percent) == (1, "uploading", 0)
    assert await catalogue.uploads.of_version(upload.movie_id, 1) == upload


async def test_opening_the_same_upload_again_changes_nothing(catalogue: Catalogue) -> None:
    asked = new_upload()
    first = await catalogue.uploads.open(asked, DETAILS)
    assert await catalogue.uploads.open(asked, DETAILS) == first
    with pytest.raises(UploadStateConflict):
        await catalogue.uploads.open(new_upload(movie_id=asked.movie_id), DETAILS)


async def test_versions_are_numbered_once_however_many_ask(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    uploads = await asyncio.gather(*(opened(catalogue, movie_id) for _ in range(10)))
    assert sorted(upload.version for upload in uploads) == list(range(2, 12))
    assert (await catalogue.titles.get(movie_id)).state == "playable", "a new master took the title from its viewers"


async def test_the_number_of_an_aborted_version_is_not_used_again(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    second = await opened(catalogue, movie_id)
    await catalogue.uploads.end(second.upload_id, "aborted")
    assert (await opened(catalogue, movie_id)).version == 3


async def test_an_unknown_title_or_upload_is_said(catalogue: Catalogue) -> None:
    with pytest.raises(TitleUnknown):
        await catalogue.uploads.open(new_upload(), None)
    for call in (
        catalogue.uploads.get("u_" + "0" * 20),
        catalogue.uploads.begin_completion("u_" + "0" * 20),
        catalogue.uploads.end("u_" + "0" * 20, "aborted"),
        catalogue.uploads.touch("u_" + "0" * 20),
        catalogue.versions.of_upload("u_" + "0" * 20),
        catalogue.uploads.of_version(new_movie_id(), 1),
    ):
        with pytest.raises(UploadUnknown):
            await call


async def test_the_newest_open_upload_of_a_file_is_found_for_resuming(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    first = new_upload(movie_id=movie_id, file_name="a.mp4")
    second = new_upload(movie_id=movie_id, file_name="a.mp4", account_id=first.account_id)
    for upload in (first, second):
        await catalogue.uploads.open(upload, None)
    find = (first.account_id, "a.mp4", first.size_bytes)
    found = await catalogue.uploads.find_open(*find)
    assert found is not None
    assert found.upload_id == second.upload_id
    await catalogue.uploads.begin_completion(second.upload_id)
    found = await catalogue.uploads.find_open(*find)
    assert found is not None
    assert found.upload_id == first.upload_id, "an upload that is being completed was offered for resuming"
    assert await catalogue.uploads.find_open(first.account_id, "a.mp4", 1) is None


async def test_an_upload_is_resumed_for_its_title_or_for_the_one_that_it_made(catalogue: Catalogue) -> None:
    made = await catalogue.uploads.open(new_upload(file_name="b.mp4"), DETAILS)
    announced, existing = new_movie_id(), await playable(catalogue)
    await catalogue.titles.announce([(announced, DETAILS)])
    asked = [new_upload(movie_id=id_, file_name="b.mp4", account_id=made.account_id) for id_ in (announced, existing)]
    others = [await catalogue.uploads.open(upload, None) for upload in asked]
    find = (made.account_id, "b.mp4", made.size_bytes)
    for upload, movie_id in ((made, None), (made, made.movie_id), *((one, one.movie_id) for one in others)):
        found = await catalogue.uploads.find_resumable(*find, movie_id=movie_id)
        assert found is not None
        assert found.upload_id == upload.upload_id
    await catalogue.titles.delete(made.movie_id)
    assert await catalogue.uploads.find_resumable(*find, movie_id=None) is None, "a deleted title is uploaded again"


async def test_a_resumed_upload_states_anew_what_is_given(catalogue: Catalogue) -> None:
    upload = await catalogue.uploads.open(new_upload(), DETAILS)
    before = await catalogue.titles.get(upload.movie_id)
    assert (await catalogue.uploads.resume(upload.upload_id, {}, hot=None)).hot is False
    assert await catalogue.titles.get(upload.movie_id) == before
    assert (await catalogue.uploads.resume(upload.upload_id, {"title": "Corrected"}, hot=True)).hot
    after = await catalogue.titles.get(upload.movie_id)
    assert after.details == replace(before.details, title="Corrected")
    assert after.hot
    assert after.revision > before.revision
    await catalogue.uploads.begin_completion(upload.upload_id)
    with pytest.raises(UploadStateConflict):
        await catalogue.uploads.resume(upload.upload_id, {"title": "Too late"}, hot=None)


async def test_sidecars_are_kept_once(catalogue: Catalogue) -> None:
    upload = await opened(catalogue)
    english = Sidecar("uploads/x/sidecars/0", "en.srt", "en", "English")
    german = Sidecar("uploads/x/sidecars/1", "de.srt", "de", "Deutsch")
    for sidecar in (english, german, english):
        await catalogue.uploads.add_sidecar(upload.upload_id, sidecar, max_sidecars=9)
    assert list((await catalogue.uploads.get(upload.upload_id)).sidecars) == [english, german]


async def test_a_completion_is_told_once_whatever_is_repeated(catalogue: Catalogue) -> None:
    upload = await opened(catalogue)
    with pytest.raises(UploadStateConflict):
        await catalogue.uploads.finish_completion(upload.upload_id, topic="t", value=b"too early")
    for _ in range(2):
        assert (await catalogue.uploads.begin_completion(upload.upload_id)).state == "completing"
    await asyncio.gather(
        *(catalogue.uploads.finish_completion(upload.upload_id, topic="transcoding-jobs", value=b"v") for _ in range(5))
    )
    (entry,) = await catalogue.outbox.oldest()
    assert (entry.topic, entry.key, entry.value) == ("transcoding-jobs", upload.movie_id, b"v")
    assert (await catalogue.uploads.get(upload.upload_id)).state == "completed"
    version = await catalogue.versions.get(upload.movie_id, 1)
    assert (version.state, version.stage) == ("ingesting", "source")
    for call in (
        catalogue.uploads.begin_completion(upload.upload_id),
        catalogue.uploads.reopen(upload.upload_id),
        catalogue.uploads.end(upload.upload_id, "aborted"),
        catalogue.uploads.add_sidecar(upload.upload_id, Sidecar("k", "f", "en", "English"), max_sidecars=9),
    ):
        with pytest.raises(UploadStateConflict):
            await call


async def test_parts_may_be_sent_again_after_a_failed_completion(catalogue: Catalogue) -> None:
    upload = await opened(catalogue)
    await catalogue.uploads.begin_completion(upload.upload_id)
    assert (await catalogue.uploads.reopen(upload.upload_id)).state == "open"
    with pytest.raises(UploadStateConflict):
        await catalogue.uploads.finish_completion(upload.upload_id, topic="t", value=b"")
    assert list(await catalogue.outbox.oldest()) == []


async def test_the_outbox_gives_the_oldest_until_they_are_published(catalogue: Catalogue) -> None:
    uploads = [await ingesting(catalogue) for _ in range(4)]
    first = await catalogue.outbox.oldest(limit=3)
    assert [entry.key for entry in first] == [upload.movie_id for upload in uploads[:3]]
    await catalogue.outbox.mark_published([entry.entry_id for entry in first])
    await catalogue.outbox.mark_published([entry.entry_id for entry in first])
    assert [entry.key for entry in await catalogue.outbox.oldest()] == [uploads[3].movie_id]


@pytest.mark.parametrize("completing", [False, True])
async def test_an_upload_that_ends_leaves_no_title(catalogue: Catalogue, url: str, completing: bool) -> None:
    upload = await opened(catalogue)
    if completing:
        await catalogue.uploads.begin_completion(upload.upload_id)
    for _ in range(2):
        await catalogue.uploads.end(upload.upload_id, "abandoned")
    with pytest.raises(TitleUnknown):
        await catalogue.titles.get(upload.movie_id)
    with pytest.raises(TitleUnknown):
        await catalogue.versions.get(upload.movie_id, 1)
    with pytest.raises(UploadUnknown):
        await catalogue.versions.of_upload(upload.upload_id)
    assert list(await catalogue.titles.page(TitleQuery(), limit=10)) == []
    assert captured_row(url, upload.movie_id) is None
    assert (await catalogue.uploads.get(upload.upload_id)).state == "abandoned", "the upload itself says how it ended"
    with pytest.raises(UploadStateConflict):
        await catalogue.uploads.begin_completion(upload.upload_id)


async def test_an_upload_that_ends_leaves_a_title_that_has_more(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    announced = new_movie_id()
    await catalogue.titles.announce([(announced, TitleDetails("Announced"))])
    for title, state in ((movie_id, "playable"), (announced, "announced")):
        upload = await opened(catalogue, title)
        await catalogue.uploads.end(upload.upload_id, "aborted")
        assert (await catalogue.titles.get(title)).state == state


async def test_what_was_left_alone_is_found_by_the_reconciler(catalogue: Catalogue) -> None:
    old, fresh = await opened(catalogue), await opened(catalogue)
    completing = await opened(catalogue)
    await catalogue.uploads.begin_completion(completing.upload_id)
    moment = datetime.now(UTC) + timedelta(hours=1)
    found = await catalogue.uploads.untouched_since(moment, state="open")
    assert [upload.upload_id for upload in found] == [old.upload_id, fresh.upload_id]
    await catalogue.uploads.touch(old.upload_id)
    touched = (await catalogue.uploads.get(old.upload_id)).touched_at
    found = await catalogue.uploads.untouched_since(touched, state="open")
    assert [upload.upload_id for upload in found] == [fresh.upload_id]
    found = await catalogue.uploads.untouched_since(moment, state="completing")
    assert [upload.upload_id for upload in found] == [completing.upload_id]


async def test_a_title_deleted_while_it_is_uploaded_is_not_ingested(catalogue: Catalogue) -> None:
    upload = await opened(catalogue)
    await catalogue.uploads.begin_completion(upload.upload_id)
    await catalogue.titles.delete(upload.movie_id)
    with pytest.raises(TitleUnknown):
        await catalogue.uploads.finish_completion(upload.upload_id, topic="t", value=b"")
    assert list(await catalogue.outbox.oldest()) == []
    await catalogue.uploads.end(upload.upload_id, "abandoned")
    with pytest.raises(TitleUnknown):
        await catalogue.versions.publish(publication_of(upload.movie_id, 1))
