"""The bounded gather: answers in order, never more calls than the bound, and one failure ends the rest."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.concurrency import gather_bounded

calls_with_turns = st.lists(st.integers(0, 4), max_size=30)
"""For each call, how many turns of the event loop it takes: a later call may end before an earlier one."""


class Refused(Exception):
    """What a call of these tests fails with."""


class Calls:
    """Calls that yield to the event loop some times, and count how many of them are under way."""

    def __init__(self, turns: Sequence[int], *, failing: int | None = None) -> None:
        self._turns = turns
        self._failing = failing
        self.under_way = 0
        self.most_under_way = 0
        self.begun = 0

    async def __call__(self, index: int) -> int:
        self.begun += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            for _ in range(self._turns[index]):
                await asyncio.sleep(0)
            if index == self._failing:
                raise Refused(index)
            return index * 10
        finally:
            self.under_way -= 1


@given(turns=calls_with_turns, max_concurrent=st.integers(1, 8))
def test_answers_are_in_the_items_order_and_the_bound_holds(turns: list[int], max_concurrent: int) -> None:
    calls = Calls(turns)
    answers = asyncio.run(gather_bounded(calls, range(len(turns)), max_concurrent=max_concurrent))
    assert answers == [index * 10 for index in range(len(turns))], "answers are not in the order of their items"
    assert calls.most_under_way <= max_concurrent, f"{calls.most_under_way} calls at once, {max_concurrent} allowed"
    if turns and max(turns) == min(turns) > 0:
        assert calls.most_under_way == min(max_concurrent, len(turns)), "fewer calls at once than the bound allows"


@given(turns=calls_with_turns.filter(bool), max_concurrent=st.integers(1, 8), data=st.data())
def test_the_failure_is_raised_as_it_is_and_no_call_is_left(
    turns: list[int], max_concurrent: int, data: st.DataObject
) -> None:
    failing = data.draw(st.integers(0, len(turns) - 1))
    calls = Calls(turns, failing=failing)
    with pytest.raises(Refused, match=str(failing)):
        asyncio.run(gather_bounded(calls, range(len(turns)), max_concurrent=max_concurrent))
    assert calls.under_way == 0, "a call was still under way when the failure was raised"


async def test_a_failure_cancels_the_calls_under_way_and_starts_no_more() -> None:
    never, cancelled, begun = asyncio.Event(), [], []

    async def call(name: str) -> None:
        begun.append(name)
        if name == "fails":
            raise Refused(name)
        try:
            await never.wait()
        except asyncio.CancelledError:
            cancelled.append(name)
            raise

    with pytest.raises(Refused):
        await gather_bounded(call, ["waits", "waits too", "fails", "never begun"], max_concurrent=3)
    assert cancelled == ["waits", "waits too"]
    assert "never begun" not in begun


async def test_cancelling_the_caller_cancels_the_calls() -> None:
    never, both_begun, ended = asyncio.Event(), asyncio.Barrier(3), []

    async def call(name: str) -> None:
        try:
            await both_begun.wait()
            await never.wait()
        finally:
            ended.append(name)

    gathering = asyncio.create_task(gather_bounded(call, ["one", "two", "three"], max_concurrent=2))
    await both_begun.wait()
    gathering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gathering
    assert sorted(ended) == ["one", "two"], "a call outlived its cancelled caller, or another was begun"
