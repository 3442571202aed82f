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


def _at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


async def _shown(history: WatchHistory, profile_id: str) -> list[WatchedTitle]:
    return list(await history.page(profile_id, limit=10, before=None))


async def test_a_forgotten_title_is_gone_and_an_older_write_does_not_bring_it_back(history: WatchHistory) -> None:
    profile_id, movie_id = new_profile_id(), new_movie_id()
    await history.record(profile_id, movie_id, _at(0))
    for _ in range(2):
        await history.forget(profile_id, movie_id, _at(10))
    for late in (-1, 5, 10):
        await history.record(profile_id, movie_id, _at(late))
        assert await _shown(history, profile_id) == [], f"a write of minute {late} came back after minute 10"
        assert await history.get(profile_id, movie_id) is None
    await history.record(profile_id, movie_id, _at(11))
    await history.record(profile_id, movie_id, _at(12))
    again = WatchedTitle(profile_id, movie_id, _at(11), _at(12))
    assert await _shown(history, profile_id) == [again], "what was watched after it was forgotten is a new entry"
    assert await history.get(profile_id, movie_id) == again
    await history.ping()


async def test_an_older_forgetting_takes_nothing_newer(history: WatchHistory) -> None:
    profile_id, movie_id = new_profile_id(), new_movie_id()
    await history.record(profile_id, movie_id, _at(20))
    await history.forget(profile_id, movie_id, _at(10))
    assert [one.last_watched_at for one in await _shown(history, profile_id)] == [_at(20)]


async def test_a_title_forgotten_before_its_first_write_arrives_stays_away(history: WatchHistory) -> None:
    profile_id, movie_id = new_profile_id(), new_movie_id()
    await history.forget(profile_id, movie_id, _at(10))
    await history.record(profile_id, movie_id, _at(9))
    assert await _shown(history, profile_id) == []


async def test_forgetting_all_takes_one_profile_only(history: WatchHistory) -> None:
    profile_id, other = new_profile_id(), new_profile_id()
    for minute, movie_id in enumerate([new_movie_id() for _ in range(5)]):
        await history.record(profile_id, movie_id, _at(minute))
        await history.record(other, movie_id, _at(minute))
    later = new_movie_id()
    await history.record(profile_id, later, _at(30))
    for _ in range(2):
        await history.forget_all(profile_id, _at(20))
    assert [one.movie_id for one in await _shown(history, profile_id)] == [later]
    assert len(await _shown(history, other)) == 5


@pytest.mark.parametrize("played_again", [False, True])
async def test_an_undo_brings_the_entry_back_as_it_was(history: WatchHistory, *, played_again: bool) -> None:
    profile_id, movie_id = new_profile_id(), new_movie_id()
    for minute in (0, 5):
        await history.record(profile_id, movie_id, _at(minute))
    before = await history.get(profile_id, movie_id)
    assert before is not None
    await history.forget(profile_id, movie_id, _at(10))
    if played_again:
        await history.record(profile_id, movie_id, _at(12))
    for _ in range(2):
        assert await history.restore(before, forgotten_at=_at(10))
    last = _at(12) if played_again else _at(5)
    assert await _shown(history, profile_id) == [WatchedTitle(profile_id, movie_id, _at(0), last)]


@pytest.mark.parametrize("everything", [False, True])
async def test_an_undo_brings_nothing_back_that_was_forgotten_later(history: WatchHistory, *, everything: bool) -> None:
    profile_id, movie_id = new_profile_id(), new_movie_id()
    await history.record(profile_id, movie_id, _at(0))
    before = await history.get(profile_id, movie_id)
    assert before is not None
    for undone_between in (False, True):
        await history.forget(profile_id, movie_id, _at(10))
        if undone_between:
            await history.restore(before, forgotten_at=_at(20))
        await (history.forget_all(profile_id, _at(20)) if everything else history.forget(profile_id, movie_id, _at(20)))
        assert not await history.restore(before, forgotten_at=_at(10)), "the undo of an older removal won"
        assert await _shown(history, profile_id) == []


async def test_an_undo_of_what_is_not_there_stores_nothing(history: WatchHistory) -> None:
    watched = WatchedTitle(new_profile_id(), new_movie_id(), _at(0), _at(1))
    assert not await history.restore(watched, forgotten_at=_at(2))
    assert await _shown(history, watched.profile_id) == []


async def test_what_is_erased_of_a_profile_is_gone(history: WatchHistory) -> None:
    profile_id, other = new_profile_id(), new_profile_id()
    movies = [new_movie_id() for _ in range(3)]
    for movie_id in movies:
        await history.record(profile_id, movie_id, START)
    await history.record(other, movies[0], START)
    await history.forget(profile_id, movies[0], START + timedelta(hours=1))
    assert await history.erase(profile_id) == 3, "a forgotten title's row still says that it was watched"
    assert await history.erase(profile_id) == 0
    assert list(await history.page(profile_id, limit=10, before=None)) == []
    assert len(await history.page(other, limit=10, before=None)) == 1
