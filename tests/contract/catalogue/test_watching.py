"""Popularity follows what viewers watch: by steps, in rows and in search, never far, and not for ever."""

from collections.abc import Mapping, Sequence

import pytest

from marquee.domain.popularity import MIN_STEP, popularity_of, watched_popularity
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import TitleDetails
from tests.harness.catalogue.steps import documents, playable

HOUR = 3600.0


async def film(catalogue: Catalogue, votes: int, genre: str = "War") -> str:
    return await playable(catalogue, TitleDetails("A film", genres=(genre,), votes=votes))


async def row(catalogue: Catalogue, genre: str = "War") -> list[str]:
    return [card.movie_id for card, _ in await catalogue.rows.genre(genre, limit=50, after=None)]


async def test_what_is_watched_rises_in_its_row_and_in_search_with_a_new_revision(catalogue: Catalogue) -> None:
    known, watched, other = await film(catalogue, 100), await film(catalogue, 50), await film(catalogue, 10, "Western")
    before = await catalogue.titles.listed(watched)
    moved = await catalogue.titles.follow_watching({watched: 1000 * HOUR})
    assert dict(moved) == {watched: ["War"]}
    assert await row(catalogue) == [watched, known]
    after = await catalogue.titles.listed(watched)
    assert after.title.revision == before.title.revision, "an edit that an engineer has open would be refused"
    assert after.changed_at == before.changed_at, "for engineers nothing of the title changed"
    document = (await documents(catalogue))[watched]
    assert document.revision > before.title.revision, "search would refuse the document"
    assert document.popularity == pytest.approx(popularity_of(50) + watched_popularity(1000 * HOUR))
    assert (await documents(catalogue))[other].popularity == pytest.approx(popularity_of(10))
    again: Mapping[str, Sequence[str]] = await catalogue.titles.follow_watching({watched: 1000 * HOUR})
    assert dict(again) == {}, "the same batch moved a title twice"
    assert (await documents(catalogue))[watched].revision == document.revision
    edit = TitleDetails("A film", genres=("War",), votes=51)
    edited = await catalogue.titles.edit(watched, edit, revision=before.title.revision)
    assert (await documents(catalogue))[watched].revision == edited.revision > document.revision


async def test_what_is_watched_no_more_falls_back_to_its_votes(catalogue: Catalogue) -> None:
    movie_id = await film(catalogue, 7)
    await catalogue.titles.follow_watching({movie_id: 90 * HOUR, "m_unknown": 5 * HOUR})
    await catalogue.titles.edit(movie_id, TitleDetails("Another name", genres=("War",), votes=70))
    edited = (await documents(catalogue))[movie_id].popularity
    assert edited == pytest.approx(popularity_of(70) + watched_popularity(90 * HOUR)), "an edit lost what was watched"
    assert list(await catalogue.titles.follow_watching({})) == [movie_id]
    assert (await documents(catalogue))[movie_id].popularity == pytest.approx(popularity_of(70))


async def test_a_title_that_is_announced_again_keeps_what_was_watched(catalogue: Catalogue) -> None:
    movie_id = "m_announced_again"
    await catalogue.titles.announce([(movie_id, TitleDetails("Soon", votes=5))])
    await catalogue.titles.follow_watching({movie_id: 90 * HOUR})
    await catalogue.titles.announce([(movie_id, TitleDetails("Soon", votes=6))])
    document = (await documents(catalogue))[movie_id]
    assert document.popularity == pytest.approx(popularity_of(6) + watched_popularity(90 * HOUR))
    await catalogue.titles.delete(movie_id)
    await catalogue.titles.announce([(movie_id, TitleDetails("Soon", votes=6))])
    assert (await documents(catalogue))[movie_id].popularity == pytest.approx(popularity_of(6)), (
        "a deleted title's past"
    )


async def test_small_moves_and_more_than_the_bound_wait(catalogue: Catalogue) -> None:
    made = [await film(catalogue, 1) for _ in range(4)]
    little = HOUR * 0.1
    assert watched_popularity(little) < MIN_STEP
    assert dict(await catalogue.titles.follow_watching({made[0]: little})) == {}
    hours = {movie_id: HOUR * 10 ** (number + 1) for number, movie_id in enumerate(made)}
    assert sorted(await catalogue.titles.follow_watching(hours, limit=3)) == sorted(made[1:]), "the largest come first"
    assert list(await catalogue.titles.follow_watching(hours, limit=3)) == [made[0]]
    await catalogue.titles.delete(made[3])
    assert sorted(await catalogue.titles.follow_watching({made[3]: HOUR})) == sorted(made[:3]), "a deleted title moved"
