"""Requests for one upload or title that meet: each ends in one of the orders that would be right, and the loser is told."""

import asyncio
import hashlib
from dataclasses import replace

import pytest

from marquee.errors import MarqueeError, PartsMismatch, TitleNotPlayable, TitleUnknown, UploadStateConflict
from marquee.ingest.completion import complete_upload
from marquee.ingest.ending import end_upload
from marquee.ingest.removal import remove_title
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Publication, Sidecar, Upload
from marquee.stores.objects.contract import Objects
from tests.harness.uploads import BODIES, mark_completed, messages, new_upload, put, stated

OTHER_TAIL = b"the liat"


async def stored_keys(objects: Objects, upload: Upload) -> list[str]:
    return [one.key async for one in objects.list(f"uploads/{upload.upload_id}/")]


async def test_completions_at_once_store_and_tell_the_film_once(
    catalogue: Catalogue, objects: Objects, upload: Upload
) -> None:
    ended = await asyncio.gather(
        *(complete_upload(catalogue.uploads, objects, upload.upload_id, stated()) for _ in range(4))
    )
    assert {one.state for one in ended} == {"completed"}
    assert await objects.get(upload.key) == b"".join(BODIES)
    assert len(await messages(catalogue, upload)) == 1, "the chain was started more than once"


async def test_of_two_bytes_of_a_part_at_once_the_film_has_those_of_the_list(
    catalogue: Catalogue, objects: Objects, upload: Upload
) -> None:
    await asyncio.gather(*(put(objects, upload, 2, body) for body in (OTHER_TAIL, BODIES[1], OTHER_TAIL)))
    try:
        await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    except PartsMismatch:  # the store keeps the last bytes only: the client sends its part again
        await put(objects, upload, 2, BODIES[1])
        await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    assert await objects.get(upload.key) == b"".join(BODIES), "the film is neither client's file"


async def test_of_completions_with_different_parts_at_once_the_loser_is_told(
    catalogue: Catalogue, objects: Objects, upload: Upload
) -> None:
    await put(objects, upload, 2, OTHER_TAIL)
    other = [stated()[0], replace(stated()[1], checksum=hashlib.md5(OTHER_TAIL).hexdigest())]
    wanted = [b"".join(BODIES), BODIES[0] + OTHER_TAIL]
    ended = await asyncio.gather(
        *(complete_upload(catalogue.uploads, objects, upload.upload_id, parts) for parts in (stated(), other)),
        return_exceptions=True,
    )
    assert all(isinstance(one, Upload | MarqueeError) for one in ended), f"a fault and no sentence: {ended}"
    assert any(isinstance(one, Upload) for one in ended), f"both were refused: {ended}"
    assert await objects.get(upload.key) in wanted
    assert len(await messages(catalogue, upload)) == 1


@pytest.mark.parametrize("round_", range(4))
async def test_a_completion_and_a_cancellation_at_once_leave_the_whole_film_or_nothing(
    catalogue: Catalogue, objects: Objects, upload: Upload, round_: int
) -> None:
    async def cancel() -> None:
        await asyncio.sleep(round_ * 0.02)  # another step of the completion each time
        await end_upload(catalogue.uploads, objects, upload.upload_id, "aborted")

    completed, cancelled = await asyncio.gather(
        complete_upload(catalogue.uploads, objects, upload.upload_id, stated()), cancel(), return_exceptions=True
    )
    for one in (completed, cancelled):
        assert not isinstance(one, BaseException) or isinstance(one, MarqueeError), f"no sentence: {one!r}"
    state = (await catalogue.uploads.get(upload.upload_id)).state
    if state == "completed":
        assert await objects.get(upload.key) == b"".join(BODIES)
        assert isinstance(cancelled, UploadStateConflict), "a cancellation that had no effect was not told"
    else:
        assert isinstance(completed, MarqueeError), "a film that is gone was called complete"
        if state != "aborted":
            await end_upload(catalogue.uploads, objects, upload.upload_id, "aborted")
        assert await stored_keys(objects, upload) == [], "the bytes of a cancelled upload were left behind"
        assert await messages(catalogue, upload) == []


@pytest.mark.parametrize("round_", range(3))
async def test_a_title_deleted_while_its_film_completes_leaves_nothing(
    catalogue: Catalogue, objects: Objects, upload: Upload, round_: int
) -> None:
    async def delete() -> None:
        await asyncio.sleep(round_ * 0.03)
        await catalogue.titles.delete(upload.movie_id)
        await remove_title(catalogue.uploads, objects, objects, upload.movie_id)

    completed, deleted = await asyncio.gather(
        complete_upload(catalogue.uploads, objects, upload.upload_id, stated()), delete(), return_exceptions=True
    )
    assert not isinstance(deleted, BaseException), f"the deletion failed: {deleted!r}"
    if not isinstance(completed, Upload):
        assert isinstance(completed, MarqueeError), f"no sentence: {completed!r}"
        assert (await catalogue.uploads.get(upload.upload_id)).state in {"aborted", "abandoned"}
    # The housekeeping's round: the completion may have joined the parts after the removal had listed the objects.
    await remove_title(catalogue.uploads, objects, objects, upload.movie_id)
    assert await stored_keys(objects, upload) == []


async def test_an_upload_ends_with_its_title_and_the_client_is_told_at_its_next_step(
    catalogue: Catalogue, objects: Objects, upload: Upload
) -> None:
    await catalogue.titles.delete(upload.movie_id)
    await remove_title(catalogue.uploads, objects, objects, upload.movie_id)
    assert (await catalogue.uploads.get(upload.upload_id)).state == "aborted", "it counts as open for its account"
    with pytest.raises(UploadStateConflict, match="aborted"):
        await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())


async def test_of_subtitles_of_one_track_at_once_one_is_kept_and_the_others_are_named(
    catalogue: Catalogue, upload: Upload
) -> None:
    files = [Sidecar(f"uploads/x/sidecars/{number}", f"{number}.de.srt", "de", None) for number in range(5)]
    replaced = await asyncio.gather(
        *(catalogue.uploads.add_sidecar(upload.upload_id, one, max_sidecars=9) for one in files)
    )
    [kept] = (await catalogue.uploads.get(upload.upload_id)).sidecars
    assert {one.file_name for one in replaced if one} | {kept.file_name} == {one.file_name for one in files}


async def test_subtitles_of_other_tracks_are_all_kept_up_to_the_maximum(catalogue: Catalogue, upload: Upload) -> None:
    different = [
        Sidecar("k/0", "a.de.srt", "de", None),
        Sidecar("k/1", "b.de.srt", "de", None, forced=True),
        Sidecar("k/2", "c.de.srt", "de", "For children"),
        Sidecar("k/3", "d.srt", "und", None),
        Sidecar("k/4", "e.srt", "und", None),
    ]
    for one in different:
        assert await catalogue.uploads.add_sidecar(upload.upload_id, one, max_sidecars=5) is None
    corrected = replace(different[4], key="k/5")
    assert await catalogue.uploads.add_sidecar(upload.upload_id, corrected, max_sidecars=5) == different[4]
    more = [Sidecar(f"k/{number}", f"{number}.srt", "und", None) for number in range(10, 14)]
    refused = await asyncio.gather(
        *(catalogue.uploads.add_sidecar(upload.upload_id, one, max_sidecars=6) for one in more), return_exceptions=True
    )
    assert [type(one) for one in refused].count(UploadStateConflict) == 3, "requests at once got past the maximum"
    assert len((await catalogue.uploads.get(upload.upload_id)).sidecars) == 6


def published(upload: Upload) -> Publication:
    return Publication(upload.movie_id, upload.version, 10.0, "master.m3u8", "manifest.mpd", "poster.jpg", None)


async def test_an_edit_while_the_film_is_ingested_stays(catalogue: Catalogue, upload: Upload) -> None:
    await mark_completed(catalogue.uploads, upload)
    before = await catalogue.titles.get(upload.movie_id)
    edited = replace(before.details, title="Edited 🎬")
    await asyncio.gather(
        catalogue.titles.edit(upload.movie_id, edited, revision=before.revision),
        catalogue.versions.publish(published(upload)),
        return_exceptions=True,
    )
    after = await catalogue.titles.get(upload.movie_id)
    if after.details.title != "Edited 🎬":  # the publication came first, and the editor was told of the newer revision
        after = await catalogue.titles.edit(upload.movie_id, edited, revision=after.revision)
    assert (after.details.title, after.state, after.active_version) == ("Edited 🎬", "playable", upload.version)


async def test_unpublishing_while_publishing_takes_effect_or_is_refused(catalogue: Catalogue, upload: Upload) -> None:
    await mark_completed(catalogue.uploads, upload)
    unpublished, _ = await asyncio.gather(
        catalogue.titles.unpublish(upload.movie_id),
        catalogue.versions.publish(published(upload)),
        return_exceptions=True,
    )
    state = (await catalogue.titles.get(upload.movie_id)).state
    if isinstance(unpublished, BaseException):
        assert isinstance(unpublished, TitleNotPlayable)
        assert state == "playable"
    else:
        assert state == "unpublished", "an unpublished title is offered again"


async def test_a_title_deleted_just_before_it_is_published_is_not_published(
    catalogue: Catalogue, upload: Upload
) -> None:
    await mark_completed(catalogue.uploads, upload)
    outcome, _ = await asyncio.gather(
        catalogue.versions.publish(published(upload)), catalogue.titles.delete(upload.movie_id), return_exceptions=True
    )
    assert isinstance(outcome, int | TitleUnknown), f"no sentence: {outcome!r}"
    with pytest.raises(TitleUnknown):
        await catalogue.titles.get(upload.movie_id)
    with pytest.raises(TitleUnknown):
        await catalogue.versions.publish(published(upload))


@pytest.mark.parametrize("older_first", [True, False])
async def test_of_two_new_versions_the_newer_plays_and_the_older_says_that_it_was_replaced(
    catalogue: Catalogue, upload: Upload, older_first: bool
) -> None:
    older = await mark_completed(catalogue.uploads, upload)
    asked = new_upload(movie_id=upload.movie_id, account_id=upload.account_id)
    newer = await mark_completed(catalogue.uploads, await catalogue.uploads.open(asked, None))
    for one in (older, newer) if older_first else (newer, older):
        await catalogue.versions.publish(published(one))
    title = await catalogue.titles.get(upload.movie_id)
    assert title.active_version == newer.version, "the older one is published over the newer"
    assert (await catalogue.versions.get(upload.movie_id, older.version)).state == "superseded"
    await catalogue.versions.publish(published(older))
    assert (await catalogue.titles.get(upload.movie_id)).active_version == newer.version


async def test_a_wrong_list_does_not_disturb_a_completion_under_way(
    catalogue: Catalogue, objects: Objects, upload: Upload
) -> None:
    """It opened the upload again while its parts were joined: the film was there, and its upload was ended as empty."""
    await put(objects, upload, 2, OTHER_TAIL)
    await catalogue.uploads.begin_completion(upload.upload_id)
    with pytest.raises(PartsMismatch):
        await complete_upload(catalogue.uploads, objects, upload.upload_id, stated()[:1])
    assert (await catalogue.uploads.get(upload.upload_id)).state == "completing"
    assert (await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())).state == "completed"
    assert await objects.get(upload.key) == b"".join(BODIES)
