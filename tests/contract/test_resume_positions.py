"""Resume positions on every engine: the newest event wins, and an acknowledged event is stored."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.errors import InputInvalid
from marquee.stores.connections import cassandra_session
from marquee.stores.resume_positions import open_movable, postgres
from marquee.stores.resume_positions.contract import (
    MAX_ID_BYTES,
    MAX_MS,
    Event,
    Forgotten,
    Hidden,
    Key,
    MovableResumePositions,
    ResumePosition,
    key_of,
    precedence,
    resumable,
)
from tests.harness.databases import POSTGRES

ENGINES = [
    *POSTGRES,
    pytest.param("cassandra_url", id="cassandra", marks=pytest.mark.xdist_group("cassandra")),
]

NOW_MS = 1_800_000_000_000


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def positions(url: str) -> AsyncIterator[MovableResumePositions]:
    store = open_movable(url)
    yield store
    await store.close()


async def kept(store: MovableResumePositions, user_id: str, movie_id: str) -> tuple[int, int] | None:
    found = await store.get(user_id, movie_id)
    return None if found is None else (found.event_time_ms, found.position_ms)


async def test_a_title_never_watched_has_no_position(positions: MovableResumePositions) -> None:
    assert await positions.get(new_profile_id(), new_movie_id()) is None
    assert list(await positions.continue_watching(new_profile_id())) == []


async def test_a_recorded_position_is_read_back_exactly(positions: MovableResumePositions) -> None:
    position = ResumePosition(new_profile_id(), new_movie_id(), 3_599_999, NOW_MS)
    await positions.record(position)
    assert await positions.get(position.user_id, position.movie_id) == position


# Few times and positions, so that ties are common.
position = st.one_of(st.integers(0, 3), st.just(MAX_MS))
event = st.tuples(st.integers(NOW_MS, NOW_MS + 3), st.sampled_from(["watched", "hidden", "forgotten"]), position)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(event, min_size=1, max_size=8), how=st.sampled_from(["each", "batch", "at once"]))
async def test_the_newest_event_wins_in_any_order_and_ties_go_to_forgetting_then_hiding_then_to_the_larger_position(
    positions: MovableResumePositions, written: list[tuple[int, str, int]], how: str
) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    kinds = {"watched": ResumePosition, "hidden": Hidden}
    events: list[Event] = [
        Forgotten(user_id, movie_id, moment)
        if kind == "forgotten"
        else kinds[kind](user_id, movie_id, position, moment)
        for moment, kind, position in written
    ]
    match how:
        case "each":
            for one in events:
                await positions.record(one)
        case "batch":
            await positions.record_many(events)
        case _:
            await asyncio.gather(*(positions.record(one) for one in events))
    winner = max(events, key=precedence)
    kept = await positions.events([key_of(winner)])
    assert kept == {key_of(winner): winner}, f"written {how} in the order {written}"
    seen = await positions.get(user_id, movie_id)
    assert seen == resumable(winner)
    shown = list(await positions.continue_watching(user_id))
    assert shown == ([winner] if isinstance(winner, ResumePosition) else [])
    assert list(await positions.events_of_viewer(user_id)) == [winner]


async def test_the_newest_event_wins_among_concurrent_writers(positions: MovableResumePositions) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    events = [(NOW_MS + step, 1_000_000 - step) for step in range(100)]
    random.shuffle(events)
    await asyncio.gather(
        *(positions.record(ResumePosition(user_id, movie_id, position, moment)) for moment, position in events)
    )
    assert await kept(positions, user_id, movie_id) == max(events)


async def test_a_batch_holds_several_users_and_the_same_title_twice(positions: MovableResumePositions) -> None:
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


async def test_batches_that_overlap_in_any_order_all_arrive(positions: MovableResumePositions) -> None:
    users = [new_profile_id() for _ in range(20)]
    movie_id = new_movie_id()

    async def write(step: int) -> None:
        order = random.sample(users, len(users))
        await positions.record_many([ResumePosition(user_id, movie_id, step, NOW_MS + step) for user_id in order])

    await asyncio.gather(*(write(step) for step in range(30)))
    for user_id in users:
        assert await kept(positions, user_id, movie_id) == (NOW_MS + 29, 29)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", ""),
        ("user_id", "nul\x00"),
        ("user_id", "\ud800"),
        ("user_id", "é" * MAX_ID_BYTES),
        ("movie_id", "m" * (MAX_ID_BYTES + 1)),
        ("position_ms", -1),
        ("position_ms", MAX_MS + 1),
        ("event_time_ms", -1),
        ("event_time_ms", 2**63),
    ],
)
async def test_what_not_every_engine_can_store_is_refused_and_costs_the_others_nothing(
    positions: MovableResumePositions, field: str, value: str | int
) -> None:
    user_id = new_profile_id()
    good = [ResumePosition(user_id, new_movie_id(), 5, NOW_MS) for _ in range(10)]
    values: dict[str, Any] = {"user_id": user_id, "movie_id": new_movie_id(), "position_ms": 5, "event_time_ms": NOW_MS}
    bad = ResumePosition(**values | {field: value})
    outcomes = await asyncio.gather(
        *(positions.record(one) for one in [*good[:5], bad, *good[5:]]), return_exceptions=True
    )
    (refused,) = (outcome for outcome in outcomes if outcome is not None)
    assert isinstance(refused, InputInvalid)
    assert refused.field == field
    assert len(await positions.continue_watching(user_id)) == len(good)
    with pytest.raises(InputInvalid):
        await positions.record_many([good[0], bad])


async def test_the_largest_of_everything_is_stored(positions: MovableResumePositions) -> None:
    user_id = (new_profile_id() + "x" * MAX_ID_BYTES)[:MAX_ID_BYTES]
    largest = ResumePosition(user_id, "é" * (MAX_ID_BYTES // 2), MAX_MS, MAX_MS)
    await positions.record(largest)
    assert await positions.continue_watching(user_id) == [largest]


async def test_a_caller_that_gives_up_costs_the_others_nothing(positions: MovableResumePositions) -> None:
    users = [new_profile_id() for _ in range(40)]
    calls = [
        asyncio.create_task(positions.record(ResumePosition(user_id, "m_" + "1" * 20, 5, NOW_MS))) for user_id in users
    ]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    await asyncio.gather(*calls[1::2])
    assert all([await kept(positions, user_id, "m_" + "1" * 20) for user_id in users[1::2]])


async def test_continue_watching_is_newest_first_and_nobody_elses(positions: MovableResumePositions) -> None:
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


async def test_continue_watching_of_one_moment_is_in_the_order_of_the_ids(positions: MovableResumePositions) -> None:
    user_id = new_profile_id()
    movies = [f"m_{letter}" for letter in "ZazA09_é"]
    await positions.record_many([ResumePosition(user_id, movie_id, 5, NOW_MS) for movie_id in movies])
    found = [position.movie_id for position in await positions.continue_watching(user_id)]
    assert found == sorted(movies)


async def test_events_of_many_keys_are_found_in_one_call(positions: MovableResumePositions) -> None:
    viewers, movies = [new_profile_id() for _ in range(30)], [new_movie_id() for _ in range(10)]
    written: dict[Key, Event] = {}
    for place, key in enumerate(itertools.product(viewers, movies)):
        written[key] = Forgotten(*key, NOW_MS) if place % 7 == 0 else ResumePosition(*key, place, NOW_MS)
    await positions.record_many(list(written.values()))
    unknown = (new_profile_id(), movies[0])
    assert await positions.events([*written, unknown]) == written
    assert await positions.events([]) == {}


async def test_a_scan_gives_everything_and_goes_on_behind_a_cursor(
    positions: MovableResumePositions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PAGE_EVENTS", 50)
    monkeypatch.setattr(cassandra_session, "PAGE_ROWS", 50)
    viewers = [new_profile_id() for _ in range(40)]
    written: set[Event] = {
        Forgotten(viewer, new_movie_id(), NOW_MS) if turn == 3 else ResumePosition(viewer, new_movie_id(), turn, NOW_MS)
        for viewer in viewers
        for turn in range(6)
    }
    # One viewer has more titles than a page.
    written |= {ResumePosition(viewers[0], new_movie_id(), 1, NOW_MS) for _ in range(120)}
    await positions.record_many(list(written))

    pages = [page async for page in positions.scan()]
    found = [event for page in pages for event in page.events if event.user_id in viewers]
    assert set(found) == written
    assert len(found) == len(written), "a scan gives each event once"
    for place, page in random.sample(list(enumerate(pages)), min(8, len(pages))):
        rest = {event async for later in positions.scan(after=page.cursor) for event in later.events}
        seen = {event for earlier in pages[: place + 1] for event in earlier.events}
        assert written <= seen | rest, f"a scan behind page {place} misses something"


async def test_a_viewer_of_very_many_titles(positions: MovableResumePositions) -> None:
    user_id = new_profile_id()
    events = [ResumePosition(user_id, new_movie_id(), number, NOW_MS + number) for number in range(6000)]
    await positions.record_many(events)
    assert await positions.continue_watching(user_id, limit=3) == events[:-4:-1]
    assert set(await positions.events_of_viewer(user_id)) == set(events)


async def test_a_cursor_of_another_engine_is_refused(positions: MovableResumePositions) -> None:
    with pytest.raises(InputInvalid):
        _ = [page async for page in positions.scan(after="no cursor")]


async def test_a_closed_store_leaves_another_one_working(url: str, positions: MovableResumePositions) -> None:
    second = open_movable(url)
    await second.close()
    await second.close()
    await positions.ping()
