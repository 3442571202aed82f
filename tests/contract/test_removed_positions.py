"""Positions that a viewer removed, on every engine: hidden and forgotten ones stay away until the title is played again."""
# ruff: noqa: F811 - a fixture is a test's parameter

import time
from datetime import UTC, datetime

import pytest

from api.auth.tokens import Caller
from api.history.noted import NotedTitles
from api.history.removal import MAX_CLOCK_AHEAD_MS, RemovalService
from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.errors import InputInvalid
from marquee.settings import Settings
from marquee.stores.catalogue import open_catalogue
from marquee.stores.history import open_history
from marquee.stores.resume_positions.contract import Forgotten, Hidden, MovableResumePositions, ResumePosition
from tests.contract.test_resume_positions import NOW_MS, kept, positions, url  # noqa: F401 - fixtures


async def test_a_forgotten_position_is_gone(positions: MovableResumePositions) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    await positions.record(ResumePosition(user_id, movie_id, 5, NOW_MS))
    forgotten = Forgotten(user_id, movie_id, NOW_MS + 1)
    await positions.record(forgotten)
    assert await positions.get(user_id, movie_id) is None
    assert list(await positions.continue_watching(user_id)) == []
    assert list(await positions.events_of_viewer(user_id)) == [forgotten], (
        "a move of the positions must see the forgotten one too"
    )


@pytest.mark.parametrize("batch", [False, True])
async def test_a_late_older_write_does_not_bring_a_forgotten_position_back(
    positions: MovableResumePositions, batch: bool
) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    await positions.record(ResumePosition(user_id, movie_id, 5, NOW_MS))
    await positions.record(Forgotten(user_id, movie_id, NOW_MS + 10))
    for late in (ResumePosition(user_id, movie_id, 6, NOW_MS + 9), ResumePosition(user_id, movie_id, 7, NOW_MS + 10)):
        await (positions.record_many([late]) if batch else positions.record(late))
        assert await positions.get(user_id, movie_id) is None, f"{late} came back after it was forgotten"
    await positions.record(ResumePosition(user_id, movie_id, 8, NOW_MS + 11))
    assert await kept(positions, user_id, movie_id) == (NOW_MS + 11, 8), "watching again after forgetting counts"


@pytest.mark.parametrize("batch", [False, True])
async def test_a_hidden_title_leaves_continue_watching_and_keeps_its_position_until_it_is_played_again(
    positions: MovableResumePositions, batch: bool
) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    await positions.record(ResumePosition(user_id, movie_id, 5, NOW_MS))
    await positions.record(Hidden(user_id, movie_id, 5, NOW_MS + 10))
    for late in (ResumePosition(user_id, movie_id, 6, NOW_MS + 9), ResumePosition(user_id, movie_id, 7, NOW_MS + 10)):
        await (positions.record_many([late]) if batch else positions.record(late))
        assert list(await positions.continue_watching(user_id)) == [], f"{late} brought a hidden title back"
    assert await kept(positions, user_id, movie_id) == (NOW_MS + 10, 5), "the position of a hidden title is lost"
    await positions.record(ResumePosition(user_id, movie_id, 8, NOW_MS + 11))
    assert [one.position_ms for one in await positions.continue_watching(user_id)] == [8]


async def test_forgetting_is_ordered_by_its_event_time_as_well(positions: MovableResumePositions) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    await positions.record(ResumePosition(user_id, movie_id, 5, NOW_MS + 10))
    await positions.record(Forgotten(user_id, movie_id, NOW_MS + 9))
    assert await kept(positions, user_id, movie_id) == (NOW_MS + 10, 5), "an older forget took a newer position away"
    unseen = new_movie_id()
    await positions.record(Forgotten(user_id, unseen, NOW_MS + 9))
    await positions.record(ResumePosition(user_id, unseen, 5, NOW_MS))
    assert await positions.get(user_id, unseen) is None, "a write older than the forget was kept"


async def test_a_position_of_before_is_not_restored_once_everything_was_forgotten(
    positions: MovableResumePositions,
) -> None:
    """An undo writes just after its own removal. Clearing the history forgets the title again, at that moment or later."""
    user_id, movie_id = new_profile_id(), new_movie_id()
    await positions.record(ResumePosition(user_id, movie_id, 5, NOW_MS))
    await positions.record(Forgotten(user_id, movie_id, NOW_MS + 1))
    (event,) = await positions.events_of_viewer(user_id)
    await positions.record_many([Forgotten(user_id, movie_id, event.event_time_ms + 1)])
    await positions.record(ResumePosition(user_id, movie_id, 5, NOW_MS + 2))
    assert await positions.get(user_id, movie_id) is None, "an undo brought back what was forgotten later"


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("ahead_ms", [0, MAX_CLOCK_AHEAD_MS - 60_000])
async def test_clearing_the_history_is_final_on_every_engine(
    positions: MovableResumePositions, migrated_database: Settings, *, hidden: bool, ahead_ms: int
) -> None:
    """`ahead_ms`: progress and removal are of a host whose clock is so far ahead of the one that clears the history."""
    caller, movie_id = Caller("a_1", new_profile_id(), "viewer", time.time() + 3600), new_movie_id()
    catalogue, history = open_catalogue(migrated_database.database), open_history(migrated_database.database)
    try:
        service = RemovalService(catalogue.titles, positions, history, NotedTitles(), migrated_database)
        now_ms = time.time_ns() // 1_000_000 + ahead_ms
        at = datetime.fromtimestamp(now_ms / 1000, UTC)
        await positions.record(ResumePosition(caller.profile_id, movie_id, 5000, now_ms))
        await history.record(caller.profile_id, movie_id, at)
        removed = await (service.hide if hidden else service.forget)(caller, movie_id)
        await service.forget_all(caller)
        for _ in range(2):
            with pytest.raises(InputInvalid, match="can no longer be undone"):
                await service.undo(caller, removed.undo)
        assert await positions.get(caller.profile_id, movie_id) is None, "the position is back"
        assert await history.get(caller.profile_id, movie_id) is None, "the title is back"
    finally:
        await history.close()
        await catalogue.close()


async def test_what_is_erased_of_a_viewer_is_gone_also_what_a_faster_clock_wrote(
    positions: MovableResumePositions,
) -> None:
    user_id, other = new_profile_id(), new_profile_id()
    movies = [new_movie_id() for _ in range(5)]
    await positions.erase(user_id)  # there is nothing: no fault
    await positions.record_many(
        [
            *(ResumePosition(user_id, movie_id, 5, NOW_MS) for movie_id in movies[:3]),
            ResumePosition(user_id, movies[3], 5, NOW_MS + 86_400_000),
            Forgotten(user_id, movies[4], NOW_MS),
            ResumePosition(other, movies[0], 6, NOW_MS),
        ]
    )
    for _ in range(2):
        await positions.erase(user_id)
    assert list(await positions.events_of_viewer(user_id)) == [], "something still says what was watched"
    assert len(await positions.events_of_viewer(other)) == 1, "another viewer lost a position"
    assert user_id not in {event.user_id async for page in positions.scan() for event in page.events}
