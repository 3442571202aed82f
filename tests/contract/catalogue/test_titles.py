"""Titles: editing, taking out and back, deleting, announcing; and revisions, which search depends on."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from marquee.domain.ids import movie_id_of, new_movie_id
from marquee.errors import InputInvalid, RevisionConflict, TitleNotPlayable, TitleUnknown
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import TitleDetails, TitleQuery
from tests.harness.catalogue.steps import (
    DETAILS,
    captured_row,
    documents,
    ingesting,
    playable,
    publication_of,
    renamed,
)


async def test_an_edit_reaches_title_document_and_rows(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    before = await catalogue.titles.get(movie_id)
    details = TitleDetails("Renamed", year=2001, genres=("Comedy",), votes=5)
    after = await catalogue.titles.edit(movie_id, details, revision=before.revision)
    assert after.revision > before.revision
    assert (after.details.title, after.details.year, after.details.description) == ("Renamed", 2001, None)
    document = (await documents(catalogue))[movie_id]
    assert (document.title, document.genres, document.revision) == ("Renamed", ["Comedy"], after.revision)
    assert [card.title for card, _ in await catalogue.rows.genre("comedy", limit=5, after=None)] == ["Renamed"]
    assert list(await catalogue.rows.genre("Drama", limit=5, after=None)) == []


async def test_of_two_edits_of_one_revision_the_second_is_told(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    revision = (await catalogue.titles.get(movie_id)).revision
    outcomes = await asyncio.gather(
        *(catalogue.titles.edit(movie_id, renamed(f"By {editor}"), revision=revision) for editor in range(5)),
        return_exceptions=True,
    )
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, RevisionConflict) for outcome in outcomes) == 4


async def test_values_that_no_column_holds_are_refused(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    before = await catalogue.titles.get(movie_id)
    for details in (
        TitleDetails("nul\x00"),
        TitleDetails("surrogate \ud800"),
        TitleDetails("far future", year=2**40),
        TitleDetails("nul in a genre", genres=("\x00",)),
    ):
        with pytest.raises(InputInvalid):
            await catalogue.titles.edit(movie_id, details)
        with pytest.raises(InputInvalid):
            await catalogue.titles.announce([(new_movie_id(), details)])
    assert await catalogue.titles.get(movie_id) == before


async def test_an_unpublished_title_is_nowhere_until_it_comes_back(catalogue: Catalogue, url: str) -> None:
    movie_id = await playable(catalogue)
    published = await catalogue.titles.get(movie_id)
    for _ in range(2):
        out = await catalogue.titles.unpublish(movie_id)
        assert out.state == "unpublished"
    assert out.revision > published.revision
    assert captured_row(url, movie_id) == (out.revision, False), "search is not told to let the title go"
    assert await documents(catalogue) == {}
    assert list(await catalogue.rows.cards([movie_id])) == []
    assert list(await catalogue.rows.new_releases(limit=5, after=None)) == []
    assert list(await catalogue.rows.genre("Drama", limit=5, after=None)) == []
    second = await ingesting(catalogue, movie_id)
    await catalogue.versions.publish(publication_of(movie_id, second.version))
    assert (await catalogue.titles.get(movie_id)).state == "unpublished", "a new master undid what an engineer decided"
    assert captured_row(url, movie_id) is not None
    assert await documents(catalogue) == {}
    for _ in range(2):
        back = await catalogue.titles.republish(movie_id)
    assert (back.state, back.active_version, back.published_at) == ("playable", 2, published.published_at)
    assert (await documents(catalogue))[movie_id].revision == back.revision


async def test_only_what_was_published_is_taken_out_or_back(catalogue: Catalogue) -> None:
    upload = await ingesting(catalogue)
    for call in (catalogue.titles.unpublish(upload.movie_id), catalogue.titles.republish(upload.movie_id)):
        with pytest.raises(TitleNotPlayable):
            await call
    announced = new_movie_id()
    await catalogue.titles.announce([(announced, DETAILS)])
    assert (await catalogue.titles.unpublish(announced)).state == "unpublished"
    assert (await catalogue.titles.republish(announced)).state == "announced"


async def test_a_deleted_title_is_unknown_everywhere(catalogue: Catalogue, url: str) -> None:
    movie_id = await playable(catalogue)
    title = await catalogue.titles.get(movie_id)
    assert await catalogue.titles.delete(movie_id) == title, "the caller must learn what to remove"
    for call in (
        catalogue.titles.get(movie_id),
        catalogue.titles.edit(movie_id, DETAILS),
        catalogue.titles.unpublish(movie_id),
        catalogue.titles.republish(movie_id),
        catalogue.titles.delete(movie_id),
        catalogue.versions.get(movie_id, 1),
        catalogue.versions.refuse(movie_id, 1, "late"),
        catalogue.versions.report_progress(movie_id, 1, stage="plan", percent=1),
        catalogue.versions.publish(publication_of(movie_id, 1)),
    ):
        with pytest.raises(TitleUnknown):
            await call
    assert list(await catalogue.titles.page(TitleQuery(), limit=5)) == []
    assert list(await catalogue.rows.cards([movie_id])) == []
    assert list(await catalogue.rows.new_releases(limit=5, after=None)) == []
    row = captured_row(url, movie_id)
    assert row is not None
    assert row[0] > title.revision
    assert row[1] is False


async def test_revisions_grow_through_deleting_and_announcing_again(catalogue: Catalogue, url: str) -> None:
    movie_id = movie_id_of("catalogue/1")
    revisions = []
    for _ in range(3):
        assert await catalogue.titles.announce([(movie_id, DETAILS)]) == 1
        revisions.append(captured_row(url, movie_id))
        await catalogue.titles.delete(movie_id)
        revisions.append(captured_row(url, movie_id))
    numbers = [row[0] for row in revisions if row is not None]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 6
    assert [row[1] for row in revisions if row is not None] == [True, False] * 3


async def test_revisions_grow_in_the_order_of_commits(catalogue: Catalogue, url: str) -> None:
    movie_id = await playable(catalogue)
    edited = await asyncio.gather(
        *(catalogue.titles.edit(movie_id, renamed(f"Title {number}")) for number in range(20))
    )
    last = max(edited, key=lambda title: title.revision)
    assert len({title.revision for title in edited}) == 20
    assert await catalogue.titles.get(movie_id) == last, "an older revision was committed after a newer one"
    assert captured_row(url, movie_id) == (last.revision, True)


async def test_announced_titles_are_known_but_never_offered(catalogue: Catalogue) -> None:
    batch = [(new_movie_id(), renamed(f"Announced {number}")) for number in range(5)]
    assert await catalogue.titles.announce(batch) == 5
    assert await catalogue.titles.announce([]) == 0
    movie_ids = [movie_id for movie_id, _ in batch]
    found = await documents(catalogue)
    assert sorted(found) == sorted(movie_ids)
    assert not any(document.playable for document in found.values())
    assert (await catalogue.titles.get(movie_ids[0])).state == "announced"
    assert list(await catalogue.rows.cards(movie_ids)) == []
    assert list(await catalogue.rows.genre("Drama", limit=5, after=None)) == []
    assert list(await catalogue.rows.new_releases(limit=5, after=None)) == []


async def test_announcing_again_changes_only_what_changed(catalogue: Catalogue) -> None:
    same, changed = new_movie_id(), new_movie_id()
    await catalogue.titles.announce([(same, DETAILS), (changed, DETAILS)])
    before = await documents(catalogue)
    assert await catalogue.titles.announce([(same, DETAILS), (changed, DETAILS), (changed, renamed("Changed"))]) == 0
    after = await documents(catalogue)
    assert after[same] == before[same], "an unchanged title is indexed again"
    assert after[changed].title == "Changed"
    assert after[changed].revision > before[changed].revision


async def test_an_announced_title_that_was_ingested_keeps_its_engineers_details(catalogue: Catalogue) -> None:
    movie_id = new_movie_id()
    await catalogue.titles.announce([(movie_id, DETAILS)])
    upload = await ingesting(catalogue, movie_id)
    assert (await catalogue.titles.get(movie_id)).state == "ingesting"
    assert (await documents(catalogue))[movie_id].playable is False, "an announced title vanished from search"
    await catalogue.versions.refuse(movie_id, upload.version, "no picture")
    assert (await catalogue.titles.get(movie_id)).state == "refused"
    second = await ingesting(catalogue, movie_id)
    await catalogue.versions.publish(publication_of(movie_id, second.version))
    await catalogue.titles.edit(movie_id, renamed("By an engineer"))
    assert await catalogue.titles.announce([(movie_id, DETAILS)]) == 0
    document = (await documents(catalogue))[movie_id]
    assert (document.title, document.playable) == ("By an engineer", True)


async def test_every_live_document_is_streamed_once(catalogue: Catalogue) -> None:
    batch = [(new_movie_id(), TitleDetails(f"Title {number}")) for number in range(2500)]
    assert await catalogue.titles.announce(batch) == 2500
    found = [document.movie_id async for document in catalogue.titles.documents()]
    assert found == sorted(movie_id for movie_id, _ in batch)


async def test_a_deleted_title_is_known_until_somebody_says_that_nothing_of_it_is_stored(catalogue: Catalogue) -> None:
    first, second = await playable(catalogue), await playable(catalogue)
    for movie_id in (first, second):
        await catalogue.titles.delete(movie_id)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert list(await catalogue.titles.deleted_before(soon)) == [first, second]
    assert list(await catalogue.titles.deleted_before(soon, limit=1)) == [first]
    assert list(await catalogue.titles.deleted_before(soon - timedelta(hours=1))) == []
    for _ in range(2):
        await catalogue.titles.mark_removed(first)
    assert list(await catalogue.titles.deleted_before(soon)) == [second]


async def test_an_id_that_is_announced_again_is_not_a_deleted_titles(catalogue: Catalogue) -> None:
    movie_id = await playable(catalogue)
    await catalogue.titles.delete(movie_id)
    await catalogue.titles.announce([(movie_id, DETAILS)])
    assert (await catalogue.titles.get(movie_id)).state == "announced"
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert list(await catalogue.titles.deleted_before(soon)) == [], "files of a title that is there would be removed"
    await catalogue.titles.delete(movie_id)
    assert list(await catalogue.titles.deleted_before(soon)) == [movie_id]
