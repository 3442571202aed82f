"""Watch history: one row for each profile and title, newest first."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.stores.history import open_history
from marquee.stores.history.contract import WatchedTitle, WatchHistory
from tests.harness.databases import POSTGRES

ENGINES = POSTGRES

START = datetime(2026, 11, 22, 18, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def history(url: str) -> AsyncIterator[WatchHistory]:
    store = open_history(url)
    yield store
    await store.close()


async def test_first_and_last_are_kept_whatever_the_order_of_arrival(history: WatchHistory) -> None:
    profile_id, movie_id = new_profile_id(), new_movie_id()
    for hours in (3, 1, 5, 2):
        await history.record(profile_id, movie_id, START + timedelta(hours=hours))
    assert list(await history.page(profile_id, limit=10, before=None)) == [
        WatchedTitle(profile_id, movie_id, START + timedelta(hours=1), START + timedelta(hours=5))
    ]


async def test_pages_hold_every_title_once_newest_first(history: WatchHistory) -> None:
    profile_id = new_profile_id()
    movies = [new_movie_id() for _ in range(7)]
    for place, movie_id in enumerate(movies):
        # Pairs with the same time, so that a page ends between two equal rows.
        await history.record(profile_id, movie_id, START + timedelta(seconds=place // 2))
    await history.record(new_profile_id(), new_movie_id(), START)
    seen: list[WatchedTitle] = []
    before = None
    while page := await history.page(profile_id, limit=2, before=before):
        seen += page
        before = (page[-1].last_watched_at, page[-1].movie_id)
    assert sorted(title.movie_id for title in seen) == sorted(movies)
    order = [(title.last_watched_at, title.movie_id) for title in seen]
    assert order == sorted(order, reverse=True)


async def test_a_forgotten_title_is_gone(history: WatchHistory) -> None:
    profile_id, movie_id = new_profile_id(), new_movie_id()
    await history.record(profile_id, movie_id, START)
    await history.forget(profile_id, movie_id)
    await history.forget(profile_id, movie_id)
    assert list(await history.page(profile_id, limit=10, before=None)) == []
    await history.ping()
