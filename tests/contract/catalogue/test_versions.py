"""The chain's view of the catalogue: progress, content, refusal, and publishing only upward."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from marquee.documents import ProfileName
from marquee.domain.ids import new_movie_id
from marquee.errors import TitleUnknown, UploadStateConflict
from marquee.notes import NoteStream, note
from marquee.stores.catalogue.contract import Catalogue
from tests.harness.catalogue.steps import captured_row, documents, ingesting, opened, playable, publication_of


async def test_percent_never_goes_back(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    report = catalogue.versions.report_progress
    await report(upload.movie_id, 1, stage="renditions", percent=40, speed=2.5, run_id="run")
    await report(upload.movie_id, 1, stage="renditions", percent=30)
    version = await catalogue.versions.get(upload.movie_id, 1)
    assert (version.stage, version.percent, version.speed, version.run_id) == ("renditions", 40, None, "run")
    with pytest.raises(TitleUnknown):
        await report(upload.movie_id, 2, stage="plan", percent=1)


async def test_the_newest_version_is_one_that_arrived(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    await opened(catalogue, upload.movie_id)
    assert (await catalogue.versions.newest(upload.movie_id)).version == 1
    await ingesting(catalogue, upload.movie_id)
    assert (await catalogue.versions.newest(upload.movie_id)).version == 3
    await catalogue.titles.delete(upload.movie_id)
    for movie_id in (upload.movie_id, new_movie_id()):
        with pytest.raises(TitleUnknown):
            await catalogue.versions.newest(movie_id)


async def test_a_refused_version_refuses_its_title_with_the_reason(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    await catalogue.versions.refuse(upload.movie_id, 1, "The file ends \x00 after 3 s.")
    version = await catalogue.versions.get(upload.movie_id, 1)
    assert version.state == "refused"
    assert version.reason is not None
    assert version.reason.startswith("The file ends")
    assert (await catalogue.titles.get(upload.movie_id)).state == "refused"
    with pytest.raises(UploadStateConflict):
        await catalogue.versions.publish(publication_of(upload.movie_id, 1))


@pytest.mark.parametrize("end", ["refuse", "fail"])
async def test_an_older_playable_version_stays_with_its_viewers(catalogue: Catalogue, end: str) -> None:
    movie_id = await playable(catalogue)
    second = await ingesting(catalogue, movie_id)
    before = await catalogue.titles.get(movie_id)
    await getattr(catalogue.versions, end)(movie_id, second.version, "no picture")
    assert await catalogue.titles.get(movie_id) == before
    assert before.state == "playable"
    await getattr(catalogue.versions, end)(movie_id, 1, "a late fault of a version that viewers have")
    assert (await catalogue.versions.get(movie_id, 1)).state == "playable"


async def test_a_new_run_takes_up_what_failed_or_was_refused(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    movie_id = upload.movie_id
    await catalogue.versions.report_progress(movie_id, 1, stage="plan", percent=10, run_id="first")
    await catalogue.versions.fail(movie_id, 1, "the disk was full")
    assert (await catalogue.titles.get(movie_id)).state == "failed"
    await catalogue.versions.report_progress(movie_id, 1, stage="source", percent=5, run_id="second")
    version = await catalogue.versions.get(movie_id, 1)
    assert (version.state, version.reason, version.percent, version.run_id) == ("ingesting", None, 10, "second")
    assert (await catalogue.titles.get(movie_id)).state == "ingesting"
    await catalogue.versions.refuse(movie_id, 1, "no picture")
    await catalogue.versions.report_progress(movie_id, 1, stage="source", percent=11, run_id="second")
    assert (await catalogue.versions.get(movie_id, 1)).state == "refused", "the run that refused it took it up again"
    await catalogue.versions.report_progress(movie_id, 1, stage="source", percent=12, run_id="third")
    assert (await catalogue.versions.get(movie_id, 1)).state == "ingesting"


async def test_publishing_makes_the_title_playable_with_its_document(catalogue: Catalogue, url: str) -> None:
    upload = await ingesting(catalogue)
    assert captured_row(url, upload.movie_id) is None, "a title that was never published has a document"
    publication = publication_of(upload.movie_id, 1)
    revision = await catalogue.versions.publish(publication)
    title = await catalogue.titles.get(upload.movie_id)
    assert (title.state, title.active_version, title.revision) == ("playable", 1, revision)
    assert (title.manifest, title.dash) == (publication.manifest, publication.dash)
    assert (title.poster, title.sprite_vtt) == (publication.poster, publication.sprite_vtt)
    assert (title.backdrop, title.tracks) == (publication.backdrop, publication.tracks)
    assert title.published_at is not None
    document = (await documents(catalogue))[upload.movie_id]
    assert (document.revision, document.playable, document.duration_seconds) == (revision, True, 101.0)
    assert (document.title, document.year) == (title.details.title, title.details.year)
    assert (document.aka, document.people) == (list(title.details.aka), list(title.details.people))
    assert document.genres == list(title.details.genres)
    assert document.poster == publication.poster
    assert document.popularity == pytest.approx(6.9088, abs=1e-3)
    assert captured_row(url, upload.movie_id) == (revision, True)


async def test_a_version_of_an_earlier_release_has_neither_backdrop_nor_tracks(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    again = await ingesting(catalogue, movie_id)
    await catalogue.versions.publish(replace(publication_of(movie_id, again.version), backdrop=(), tracks=None))
    title = await catalogue.titles.get(movie_id)
    assert (list(title.backdrop), title.tracks) == ([], None), "the new version shows what the old one offered"
    deleted = await catalogue.titles.delete(movie_id)
    assert deleted.active_version == again.version


async def test_the_active_version_moves_only_upward(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    second, third = await ingesting(catalogue, movie_id), await ingesting(catalogue, movie_id)
    published_at = (await catalogue.titles.get(movie_id)).published_at
    newest = await catalogue.versions.publish(publication_of(movie_id, third.version))
    assert await catalogue.versions.publish(publication_of(movie_id, second.version)) == newest, (
        "an older version changed it"
    )
    title = await catalogue.titles.get(movie_id)
    assert (title.active_version, title.duration_seconds, title.published_at) == (3, 103.0, published_at)
    states = [(await catalogue.versions.get(movie_id, number)).state for number in (1, 2, 3)]
    assert states == ["superseded", "superseded", "playable"]


async def test_versions_published_at_once_leave_the_highest(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    movie_id = upload.movie_id
    others = [await ingesting(catalogue, movie_id) for _ in range(7)]
    numbers = [1, *(other.version for other in others)]
    await asyncio.gather(
        *(catalogue.versions.publish(publication_of(movie_id, number)) for number in reversed(numbers))
    )
    title = await catalogue.titles.get(movie_id)
    assert title.active_version == 8
    assert title.manifest == f"{movie_id}/v8/master.m3u8"
    states = {number: (await catalogue.versions.get(movie_id, number)).state for number in numbers}
    assert [number for number, state in states.items() if state == "playable"] == [8]
    assert (await documents(catalogue))[movie_id].revision == title.revision


async def test_publishing_again_is_harmless_and_newer(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    first = (await catalogue.titles.get(movie_id)).revision
    assert await catalogue.versions.publish(publication_of(movie_id, 1)) > first
    with pytest.raises(TitleUnknown):
        await catalogue.versions.publish(publication_of(movie_id, 2))
    with pytest.raises(UploadStateConflict):
        await catalogue.versions.publish(publication_of(movie_id, (await opened(catalogue, movie_id)).version))


async def test_the_same_content_is_recognised(catalogue: Catalogue) -> None:
    first, second = await ingesting(catalogue), await ingesting(catalogue)
    remember = catalogue.versions.claim_content
    assert await remember(first.movie_id, 1, "aa") is None
    assert await remember(second.movie_id, 1, "aa") == first.movie_id
    assert await remember(first.movie_id, 1, "aa") is None, "a repeated run found itself, or its copy"
    again = await ingesting(catalogue, first.movie_id)
    assert await remember(first.movie_id, again.version, "aa") is None, "a title's own content is no copy"
    assert await remember(second.movie_id, 1, "bb") is None
    with pytest.raises(TitleUnknown):
        await remember(new_movie_id(), 1, "aa")


async def test_a_copy_says_whose_content_it_has_also_once_it_is_playable(catalogue: Catalogue) -> None:
    first, copy = await ingesting(catalogue), await ingesting(catalogue)
    await catalogue.versions.claim_content(first.movie_id, 1, "aa")
    await catalogue.versions.claim_content(copy.movie_id, 1, "aa")
    await catalogue.versions.publish(publication_of(copy.movie_id, 1))
    reason = (await catalogue.versions.get(copy.movie_id, 1)).reason
    assert reason is not None
    assert first.movie_id in reason
    assert (await catalogue.versions.get(first.movie_id, 1)).reason is None


@pytest.mark.parametrize("end", ["refuse", "fail", "delete"])
async def test_content_is_free_again_when_its_owner_is_gone(catalogue: Catalogue, end: str) -> None:
    first, second = await ingesting(catalogue), await ingesting(catalogue)
    await catalogue.versions.claim_content(first.movie_id, 1, "aa")
    if end == "delete":
        await catalogue.titles.delete(first.movie_id)
    else:
        await getattr(catalogue.versions, end)(first.movie_id, 1, "no picture")
    assert await catalogue.versions.claim_content(second.movie_id, 1, "aa") is None


async def test_of_titles_with_one_content_at_once_one_owns_it(catalogue: Catalogue) -> None:
    uploads = [await ingesting(catalogue) for _ in range(6)]
    answers = await asyncio.gather(*(catalogue.versions.claim_content(upload.movie_id, 1, "aa") for upload in uploads))
    owners = [upload.movie_id for upload, answer in zip(uploads, answers, strict=True) if answer is None]
    assert len(owners) == 1
    assert set(answers) == {None, owners[0]}


async def test_a_version_says_by_which_profile_it_was_planned(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    versions = catalogue.versions
    fresh = await versions.get(upload.movie_id, 1)
    assert (fresh.profile, fresh.profile_hash) == (None, None), "nothing has planned it yet"
    for name in ("fast", "efficient"):  # planned again by another profile
        await versions.set_profile(upload.movie_id, 1, ProfileName(name=name, hash=f"{name}-hash"))
    planned = await versions.newest(upload.movie_id)
    assert (planned.profile, planned.profile_hash) == ("efficient", "efficient-hash")
    with pytest.raises(TitleUnknown):
        await versions.set_profile(upload.movie_id, 7, ProfileName(name="fast", hash="x"))


async def test_notes_are_stored_by_stage_and_read_in_the_order_of_the_stages(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    movie_id, versions = upload.movie_id, catalogue.versions
    first, second = note("no-sound"), note("silent", NoteStream(kind="audio", index=1), why="x")
    await versions.set_notes(movie_id, 1, {"streams": [second]})
    await versions.set_notes(movie_id, 1, {"source": [first, first], "nonsense": []})
    assert (await versions.get(movie_id, 1)).notes == [first, first, second]
    await versions.set_notes(movie_id, 1, {"source": []})
    assert (await versions.of_upload(upload.upload_id)).notes == [second], "a stage that ran again kept its old notes"
    await versions.set_notes(movie_id, 1, {"source": [first]}, whole=True)
    assert (await versions.newest(movie_id)).notes == [first]
    with pytest.raises(TitleUnknown):
        await versions.set_notes(movie_id, 2, {})


async def test_a_title_has_the_notes_of_the_version_that_plays_else_of_the_newest(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    refused = await ingesting(catalogue)
    await catalogue.versions.set_notes(movie_id, 1, {"source": [note("no-sound")]})
    newer = await ingesting(catalogue, movie_id)
    await catalogue.versions.set_notes(movie_id, newer.version, {"source": [note("file-cut-off")]})
    await catalogue.versions.set_notes(refused.movie_id, 1, {"source": [note("clock-repaired")]})
    found = await catalogue.versions.notes_of_titles([movie_id, refused.movie_id, new_movie_id()])
    assert {one: [told.code for told in notes] for one, notes in found.items()} == {
        movie_id: ["no-sound"],
        refused.movie_id: ["clock-repaired"],
    }
    assert await catalogue.versions.notes_of_titles([]) == {}


async def test_versions_that_failed_in_a_span_of_time_are_found_while_they_are_failed(catalogue: Catalogue) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=5)
    failed, revived, refused = [await ingesting(catalogue) for _ in range(3)]
    await catalogue.versions.fail(failed.movie_id, 1, "no space")
    await catalogue.versions.fail(revived.movie_id, 1, "no space")
    await catalogue.versions.report_progress(revived.movie_id, 1, stage="streams", percent=80)
    await catalogue.versions.refuse(refused.movie_id, 1, "no picture")
    after = datetime.now(UTC) + timedelta(seconds=5)
    found = await catalogue.versions.failed_between(begun, after)
    assert (failed.movie_id, 1) in {(one.movie_id, one.version) for one in found}
    assert {revived.movie_id, refused.movie_id}.isdisjoint(one.movie_id for one in found)
    assert await catalogue.versions.failed_between(begun - timedelta(days=1), begun) == []
