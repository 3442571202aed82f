"""Cancelling a version in work: what becomes of its title, whoever works on it is told, and nothing brings it back."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from marquee.domain.ids import movie_id_of
from marquee.errors import IngestCancelled, MarqueeError, TitleUnknown, VersionNotInWork
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.postgres.cancelling import MAX_ENDED
from marquee.stores.catalogue.values import TitleDetails
from tests.harness.catalogue.steps import documents, ingesting, opened, playable, publication_of


async def test_a_title_with_no_other_version_ends_as_cancelled(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    await catalogue.versions.cancel(upload.movie_id, 1)
    version = await catalogue.versions.get(upload.movie_id, 1)
    assert (version.state, version.reason) == ("cancelled", "Preparing the film was cancelled.")
    assert (await catalogue.titles.get(upload.movie_id)).state == "cancelled"
    assert upload.movie_id not in await documents(catalogue)


async def test_a_cancelled_replacement_leaves_what_viewers_have(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    before = await catalogue.titles.get(movie_id)
    await ingesting(catalogue, movie_id)
    await catalogue.versions.cancel(movie_id, 2)
    after = await catalogue.titles.get(movie_id)
    assert (after.state, after.active_version, after.manifest) == ("playable", 1, before.manifest)
    assert (await catalogue.versions.newest(movie_id)).version == 1, "a run would work on the cancelled version"


async def test_an_announced_title_is_announced_again(catalogue: Catalogue) -> None:
    movie_id = movie_id_of("tt1")
    await catalogue.titles.announce([(movie_id, TitleDetails("Announced"))])
    await ingesting(catalogue, movie_id)
    await catalogue.versions.cancel(movie_id, 1)
    assert (await catalogue.titles.get(movie_id)).state == "announced"


async def test_how_an_older_version_ended_stays_the_titles_state(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    await catalogue.versions.refuse(upload.movie_id, 1, "No picture.")
    await ingesting(catalogue, upload.movie_id)
    await catalogue.versions.cancel(upload.movie_id, 2)
    assert (await catalogue.titles.get(upload.movie_id)).state == "refused"


async def test_whoever_works_on_a_cancelled_version_is_told(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    movie_id = upload.movie_id
    await catalogue.versions.report_progress(movie_id, 1, stage="plan", percent=7, run_id="first")
    await catalogue.versions.cancel(movie_id, 1)
    for run_id in (None, "first", "another"):
        with pytest.raises(IngestCancelled, match="cancelled"):
            await catalogue.versions.report_progress(movie_id, 1, stage="plan", percent=8, run_id=run_id)
    with pytest.raises(IngestCancelled):
        await catalogue.versions.publish(publication_of(movie_id, 1))
    with pytest.raises(IngestCancelled):
        await catalogue.versions.cancel_older(movie_id, 1)
    await catalogue.versions.refuse(movie_id, 1, "late")
    await catalogue.versions.fail(movie_id, 1, "late")
    version = await catalogue.versions.get(movie_id, 1)
    assert (version.state, version.percent) == ("cancelled", 7), "a late word changed a cancelled version"


async def test_only_a_version_in_work_is_cancelled_and_the_caller_is_told_why(catalogue: Catalogue) -> None:
    shown, upload = await playable(catalogue), await opened(catalogue)
    refused, twice = await ingesting(catalogue), await ingesting(catalogue)
    await catalogue.versions.refuse(refused.movie_id, 1, "No picture.")
    await catalogue.versions.cancel(twice.movie_id, 1)
    for movie_id, words in (
        (shown, "can be played"),
        (upload.movie_id, "being uploaded"),
        (refused.movie_id, "was refused"),
        (twice.movie_id, "was cancelled"),
    ):
        before = await catalogue.titles.get(movie_id)
        with pytest.raises(VersionNotInWork, match=words):
            await catalogue.versions.cancel(movie_id, 1)
        assert await catalogue.titles.get(movie_id) == before
    for movie_id, version in ((shown, 9), (movie_id_of("nobody"), 1)):
        with pytest.raises(TitleUnknown):
            await catalogue.versions.cancel(movie_id, version)


@pytest.mark.parametrize("round_", range(4))
async def test_a_cancellation_and_a_publication_at_once_end_in_one_of_both(catalogue: Catalogue, round_: int) -> None:
    upload = await ingesting(catalogue)
    movie_id = upload.movie_id

    async def cancel() -> None:
        await asyncio.sleep(round_ * 0.002)
        await catalogue.versions.cancel(movie_id, 1)

    published, cancelled = await asyncio.gather(
        catalogue.versions.publish(publication_of(movie_id, 1)), cancel(), return_exceptions=True
    )
    title, version = await catalogue.titles.get(movie_id), await catalogue.versions.get(movie_id, 1)
    if isinstance(cancelled, VersionNotInWork):
        assert not isinstance(published, BaseException)
        assert (title.state, version.state) == ("playable", "playable")
    else:
        assert isinstance(published, IngestCancelled), f"a film that is gone was called published: {published!r}"
        assert (title.state, version.state, title.active_version) == ("cancelled", "cancelled", None)


async def test_of_cancellations_at_once_one_does_it_and_the_others_are_told(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    ended = await asyncio.gather(
        *(catalogue.versions.cancel(upload.movie_id, 1) for _ in range(5)), return_exceptions=True
    )
    assert [type(one) for one in ended].count(VersionNotInWork) == 4
    assert all(one is None or isinstance(one, MarqueeError) for one in ended)


async def test_a_newer_film_that_is_accepted_cancels_the_older_work_and_nothing_else(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    for _ in range(3):
        await ingesting(catalogue, movie_id)
    coming = await opened(catalogue, movie_id)
    assert list(await catalogue.versions.cancel_older(movie_id, 4)) == [2, 3]
    states = [(await catalogue.versions.get(movie_id, number)).state for number in range(1, 6)]
    assert states == ["playable", "cancelled", "cancelled", "ingesting", "uploading"]
    assert "Version 4" in ((await catalogue.versions.get(movie_id, 2)).reason or "")
    assert list(await catalogue.versions.cancel_older(movie_id, 4)) == [], "to repeat it does no harm"
    assert (await catalogue.uploads.get(coming.upload_id)).state == "open"


async def test_cancelled_versions_are_found_by_the_time_of_their_end(catalogue: Catalogue) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=5)
    cancelled, failed = await ingesting(catalogue), await ingesting(catalogue)
    await catalogue.versions.cancel(cancelled.movie_id, 1)
    await catalogue.versions.fail(failed.movie_id, 1, "no space")
    after = datetime.now(UTC) + timedelta(seconds=5)
    [found] = await catalogue.versions.cancelled_between(begun, after)
    assert (found.movie_id, found.version) == (cancelled.movie_id, 1)
    assert await catalogue.versions.cancelled_between(begun - timedelta(days=1), begun) == []


@pytest.mark.parametrize("end", ["fail", "refuse", "cancel"])
async def test_what_a_newer_film_overtook_can_be_run_again_if_that_one_ends_unplayed(
    catalogue: Catalogue, end: str
) -> None:
    versions = catalogue.versions
    movie_id = await playable(catalogue)
    for _ in range(3):
        await ingesting(catalogue, movie_id)
    await versions.cancel(movie_id, 2)
    await versions.cancel_older(movie_id, 4)
    assert [await versions.keeps_film(movie_id, number) for number in (2, 3)] == [False, True]
    with contextlib.suppress(MarqueeError):
        await versions.fail(movie_id, 3, "late")
    assert (await versions.get(movie_id, 3)).state == "cancelled", "its own late failure made it failed"
    await (versions.cancel(movie_id, 4) if end == "cancel" else getattr(versions, end)(movie_id, 4, "No space."))
    states = [(await versions.get(movie_id, number)).state for number in (1, 2, 3)]
    assert states == ["playable", "cancelled", "failed"]
    assert "start its run again" in ((await versions.get(movie_id, 3)).reason or "")
    assert await versions.keeps_film(movie_id, 3)
    await versions.report_progress(movie_id, 3, stage="source", percent=1, run_id="again")
    assert (await versions.get(movie_id, 3)).state == "ingesting"
    await versions.publish(publication_of(movie_id, 3))
    assert (await catalogue.titles.get(movie_id)).active_version == 3


async def test_what_is_removed_is_not_looked_after_again_until_a_newer_film_plays(catalogue: Catalogue) -> None:
    versions, after = catalogue.versions, datetime.now(UTC) + timedelta(seconds=5)
    older = await ingesting(catalogue)
    movie_id = older.movie_id
    newer, alone = await ingesting(catalogue, movie_id), await ingesting(catalogue)
    await versions.cancel_older(movie_id, newer.version)
    await versions.cancel(alone.movie_id, 1)
    found = await versions.unremoved_before(after)
    assert [(one.movie_id, one.version) for one in found] == [(movie_id, 1), (alone.movie_id, 1)]
    assert await versions.unremoved_before(found[0].ended_at) == []
    for one in found:
        await versions.mark_removed(one.movie_id, one.version)
    assert await versions.unremoved_before(after) == []
    await versions.publish(publication_of(movie_id, newer.version))
    assert [(one.movie_id, one.version) for one in await versions.unremoved_before(after)] == [(movie_id, 1)]
    assert not await versions.keeps_film(movie_id, 1)


async def test_of_many_cancellations_the_newest_come_first(catalogue: Catalogue, url: str) -> None:
    begun = datetime.now(UTC) - timedelta(days=1)
    upload = await ingesting(catalogue)
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO title_version (movie_id, version, upload_id, state, stage, updated_at)"
            " SELECT %s, n, 'many' || n, 'cancelled', 'source', now() - n * interval '1 second'"
            " FROM generate_series(2, 1500) AS n",
            [upload.movie_id],
        )
    await catalogue.versions.cancel(upload.movie_id, 1)
    found = await catalogue.versions.cancelled_between(begun, datetime.now(UTC) + timedelta(seconds=5))
    assert [one.version for one in found] == list(range(1, len(found) + 1))
    assert len(found) == MAX_ENDED
