"""A master of the Valkey cluster is lost: calls succeed or fail cleanly, its replica takes over, and locks stay exclusive."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator

import pytest

from marquee.errors import StoreUnavailable
from marquee.stores.coordination import open_coordination
from marquee.stores.coordination.contract import Coordination
from marquee.stores.row_cache import open_row_cache
from marquee.stores.row_cache.contract import RowCache
from tests.harness.clusters import PATIENCE_SECONDS, KillableCluster, killable_cluster, until_answered

pytestmark = pytest.mark.xdist_group("redis-cluster")

NAMES = 18
"""Enough for every master to have several."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KillableCluster]:
    with killable_cluster(tmp_path_factory.mktemp("failover")) as found:
        yield found


@pytest.fixture
async def whole(cluster: KillableCluster) -> KillableCluster:
    """The cluster with all six nodes up, even if the test before killed some."""
    await asyncio.to_thread(cluster.make_whole)
    return cluster


@pytest.fixture
async def cache(whole: KillableCluster) -> AsyncIterator[RowCache]:
    store = open_row_cache(whole.url)
    yield store
    await store.close()


@pytest.fixture
async def coordination(whole: KillableCluster) -> AsyncIterator[Coordination]:
    store = open_coordination(whole.url)
    yield store
    await store.close()


class Worker:
    """Acquires and releases one lock and fills one row, again and again, and records the results."""

    def __init__(self, cache: RowCache, coordination: Coordination) -> None:
        self.name = f"failover:{secrets.token_hex(6)}"
        self.lock_key = f"{{lock:{self.name}}}"
        self.row_key = f"{{row:{self.name}}}"
        self._cache, self._coordination = cache, coordination
        self.fences: list[int] = []
        self.generations: list[int] = []
        self.failures = 0
        self._progressed = asyncio.Event()

    def masters(self, cluster: KillableCluster) -> set[int]:
        return {cluster.master_of(self.lock_key), cluster.master_of(self.row_key)}

    async def work(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            for step in (self._lock, self._fill):
                try:
                    await step()
                except StoreUnavailable:
                    self.failures += 1
                self._progressed.set()
            await asyncio.sleep(0.01)

    async def _lock(self) -> None:
        lock = await self._coordination.acquire(self.name, hold_seconds=0.5)
        if lock is not None:
            self.fences.append(lock.fence)
            await self._coordination.release(lock)

    async def _fill(self) -> None:
        await self._cache.purge([self.name])
        generation = await self._cache.generation(self.name)
        self.generations.append(generation)
        body = str(generation).encode()
        if await self._cache.fill(self.name, body, generation=generation, fresh_seconds=9, keep_seconds=9):
            found = await self._cache.get(self.name)
            assert found is None or found.body == body, "a row came back that no worker stored"

    async def until_more(self) -> None:
        """Wait until it has acquired its lock and filled its row twice more."""
        fences, generations = len(self.fences) + 2, len(self.generations) + 2
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.fences) < fences or len(self.generations) < generations:
                self._progressed.clear()
                await self._progressed.wait()


@pytest.mark.parametrize("loss", ["killed", "frozen"])
@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.soak)])
async def test_a_master_lost_under_load_costs_its_own_slots_until_its_replica_has_them(
    whole: KillableCluster, cache: RowCache, coordination: Coordination, loss: str, times: int
) -> None:
    lose = whole.kill if loss == "killed" else whole.freeze
    workers = [Worker(cache, coordination) for _ in range(NAMES)]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for worker in workers:
            tasks.create_task(worker.work(stop))
        for number in range(times):
            await asyncio.gather(*(worker.until_more() for worker in workers))
            struck = workers[number % NAMES]
            failures = struck.failures
            victim = await asyncio.to_thread(whole.master_of, struck.lock_key)
            unhurt = [worker for worker in workers if victim not in await asyncio.to_thread(worker.masters, whole)]
            assert unhurt, "no worker is on the other two masters alone"
            await asyncio.to_thread(lose, victim)
            await asyncio.gather(*(worker.until_more() for worker in unhurt))
            await asyncio.gather(*(worker.until_more() for worker in workers))
            assert struck.failures > failures, "no worker noticed that the master was gone"
            if loss == "frozen":
                # It acts as master until it hears of its successor.
                whole.thaw(victim)
            await asyncio.to_thread(whole.until_replaced, struck.lock_key, victim)
            successor = await asyncio.to_thread(whole.master_of, struck.lock_key)
            await asyncio.to_thread(whole.make_whole)
            assert await asyncio.to_thread(whole.replica_of, successor) == victim, "the killed node does not follow"
        stop.set()
    for worker in workers:
        assert sorted(set(worker.fences)) == worker.fences, "a fence did not grow"
        assert sorted(set(worker.generations)) == worker.generations, "a row's generation did not grow"


async def test_a_lock_that_was_handed_out_outlives_its_master(
    whole: KillableCluster, coordination: Coordination
) -> None:
    name = f"outlives:{secrets.token_hex(6)}"
    lock = await coordination.acquire(name, hold_seconds=600)
    assert lock is not None
    await asyncio.to_thread(whole.kill, await asyncio.to_thread(whole.master_of, f"{{lock:{name}}}"))
    assert await until_answered(lambda: coordination.is_held(lock)), "the failover lost a lock that its replica had"
    assert await coordination.acquire(name, hold_seconds=1) is None
    assert await coordination.release(lock)


async def test_after_a_failover_that_lost_a_lock_the_next_fence_is_higher_all_the_same(
    whole: KillableCluster, coordination: Coordination
) -> None:
    name = f"lost:{secrets.token_hex(6)}"
    master = await asyncio.to_thread(whole.master_of, f"{{lock:{name}}}")
    replica = await asyncio.to_thread(whole.replica_of, master)
    first = await coordination.acquire(name, hold_seconds=600)
    assert first is not None
    assert await coordination.release(first)
    # The replica gets nothing more from its master: it is frozen, and the other side closes its connection.
    whole.freeze(replica)
    try:
        with whole.client(master) as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "replica")
        lost = await coordination.acquire(name, hold_seconds=600)
        assert lost is not None
        assert lost.fence > first.fence
        await asyncio.to_thread(whole.kill, master)
    finally:
        whole.thaw(replica)
    following = await until_answered(lambda: coordination.acquire(name, hold_seconds=600))
    assert following is not None, "the replica had the lock: nothing was lost, and nothing tested"
    assert following.fence > lost.fence, "the paused holder's fence is as high as its successor's"
    assert not await coordination.is_held(lost)
    assert not await coordination.release(lost), "a holder whose lock was lost released its successor's"
    assert await coordination.is_held(following)


async def test_a_client_that_starts_while_a_master_is_away_finds_the_others(whole: KillableCluster) -> None:
    names = [f"away:{secrets.token_hex(6)}" for _ in range(NAMES)]
    masters = {name: whole.master_of(f"{{lock:{name}}}") for name in names}
    victim = masters[names[0]]
    await asyncio.to_thread(whole.kill, victim)
    fresh = open_coordination(whole.url)
    try:

        async def take(name: str) -> None:
            assert await until_answered(lambda: fresh.acquire(name, hold_seconds=60)) is not None

        await asyncio.gather(*(take(name) for name in names if masters[name] != victim))
        await asyncio.gather(*(take(name) for name in names if masters[name] == victim))
    finally:
        await fresh.close()
