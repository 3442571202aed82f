"""What viewers see of analytics: the accepted batch alone, playable titles alone, one profile's own."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import psycopg
import pytest

from marquee.stores.analytics.findings import open_findings
from marquee.stores.analytics.findings.contract import MAX_LIST_ITEMS, MAX_LISTS, Findings, ProfileFindings
from marquee.stores.catalogue import open_catalogue
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import RowPosition, TitleCard, TitleDetails
from marquee.stores.history import open_history
from tests.harness.batches import write_batch, write_watching
from tests.harness.catalogue.steps import ingesting, playable

PROFILE, OTHER = "p_" + "1" * 20, "p_" + "2" * 20


@pytest.fixture
def url(emptied_postgres_url: str) -> str:
    return emptied_postgres_url


@pytest.fixture
async def catalogue(url: str) -> AsyncIterator[Catalogue]:
    store = open_catalogue(url)
    yield store
    await store.close()


@pytest.fixture
async def findings(url: str) -> AsyncIterator[Findings]:
    store = open_findings(url)
    yield store
    await store.close()


async def films(catalogue: Catalogue, count: int) -> list[str]:
    return [await playable(catalogue, TitleDetails(f"Film {n}", genres=("Drama",))) for n in range(count)]


def ids(page: Sequence[tuple[TitleCard, RowPosition]]) -> list[str]:
    return [card.movie_id for card, _ in page]


def lists(found: ProfileFindings) -> dict[str, list[str]]:
    return {one.because_movie_id: [item.card.movie_id for item in one.items] for one in found.suggestions}


async def test_without_an_accepted_batch_there_is_nothing(catalogue: Catalogue, findings: Findings, url: str) -> None:
    (film, other) = await films(catalogue, 2)
    for state in ("written", "refused", "superseded"):
        write_batch(url, "popularity", state=state, popularity={"": [film]})
        write_batch(url, "similar", state=state, similar={film: [other]})
        write_batch(
            url, "suggestions", state=state, suggestions={(PROFILE, film): [other]}, taste={PROFILE: {"War": 1}}
        )
    assert list(await findings.trending(limit=9, after=None)) == []
    assert list(await findings.similar(film, limit=9)) == []
    assert await findings.of_profile(PROFILE) == ProfileFindings(has_batch=False)
    assert dict(await findings.watch_seconds()) == {}


async def test_a_refused_batch_leaves_yesterdays_and_an_accepted_one_replaces_them(
    catalogue: Catalogue, findings: Findings, url: str
) -> None:
    old, new = await films(catalogue, 2)
    assert dict(await findings.watch_seconds()) == {}, "without an accepted batch nothing moves"
    write_batch(url, "popularity", popularity={"": [old]}, watch_seconds={old: 7.0, "m_never_ranked": 9.0})
    write_batch(url, "popularity", state="refused", popularity={"": [new]})
    assert ids(await findings.trending(limit=9, after=None)) == [old]
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO daily_title VALUES (current_date - 28, %s, 1, 1, 1, 0, 5)", [old])
        connection.execute("INSERT INTO daily_title VALUES (current_date - 29, %s, 1, 1, 1, 0, 1000)", [old])
        connection.execute("INSERT INTO daily_title VALUES (current_date, %s, 1, 1, 1, 0, 1000)", [old])
    assert dict(await findings.watch_seconds()) == {old: 12.0, "m_never_ranked": 9.0}, (
        "only ranked titles count, or days outside of the batch's four weeks"
    )
    write_batch(url, "popularity", popularity={"": [new, old], "war": [old]})
    assert ids(await findings.trending(limit=9, after=None)) == [new, old]


async def test_what_is_watched_less_than_its_past_lets_expect_does_not_trend(
    catalogue: Catalogue, findings: Findings, url: str
) -> None:
    rising, steady, falling = await films(catalogue, 3)
    batch_id = write_batch(url, "popularity", popularity={"": [rising, steady, falling]})
    with psycopg.connect(url) as connection:
        for movie_id, score in ((steady, 0.0), (falling, -0.5)):
            connection.execute(
                "UPDATE popularity SET score = %s WHERE batch_id = %s AND movie_id = %s", [score, batch_id, movie_id]
            )
    assert ids(await findings.trending(limit=9, after=None)) == [rising, steady]


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_trending_is_paged_by_rank_and_skips_what_does_not_play(
    catalogue: Catalogue, findings: Findings, url: str, limit: int
) -> None:
    made = await films(catalogue, 5)
    unready = (await ingesting(catalogue)).movie_id
    write_batch(url, "popularity", popularity={"": [made[0], unready, "m_gone", *made[1:]], "drama": [made[4]]})
    await catalogue.titles.unpublish(made[1])
    found: list[str] = []
    after: RowPosition | None = None
    while page := await findings.trending(limit=limit, after=after):
        found += ids(page)
        after = page[-1][1]
    assert found == [made[0], made[2], made[3], made[4]]
    first = (await findings.trending(limit=1, after=None))[0][0]
    assert [one.key for one in first.backdrop] == [f"{made[0]}/v1/backdrop-640.jpg"]
    await catalogue.titles.republish(made[1])
    assert made[1] in ids(await findings.trending(limit=9, after=None)), "a title that came back is missing"


async def test_similar_titles_are_in_order_playable_and_never_the_title_itself(
    catalogue: Catalogue, findings: Findings, url: str
) -> None:
    film, *others = await films(catalogue, 4)
    write_batch(url, "similar", similar={film: [others[2], film, "m_gone", others[0], others[1]], others[0]: [film]})
    assert ids(await findings.similar(film, limit=9)) == [others[2], others[0], others[1]]
    assert ids(await findings.similar(film, limit=2)) == [others[2], others[0]]
    await catalogue.titles.delete(others[2])
    assert ids(await findings.similar(film, limit=9)) == [others[0], others[1]], "a deleted title is still listed"
    assert ids(await findings.similar(others[0], limit=9)) == [film]
    assert list(await findings.similar("m_unknown", limit=9)) == []


async def test_a_profile_gets_its_own_taste_and_suggestions(catalogue: Catalogue, findings: Findings, url: str) -> None:
    why, second, *others = await films(catalogue, 6)
    write_batch(
        url,
        "suggestions",
        suggestions={(PROFILE, why): others, (PROFILE, second): others[:2], (OTHER, why): [second]},
        taste={
            PROFILE: {"Drama": 0.75, "War": 0.25, "Odd": float("nan"), "Endless": float("inf")},
            OTHER: {"War": 1.0},
        },
    )
    write_watching(url, PROFILE, seconds=100.0, days_ago=1)
    write_watching(url, PROFILE, seconds=50.0, days_ago=2)
    write_watching(url, PROFILE, seconds=9999.0, days_ago=400)
    await catalogue.titles.unpublish(others[1])
    found = await findings.of_profile(PROFILE)
    assert (found.has_batch, found.watched_seconds) == (True, 150.0)
    assert dict(found.genre_shares) == {"Drama": 0.75, "War": 0.25}, "a share that is no number was read"
    assert lists(found) == {why: [others[0], *others[2:]], second: [others[0]]}
    one = found.suggestions[0]
    assert (one.because_title, [item.rank for item in one.items]) == ("Film 0", [1, 3, 4])
    card = one.items[0].card
    assert (card.title, card.duration_seconds, card.genres) == ("Film 2", 101.0, ["Drama"])
    assert await findings.of_profile("p_" + "3" * 20) == ProfileFindings(has_batch=True)


async def test_the_reason_of_a_list_is_a_title_that_plays_and_is_still_in_the_history(
    catalogue: Catalogue, findings: Findings, url: str
) -> None:
    older, newer, withdrawn, removed, *others = await films(catalogue, 6)
    write_batch(url, "suggestions", suggestions={(PROFILE, why): others for why in (older, newer, withdrawn, removed)})
    history = open_history(url)
    for day, movie_id in enumerate((older, removed, newer, withdrawn), 1):
        await history.record(PROFILE, movie_id, datetime(2026, 1, day, tzinfo=UTC))
    await history.forget(PROFILE, removed, datetime(2026, 2, 1, tzinfo=UTC))
    await catalogue.titles.unpublish(withdrawn)
    assert list(lists(await findings.of_profile(PROFILE))) == [newer, older], "the title watched last is not the first"
    await history.record(PROFILE, removed, datetime(2026, 2, 2, tzinfo=UTC))
    assert list(lists(await findings.of_profile(PROFILE))) == [removed, newer, older]
    await history.forget_all(PROFILE, datetime(2026, 3, 1, tzinfo=UTC))
    assert lists(await findings.of_profile(PROFILE)) == {}, "a cleared history still explains suggestions"
    await history.close()


async def test_a_profiles_read_has_a_bound(catalogue: Catalogue, findings: Findings, url: str) -> None:
    made = await films(catalogue, MAX_LISTS + 2)
    ranked = [made[n % len(made)] for n in range(MAX_LIST_ITEMS + 10)]
    write_batch(url, "suggestions", suggestions={(PROFILE, why): ranked for why in made})
    found = await findings.of_profile(PROFILE)
    assert len(found.suggestions) == MAX_LISTS
    assert {len(one.items) for one in found.suggestions} == {MAX_LIST_ITEMS}
