"""Uploads end as completed or as nothing, whoever is killed when: client, API, or the round that cleans up after both."""

import pytest

from marquee.errors import (
    ObjectMissing,
    PartsMismatch,
    StoreUnavailable,
    TitleUnknown,
    UploadStateConflict,
    UploadUnknown,
)
from marquee.ingest.completion import complete_upload
from marquee.ingest.ending import end_upload
from marquee.ingest.unattended_uploads import abandon_uploads, reconcile_uploads
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Upload
from marquee.stores.objects.contract import Objects, StoredPart
from tests.harness.uploads import BODIES, messages, put, stated


async def test_a_complete_upload_is_stored_and_told_once(
    catalogue: Catalogue, objects: Objects, upload: Upload
) -> None:
    for _ in range(3):
        assert (
            await complete_upload(catalogue.uploads, objects, upload.upload_id, stated()[::-1])
        ).state == "completed"
    assert await objects.get(upload.key) == b"".join(BODIES)
    [message] = await messages(catalogue, upload)
    assert (message.upload_id, message.movie_id, message.version) == (upload.upload_id, upload.movie_id, upload.version)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (stated()[:1], "has 2 parts"),
        ([*stated(), StoredPart(3, 1, "0" * 32)], "has 2 parts"),
        ([stated()[0], stated()[0]], "Part 2 is missing"),
        ([stated()[0], StoredPart(2, 8, "0" * 32)], "Part 2 is stored with the MD5"),
        ([stated()[0], StoredPart(2, 7, stated()[1].checksum)], "Part 2 must have 8 bytes"),
    ],
)
async def test_parts_that_are_not_the_file_leave_the_upload_open(
    catalogue: Catalogue, objects: Objects, upload: Upload, parts: list[StoredPart], words: str
) -> None:
    with pytest.raises(PartsMismatch, match=words):
        await complete_upload(catalogue.uploads, objects, upload.upload_id, parts)
    assert (await catalogue.uploads.get(upload.upload_id)).state == "open"
    assert await messages(catalogue, upload) == []
    assert (await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())).state == "completed"


async def test_a_part_sent_again_with_other_bytes_is_chosen_by_its_checksum(
    catalogue: Catalogue, objects: Objects, upload: Upload
) -> None:
    await put(objects, upload, 2, b"the liat")
    await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    assert await objects.get(upload.key) == b"".join(BODIES)


@pytest.mark.parametrize("joined", [False, True], ids=["before the parts are joined", "after"])
async def test_a_completion_cut_short_is_finished_without_its_client(
    catalogue: Catalogue, objects: Objects, upload: Upload, joined: bool
) -> None:
    await catalogue.uploads.begin_completion(upload.upload_id)
    if joined:
        await objects.complete_multipart(upload.key, upload.multipart_id, stated())
    assert await reconcile_uploads(catalogue.uploads, objects, older_than_seconds=60) == 0, (
        "a completion under way was touched"
    )
    assert await reconcile_uploads(catalogue.uploads, objects, older_than_seconds=0) == 1
    assert await reconcile_uploads(catalogue.uploads, objects, older_than_seconds=0) == 0
    assert (await catalogue.uploads.get(upload.upload_id)).state == "completed"
    assert await objects.get(upload.key) == b"".join(BODIES)
    assert len(await messages(catalogue, upload)) == 1
    assert (await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())).state == "completed"


async def test_an_upload_whose_bytes_are_gone_ends(catalogue: Catalogue, objects: Objects, upload: Upload) -> None:
    await objects.abort_multipart(upload.key, upload.multipart_id)
    with pytest.raises(PartsMismatch, match="start it again"):
        await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    assert (await catalogue.uploads.get(upload.upload_id)).state == "abandoned"
    with pytest.raises(UploadStateConflict):
        await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())


async def test_an_abandoned_upload_leaves_nothing(catalogue: Catalogue, objects: Objects, upload: Upload) -> None:
    assert await abandon_uploads(catalogue.uploads, objects, older_than_seconds=60) == 0
    assert await abandon_uploads(catalogue.uploads, objects, older_than_seconds=0) == 1
    assert (await catalogue.uploads.get(upload.upload_id)).state == "abandoned"
    with pytest.raises(ObjectMissing):
        await objects.list_parts(upload.key, upload.multipart_id)
    with pytest.raises(UploadUnknown):
        await catalogue.versions.of_upload(upload.upload_id)


@pytest.mark.parametrize("client_is_gone", [False, True])
async def test_an_upload_of_a_title_deleted_meanwhile_ends_and_leaves_nothing(
    catalogue: Catalogue, objects: Objects, upload: Upload, client_is_gone: bool
) -> None:
    await catalogue.titles.delete(upload.movie_id)
    if client_is_gone:
        await catalogue.uploads.begin_completion(upload.upload_id)
        assert await reconcile_uploads(catalogue.uploads, objects, older_than_seconds=0) == 0
    else:
        with pytest.raises(TitleUnknown):
            await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    assert (await catalogue.uploads.get(upload.upload_id)).state == "abandoned", "it would be tried again for ever"
    assert [one.key async for one in objects.list(f"uploads/{upload.upload_id}/")] == [], "its film was left behind"


async def test_an_upload_whose_end_was_cut_short_is_ended_by_the_next_round(
    catalogue: Catalogue, objects: Objects, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten = f"uploads/{upload.upload_id}/sidecars/forgotten"
    await objects.put(forgotten, b"WEBVTT", content_type="text/plain")

    async def killed(*_: object) -> None:
        raise StoreUnavailable("killed here")

    with monkeypatch.context() as patched:
        patched.setattr(catalogue.uploads, "end", killed)
        with pytest.raises(StoreUnavailable):
            await end_upload(catalogue.uploads, objects, upload.upload_id, "aborted")
    with pytest.raises(ObjectMissing):
        await objects.list_parts(upload.key, upload.multipart_id)
    assert await objects.head(forgotten) is None, "a subtitle that no row names was left behind"
    assert (await catalogue.uploads.get(upload.upload_id)).state == "open", "nobody would look for what is left"
    assert await abandon_uploads(catalogue.uploads, objects, older_than_seconds=0) == 1


@pytest.mark.parametrize("told", [False, True], ids=["joined", "completed"])
async def test_a_film_that_is_whole_is_not_removed_by_ending_its_upload(
    catalogue: Catalogue, objects: Objects, upload: Upload, told: bool
) -> None:
    if told:
        await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    else:
        await catalogue.uploads.begin_completion(upload.upload_id)
        await objects.complete_multipart(upload.key, upload.multipart_id, stated())
    with pytest.raises(UploadStateConflict):
        await end_upload(catalogue.uploads, objects, upload.upload_id, "aborted")
    assert await objects.get(upload.key) == b"".join(BODIES)
