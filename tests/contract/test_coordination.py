"""Locks that expire by themselves, with tokens and fences; rate limits over a sliding window."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from marquee.stores.coordination import open_coordination, valkey
from marquee.stores.coordination.contract import Coordination, Lock

ENGINES = [
    pytest.param("valkey_coordination_url", id="valkey"),
    pytest.param("redis_cluster_url", id="redis-cluster", marks=pytest.mark.xdist_group("redis-cluster")),
]


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def coordination(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Coordination]:
    # A longer time-out: a busy machine must not fail these tests.
    monkeypatch.setattr(valkey, "TIMEOUT_SECONDS", 5.0)
    store = open_coordination(url)
    yield store
    await store.close()


@pytest.fixture
def name() -> str:
    return f"test:{secrets.token_hex(6)}"


async def test_of_many_who_ask_at_once_one_gets_the_lock(coordination: Coordination, name: str) -> None:
    asked = await asyncio.gather(*(coordination.acquire(name, hold_seconds=10) for _ in range(30)))
    assert len([lock for lock in asked if lock is not None]) == 1


async def test_a_released_lock_can_be_taken_with_a_higher_fence(coordination: Coordination, name: str) -> None:
    first = await coordination.acquire(name, hold_seconds=10)
    assert first is not None
    assert await coordination.is_held(first)
    assert await coordination.release(first)
    second = await coordination.acquire(name, hold_seconds=10)
    assert second is not None
    assert second.fence > first.fence
    assert not await coordination.is_held(first)


async def test_a_holder_that_was_paused_past_its_lock_cannot_release_the_next(
    coordination: Coordination, name: str
) -> None:
    paused = await coordination.acquire(name, hold_seconds=0.1)
    assert paused is not None
    await asyncio.sleep(0.2)
    assert not await coordination.is_held(paused)
    following = await coordination.acquire(name, hold_seconds=10)
    assert following is not None
    assert not await coordination.release(paused)
    assert await coordination.is_held(following)


async def test_a_made_up_token_holds_nothing(coordination: Coordination, name: str) -> None:
    held = await coordination.acquire(name, hold_seconds=10)
    assert held is not None
    forged = Lock(name, "forged", held.fence)
    assert not await coordination.is_held(forged)
    assert not await coordination.release(forged)
