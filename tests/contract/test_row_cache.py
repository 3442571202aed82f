"""The row cache: an entry is fresh, then stale, then gone; a purge wins over a fill that began before it."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marquee.errors import StoreUnavailable
from marquee.platform import local_engines
from marquee.stores.row_cache import open_row_cache, valkey
from marquee.stores.row_cache.contract import CachedRow, RowCache
from tests.harness.restarting import RestartingServer

ENGINES = [
    pytest.param("valkey_cache_url", id="valkey"),
    pytest.param("redis_cluster_url", id="redis-cluster", marks=pytest.mark.xdist_group("redis-cluster")),
]
SERVERS = {"valkey": local_engines.valkey_cache}


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def cache(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RowCache]:
    # A longer time-out: a busy machine must not fail these tests.
    monkeypatch.setattr(valkey, "TIMEOUT_SECONDS", 5.0)
    store = open_row_cache(url)
    yield store
    await store.close()


@pytest.fixture
def key() -> str:
    return f"genre:{secrets.token_hex(6)}"


async def test_an_entry_is_fresh_then_stale_then_gone(cache: RowCache, key: str) -> None:
    assert await cache.get(key) is None
    generation = await cache.generation(key)
    assert await cache.fill(key, b"\x00row", generation=generation, fresh_seconds=2, keep_seconds=4)
    seen: list[CachedRow | None] = []
    async with asyncio.timeout(30):
        while seen[-1:] != [None]:
            found = await cache.get(key)
            if seen[-1:] != [found]:
                seen.append(found)
            await asyncio.sleep(0.02)
    assert seen == [CachedRow(b"\x00row", fresh=True), CachedRow(b"\x00row", fresh=False), None]


async def test_a_purge_beats_the_fill_that_began_before_it(cache: RowCache, key: str) -> None:
    before = await cache.generation(key)
    await cache.purge([key])
    assert not await cache.fill(key, b"old", generation=before, fresh_seconds=9, keep_seconds=9)
    assert await cache.get(key) is None
    now = await cache.generation(key)
    assert now > before
    assert await cache.fill(key, b"new", generation=now, fresh_seconds=9, keep_seconds=9)
    await cache.purge([key, f"{key}:other"])
    assert await cache.get(key) is None


async def test_every_purge_makes_a_new_generation(cache: RowCache, key: str) -> None:
    seen = []
    for _ in range(20):
        await cache.purge([key])
        seen.append(await cache.generation(key))
    assert sorted(set(seen)) == seen


async def test_a_generation_that_was_never_read_fills_nothing(cache: RowCache, key: str) -> None:
    assert not await cache.fill(key, b"x", generation=0, fresh_seconds=9, keep_seconds=9)


async def test_of_many_fills_at_once_each_writes_whole(cache: RowCache, key: str) -> None:
    generation = await cache.generation(key)
    bodies = [bytes([number]) * 1000 for number in range(20)]
    await asyncio.gather(
        *(cache.fill(key, body, generation=generation, fresh_seconds=9, keep_seconds=9) for body in bodies)
    )
    found = await cache.get(key)
    assert found is not None
    assert found.body in bodies


@pytest.mark.parametrize("engine", SERVERS)
async def test_a_cache_that_is_down_says_so_quickly(engine: str, tmp_path: Path) -> None:
    async with RestartingServer(SERVERS[engine], tmp_path) as server:
        cache = open_row_cache(server.settings.row_cache)
        await cache.ping()
        server.kill()
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await cache.get("row")
        with pytest.raises(StoreUnavailable):
            await cache.generation("row")
        assert time.monotonic() - started < 15, "a caller that waits for a cache that is down cannot shed load"
        await server.start()
        assert await cache.get("row") is None
        await cache.close()
