"""Uses within a sliding window, and attempts with growing waits: the same on an engine and in the memory of a process."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.attempts import AttemptRule
from marquee.stores.coordination import open_coordination, valkey
from marquee.stores.coordination.contract import UseCounter
from marquee.stores.coordination.in_process import InProcessCounter

ENGINES = [
    pytest.param("valkey_coordination_url", id="valkey"),
    pytest.param("redis_cluster_url", id="redis-cluster", marks=pytest.mark.xdist_group("redis-cluster")),
    pytest.param("", id="in-process"),
]
RULE = AttemptRule(free=3, first_seconds=0.2, max_seconds=0.3, forget_seconds=60)
LONG = AttemptRule(free=3, first_seconds=60, max_seconds=60, forget_seconds=600)
"""Its wait does not end during a test, however busy the machine is."""


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    """Empty for the counter in the memory of a process."""
    return str(request.getfixturevalue(request.param)) if request.param else ""


@pytest.fixture
async def counter(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[UseCounter]:
    if not url:
        yield InProcessCounter()
        return
    # A longer time-out: a busy machine must not fail these tests.
    monkeypatch.setattr(valkey, "TIMEOUT_SECONDS", 5.0)
    store = open_coordination(url)
    yield store
    await store.close()


@pytest.fixture
def name() -> str:
    return f"test:{secrets.token_hex(6)}"


async def test_a_limit_counts_within_its_window(counter: UseCounter, name: str) -> None:
    waits = await asyncio.gather(*(counter.count(name, limit=5, window_seconds=0.5) for _ in range(20)))
    assert waits.count(0.0) == 5
    refused = [wait for wait in waits if wait]
    assert all(0 < wait <= 0.5 for wait in refused), f"a wait is longer than the window: {refused}"
    assert await counter.count(f"{name}:other", limit=1, window_seconds=0.5) == 0
    await asyncio.sleep(max(refused) + 0.01)
    assert await counter.count(name, limit=5, window_seconds=0.5) == 0, "after the wait that it named there is no room"


async def test_a_refused_use_does_not_prolong_the_refusal(counter: UseCounter, name: str) -> None:
    window = 2.0
    assert await counter.count(name, limit=1, window_seconds=window) == 0
    ends = time.monotonic() + window
    await asyncio.sleep(window / 2)  # the other half is enough for a busy machine to ask three times
    for _ in range(3):
        assert await counter.count(name, limit=1, window_seconds=window) > 0
    await asyncio.sleep(ends - time.monotonic() + 0.05)
    assert await counter.count(name, limit=1, window_seconds=window) == 0


async def test_of_many_attempts_at_once_only_the_free_ones_pass(counter: UseCounter, name: str) -> None:
    waits = await asyncio.gather(*(counter.attempt(name, LONG) for _ in range(40)))
    assert waits.count(0.0) == LONG.free, "attempts that come together are not counted one by one"
    assert all(0 < wait <= LONG.first_seconds for wait in waits if wait), f"a flood prolongs its own wait: {waits}"


async def test_waits_grow_to_the_longest(counter: UseCounter, name: str) -> None:
    for _ in range(RULE.free):
        assert await counter.attempt(name, RULE) == 0
    for longest in (RULE.first_seconds, RULE.max_seconds, RULE.max_seconds):
        wait = await counter.attempt(name, RULE)
        assert 0 < wait <= longest
        await asyncio.sleep(wait + 0.01)
        assert await counter.attempt(name, RULE) == 0, "after the wait that it named an attempt is refused"


async def test_an_attempt_that_was_right_is_taken_back(counter: UseCounter, name: str) -> None:
    for _ in range(10 * LONG.free):
        assert await counter.attempt(name, LONG) == 0, "right logins use up the attempts"
        await counter.take_back(name)
    for _ in range(5):
        await counter.take_back(name)
    for _ in range(LONG.free):
        assert await counter.attempt(name, LONG) == 0
    assert await counter.attempt(name, LONG) > 0, "attempts that were taken back twice gave further ones"


async def test_taking_one_back_ends_no_wait(counter: UseCounter, name: str) -> None:
    for _ in range(LONG.free):
        await counter.attempt(name, LONG)
    await counter.take_back(name)
    assert await counter.attempt(name, LONG) > 0, "a right login beside the wrong ones gives a guess without a wait"


async def test_a_forgotten_bucket_is_as_new(counter: UseCounter, name: str) -> None:
    for _ in range(2 * LONG.free):
        await counter.attempt(name, LONG)
    await counter.forget(name)
    assert [await counter.attempt(name, LONG) for _ in range(LONG.free)] == [0] * LONG.free


async def test_attempts_are_forgotten_by_time(counter: UseCounter, name: str) -> None:
    rule = AttemptRule(free=1, first_seconds=0.05, max_seconds=60, forget_seconds=0.1)
    assert await counter.attempt(name, rule) == 0
    await asyncio.sleep(0.06)
    assert await counter.attempt(name, rule) == 0
    await asyncio.sleep(0.11)
    assert await counter.attempt(name, rule) == 0, "an old wait outlives the time in which attempts count"


async def test_members_are_remembered_for_their_time_and_the_oldest_go_first(counter: UseCounter, name: str) -> None:
    for member in ("first", "second", "first", "third"):
        await counter.remember(name, member, keep=2, seconds=600)
        await asyncio.sleep(0.01)  # engines count milliseconds
    found = [member for member in ("first", "second", "third") if await counter.is_remembered(name, member)]
    assert found == ["first", "third"], "of too many members the one that was used longest ago must go"
    assert not await counter.is_remembered(f"{name}:other", "first")
    await counter.remember(name, "short", keep=5, seconds=0.02)
    await counter.remember(name, "long", keep=5, seconds=600)
    await asyncio.sleep(0.05)
    assert not await counter.is_remembered(name, "short"), "a member outlives its time"
    assert await counter.is_remembered(name, "long")


async def test_a_process_keeps_a_bounded_number_of_buckets() -> None:
    counter = InProcessCounter(buckets=100)
    for number in range(1000):
        await counter.attempt(f"attempts:{number}", RULE)
        await counter.count(f"uses:{number}", limit=1, window_seconds=60)
        await counter.remember(f"members:{number}", "member", keep=1, seconds=60)
    assert len(counter._attempts) == len(counter._windows) == len(counter._members) == 100


@given(st.integers(1, 2000), st.integers(1, 100))
def test_a_wait_never_shrinks_and_is_bounded(attempts: int, free: int) -> None:
    rule = AttemptRule(free=free, first_seconds=1, max_seconds=300, forget_seconds=3600)
    assert 0 <= rule.wait_after(attempts) <= rule.wait_after(attempts + 1) <= 300
    assert (rule.wait_after(attempts) == 0) == (attempts < free)
