"""Resume positions, whichever engine keeps them: the newest event wins, and what was acknowledged is there."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.errors import InputInvalid
from marquee.stores.resume_positions import open_resume_positions
from marquee.stores.resume_positions.contract import ResumePosition, ResumePositions

ENGINES = {"postgres": "postgres_url"}

NOW_MS = 1_800_000_000_000


@pytest.fixture(params=ENGINES.values(), ids=ENGINES.keys())
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def positions(url: str) -> AsyncIterator[ResumePositions]:
    store = await open_resume_positions(url)
    yield store
    await store.close()


def newest(events: list[tuple[int, int]]) -> tuple[int, int]:
    """Of (event time, position), what must be kept."""
    return max(events)


async def kept(store: ResumePositions, user_id: str, movie_id: str) -> tuple[int, int] | None:
    found = await store.get(user_id, movie_id)
    return None if found is None else (found.event_time_ms, found.position_ms)


async def test_a_title_never_watched_has_no_position(positions: ResumePositions) -> None:
    assert await positions.get(new_profile_id(), new_movie_id()) is None
    assert list(await positions.continue_watching(new_profile_id())) == []


async def test_a_recorded_position_is_read_back_exactly(positions: ResumePositions) -> None:
    position = ResumePosition(new_profile_id(), new_movie_id(), 3_599_999, NOW_MS)
    await positions.record(position)
    assert await positions.get(position.user_id, position.movie_id) == position


event = st.tuples(st.integers(NOW_MS, NOW_MS + 5), st.integers(0, 4))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(event, min_size=1, max_size=8), batch=st.booleans())
async def test_the_newest_event_wins_in_any_order_and_ties_go_to_the_larger_position(
    positions: ResumePositions, events: list[tuple[int, int]], batch: bool
) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    written = [ResumePosition(user_id, movie_id, position, moment) for moment, position in events]
    if batch:
        await positions.record_many(written)
    else:
        for position in written:
            await positions.record(position)
    assert await kept(positions, user_id, movie_id) == newest(events), f"written in the order {events}"


async def test_the_newest_event_wins_among_concurrent_writers(positions: ResumePositions) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    events = [(NOW_MS + step, 1_000_000 - step) for step in range(100)]
    random.shuffle(events)
    await asyncio.gather(
        *(positions.record(ResumePosition(user_id, movie_id, position, moment)) for moment, position in events)
    )
    assert await kept(positions, user_id, movie_id) == newest(events)


async def test_a_batch_holds_several_users_and_the_same_title_twice(positions: ResumePositions) -> None:
    first, second, movie_id, other = new_profile_id(), new_profile_id(), new_movie_id(), new_movie_id()
    await positions.record_many(
        [
            ResumePosition(first, movie_id, 10, NOW_MS + 2),
            ResumePosition(first, movie_id, 99, NOW_MS + 1),
            ResumePosition(second, movie_id, 20, NOW_MS),
            ResumePosition(first, other, 30, NOW_MS),
        ]
    )
    await positions.record_many([])
    assert await kept(positions, first, movie_id) == (NOW_MS + 2, 10)
    assert await kept(positions, second, movie_id) == (NOW_MS, 20)
    assert await kept(positions, first, other) == (NOW_MS, 30)


async def test_batches_that_overlap_in_any_order_all_arrive(positions: ResumePositions) -> None:
    users = [new_profile_id() for _ in range(20)]
    movie_id = new_movie_id()

    async def write(step: int) -> None:
        order = random.sample(users, len(users))
        await positions.record_many([ResumePosition(user_id, movie_id, step, NOW_MS + step) for user_id in order])

    await asyncio.gather(*(write(step) for step in range(30)))
    for user_id in users:
        assert await kept(positions, user_id, movie_id) == (NOW_MS + 29, 29)


async def test_one_that_cannot_be_stored_costs_the_others_nothing(positions: ResumePositions) -> None:
    users = [new_profile_id() for _ in range(40)]
    users[7] = "nul\x00"
    outcomes = await asyncio.gather(
        *(positions.record(ResumePosition(user_id, "m_" + "0" * 20, 5, NOW_MS)) for user_id in users),
        return_exceptions=True,
    )
    assert [place for place, outcome in enumerate(outcomes) if outcome is not None] == [7]
    assert isinstance(outcomes[7], InputInvalid)
    assert all([await kept(positions, user_id, "m_" + "0" * 20) for user_id in users if "\x00" not in user_id])


async def test_a_caller_that_gives_up_costs_the_others_nothing(positions: ResumePositions) -> None:
    users = [new_profile_id() for _ in range(40)]
    calls = [
        asyncio.create_task(positions.record(ResumePosition(user_id, "m_" + "1" * 20, 5, NOW_MS))) for user_id in users
    ]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    await asyncio.gather(*calls[1::2])
    assert all([await kept(positions, user_id, "m_" + "1" * 20) for user_id in users[1::2]])


async def test_continue_watching_is_newest_first_and_nobody_elses(positions: ResumePositions) -> None:
    user_id, other = new_profile_id(), new_profile_id()
    movies = [new_movie_id() for _ in range(6)]
    moments = random.sample(range(NOW_MS, NOW_MS + 100), 6)
    await positions.record_many(
        [ResumePosition(user_id, movie_id, 5, moment) for movie_id, moment in zip(movies, moments, strict=True)]
    )
    await positions.record(ResumePosition(other, new_movie_id(), 5, NOW_MS + 200))
    found = await positions.continue_watching(user_id, limit=4)
    assert [position.event_time_ms for position in found] == sorted(moments, reverse=True)[:4]
    assert {position.user_id for position in found} == {user_id}
    assert len(await positions.continue_watching(user_id)) == 6


async def test_a_forgotten_position_is_gone(positions: ResumePositions) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    await positions.record(ResumePosition(user_id, movie_id, 5, 1_700_000_000_000))
    await positions.forget(user_id, movie_id)
    assert await positions.get(user_id, movie_id) is None
    assert list(await positions.continue_watching(user_id)) == []


@pytest.mark.parametrize("batch", [False, True])
async def test_a_late_older_write_does_not_bring_a_forgotten_position_back(
    positions: ResumePositions, batch: bool
) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    await positions.record(ResumePosition(user_id, movie_id, 5, NOW_MS))
    await positions.forget(user_id, movie_id, event_time_ms=NOW_MS + 10)
    for late in (ResumePosition(user_id, movie_id, 6, NOW_MS + 9), ResumePosition(user_id, movie_id, 7, NOW_MS + 10)):
        await (positions.record_many([late]) if batch else positions.record(late))
        assert await positions.get(user_id, movie_id) is None, f"{late} came back after it was forgotten"
    await positions.record(ResumePosition(user_id, movie_id, 8, NOW_MS + 11))
    assert await kept(positions, user_id, movie_id) == (NOW_MS + 11, 8), "watching again after forgetting counts"


async def test_forgetting_is_ordered_by_its_event_time_as_well(positions: ResumePositions) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    await positions.record(ResumePosition(user_id, movie_id, 5, NOW_MS + 10))
    await positions.forget(user_id, movie_id, event_time_ms=NOW_MS + 9)
    assert await kept(positions, user_id, movie_id) == (NOW_MS + 10, 5), "an older forget took a newer position away"
    unseen = new_movie_id()
    await positions.forget(user_id, unseen, event_time_ms=NOW_MS + 9)
    await positions.record(ResumePosition(user_id, unseen, 5, NOW_MS))
    assert await positions.get(user_id, unseen) is None, "a write older than the forget was kept"


async def test_a_closed_store_leaves_another_one_working(url: str, positions: ResumePositions) -> None:
    second = await open_resume_positions(url)
    await second.close()
    await second.close()
    await positions.ping()
