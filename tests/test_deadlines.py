"""Deadlines: an inner one never has more time than an outer one, and detached work has none."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from marquee import deadlines

SECONDS = st.floats(min_value=0, max_value=1000)


def test_without_a_deadline_a_store_keeps_its_own_limit() -> None:
    assert deadlines.remaining_seconds() is None
    assert deadlines.at_most(20.0) == 20.0


@given(SECONDS, SECONDS, SECONDS)
def test_an_inner_deadline_never_has_more_time(outer: float, inner: float, own: float) -> None:
    with deadlines.limited(outer):
        with deadlines.limited(inner):
            assert deadlines.at_most(own) <= min(outer, inner, own)
        assert deadlines.at_most(own) <= min(outer, own)
    assert deadlines.remaining_seconds() is None


@given(SECONDS, SECONDS)
def test_a_call_has_less_time_than_a_long_request(seconds: float, call_seconds: float) -> None:
    with deadlines.limited(seconds, call_seconds=call_seconds):
        assert deadlines.at_most(5000) <= min(seconds, call_seconds)
        assert deadlines.at_most(5000, whole_request=True) <= seconds


def test_a_deadline_that_is_over_leaves_nothing() -> None:
    with deadlines.limited(0.0):
        assert deadlines.remaining_seconds() == 0.0


async def test_tasks_inherit_the_deadline_unless_they_are_detached() -> None:
    async def remaining() -> float | None:
        return deadlines.remaining_seconds()

    with deadlines.limited(10.0):
        inherited = await asyncio.create_task(remaining())
        assert inherited is not None
        assert inherited <= 10.0
        assert await asyncio.create_task(remaining(), context=deadlines.detached()) is None
        assert deadlines.remaining_seconds() is not None, "detaching a task took this one's deadline away"
