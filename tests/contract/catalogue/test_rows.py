"""What home rows show: every playable title once, in order, in pages whose borders fall anywhere."""

import random

import psycopg
import pytest

from marquee.domain.ids import movie_id_of
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import RowPosition, TitleCard, TitleDetails
from tests.harness.catalogue.steps import ingesting, playable, publication_of


async def whole_genre_row(catalogue: Catalogue, genre: str, *, limit: int) -> list[TitleCard]:
    seen: list[TitleCard] = []
    after: RowPosition | None = None
    while page := await catalogue.rows.genre(genre, limit=limit, after=after):
        seen += [card for card, _ in page]
        after = page[-1][1]
    return seen


async def test_cards_are_of_the_playable_ones_in_the_order_given(catalogue: Catalogue) -> None:
    first, second = await playable(catalogue), await playable(catalogue)
    unready = (await ingesting(catalogue)).movie_id
    cards = await catalogue.rows.cards([second, unready, "m_unknown", first])
    assert [card.movie_id for card in cards] == [second, first]
    assert cards[0].duration_seconds == 101.0
    assert cards[0].poster == f"{second}/v1/poster.jpg"
    assert list(await catalogue.rows.cards([])) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_a_genre_row_is_by_popularity_and_every_title_comes_once(catalogue: Catalogue, limit: int) -> None:
    votes = [None, 0, 0, 7, 7, 7, 1000, 3]
    random.shuffle(votes)
    made = {
        await playable(catalogue, TitleDetails("x", genres=("Film-Noir", "film-noir"), votes=number)): number or 0
        for number in votes
    }
    await playable(catalogue, TitleDetails("of another genre", genres=("Western",), votes=9))
    row = [card.movie_id for card in await whole_genre_row(catalogue, "FILM-NOIR", limit=limit)]
    assert row == sorted(made, key=lambda movie_id: (made[movie_id], movie_id), reverse=True)


async def test_new_releases_are_newest_first_and_come_once(catalogue: Catalogue) -> None:
    made = [await playable(catalogue, TitleDetails(f"Film {number}")) for number in range(7)]
    seen: list[str] = []
    after: RowPosition | None = None
    while page := await catalogue.rows.new_releases(limit=2, after=after):
        seen += [card.movie_id for card, _ in page]
        after = page[-1][1]
    assert seen == list(reversed(made))
    first = (await catalogue.rows.new_releases(limit=2, after=None))[0][0]
    assert [one.key for one in first.backdrop] == [f"{made[-1]}/v1/backdrop-640.jpg"], (
        "a row's first page has backdrops"
    )


async def test_a_new_master_does_not_make_an_old_title_new(catalogue: Catalogue) -> None:
    first, second = await playable(catalogue), await playable(catalogue)
    again = await ingesting(catalogue, first)
    await catalogue.versions.publish(publication_of(first, again.version))
    assert [card.movie_id for card, _ in await catalogue.rows.new_releases(limit=5, after=None)] == [second, first]


PLANS = {
    "genre row": """
        EXPLAIN SELECT * FROM title_genre AS place JOIN title USING (movie_id)
        WHERE genre = 'drama' AND (place.popularity, place.movie_id) < (5.0, 'm_v')
        ORDER BY place.popularity DESC, place.movie_id DESC LIMIT 10
    """,
    "new releases": """
        EXPLAIN SELECT * FROM title
        WHERE state = 'playable' AND (published_at, movie_id) < (now(), 'm_v')
        ORDER BY published_at DESC, movie_id DESC LIMIT 10
    """,
}


@pytest.mark.parametrize(
    ("row", "index"), [("genre row", "title_genre_row_idx"), ("new releases", "title_new_releases_idx")]
)
async def test_a_page_is_one_index_range_at_any_depth(catalogue: Catalogue, url: str, row: str, index: str) -> None:
    await catalogue.titles.announce(
        [(movie_id_of(str(n)), TitleDetails("x", genres=("Drama",), votes=n)) for n in range(3000)]
    )
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE title SET state = 'playable', published_at = now() - votes * interval '1 minute'")
        connection.execute("INSERT INTO title_genre SELECT movie_id, 'drama', popularity FROM title")
        connection.execute("ANALYZE title, title_genre")
        plan = "\n".join(line for (line,) in connection.execute(PLANS[row]).fetchall())
    assert f"using {index}" in plan, f"PostgreSQL reads more than the page:\n{plan}"
    assert "Sort" not in plan, f"PostgreSQL sorts the row:\n{plan}"
