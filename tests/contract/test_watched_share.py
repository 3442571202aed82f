"""The 95 % rule over positions that an engine stored: every engine gives the millisecond back that it was given."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from marquee.domain import playback
from marquee.domain.ids import new_movie_id, new_profile_id
from marquee.stores.resume_positions import open_movable
from marquee.stores.resume_positions.contract import MovableResumePositions, ResumePosition
from tests.contract.test_resume_positions import ENGINES, NOW_MS


@pytest.fixture(params=ENGINES)
async def positions(request: pytest.FixtureRequest) -> AsyncIterator[MovableResumePositions]:
    store = open_movable(str(request.getfixturevalue(request.param)))
    yield store
    await store.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(duration_us=st.integers(2_000, 36_000_000_000), beside_us=st.integers(-2_000, 2_000))
@example(duration_us=6_966_667, beside_us=0)
@example(duration_us=6_966_667, beside_us=-100)
@example(duration_us=4_020_000, beside_us=-1)
async def test_95_percent_is_the_same_millisecond_whatever_the_engine_that_stored_it(
    positions: MovableResumePositions, duration_us: int, beside_us: int
) -> None:
    user_id, movie_id = new_profile_id(), new_movie_id()
    duration, first_ms = duration_us / 1_000_000, 950 * duration_us // 1_000_000
    sent_us = max(0, first_ms * 1000 + beside_us)
    event = ResumePosition(user_id, movie_id, playback.position_ms(sent_us / 1_000_000), NOW_MS)
    await positions.record(event)
    read = [await positions.get(user_id, movie_id), *await positions.continue_watching(user_id)]
    expected = 0.0 if sent_us >= first_ms * 1000 else sent_us // 1000 / 1000
    assert [playback.resume_position(one.position_ms if one else None, duration) for one in read] == [expected] * 2
