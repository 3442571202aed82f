"""The engine redis-cluster: it is formed from any state, and is complete again after a kill without intervention."""

import asyncio
import os
import signal
from functools import partial
from pathlib import Path

import psutil
import pytest
import redis.asyncio as redis

from marquee.platform.cluster_engines import instances
from marquee.platform.cluster_engines.redis_cluster import NODES, REDIS_CLUSTER
from marquee.platform.supervisor.supervision import PlatformEvent
from marquee.settings import load_settings
from marquee.stores.coordination import open_coordination
from tests.harness.clusters import PATIENCE_SECONDS, KillableCluster, until_answered

pytestmark = pytest.mark.xdist_group("redis-cluster")


def ignored(_: PlatformEvent) -> None:
    return None


async def replicated(url: str) -> None:
    """Wait until every replica has all data of its master: a failover may lose writes that a replica has not confirmed."""
    ports = [int(node.rpartition(":")[2]) for node in url.split("://")[1].split(",")]
    async with asyncio.timeout(PATIENCE_SECONDS):
        for port in ports:
            async with redis.Redis(port=port) as node:
                while (seen := await node.info("replication"))["role"] == "master" and not all(  # noqa: ASYNC110
                    replica["offset"] == seen["master_repl_offset"]
                    for name, replica in seen.items()
                    if name.startswith("slave") and isinstance(replica, dict)
                ):
                    await asyncio.sleep(0.02)


async def test_a_killed_master_comes_back_by_itself_with_its_locks_and_down_leaves_nothing(tmp_path: Path) -> None:
    settings = load_settings(state=tmp_path)
    urls = await instances.up(settings, [REDIS_CLUSTER], on_event=ignored, tied=True)
    try:
        processes = {process.name: process for process in await instances.observe(settings, [REDIS_CLUSTER])}
        assert len(processes) == NODES
        assert {process.state for process in processes.values()} == {"running"}
        coordination = open_coordination(urls["MARQUEE_COORDINATION_URL"])
        locks = [await coordination.acquire(f"kept:{number}", hold_seconds=600) for number in range(12)]
        await replicated(urls["MARQUEE_COORDINATION_URL"])
        victim = processes["redis-cluster-1"].pid
        os.kill(victim, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                now = {process.name: process.pid for process in await instances.observe(settings, [REDIS_CLUSTER])}
                if now["redis-cluster-1"] not in (0, victim):
                    break
                await asyncio.sleep(0.05)
        assert await instances.up(settings, [REDIS_CLUSTER], on_event=ignored) == urls
        for lock in locks:
            assert lock is not None
            assert await until_answered(partial(coordination.is_held, lock)), "a killed master forgot a lock"
        await coordination.close()
    finally:
        last = [process.pid for process in await instances.observe(settings, [REDIS_CLUSTER])]
        assert await instances.down(settings, [REDIS_CLUSTER], on_event=ignored) == ["redis-cluster"]
    assert not [pid for pid in last if psutil.pid_exists(pid)], "a node outlived `down`"


async def test_a_formation_that_was_killed_half_way_is_completed(tmp_path: Path) -> None:
    cluster = KillableCluster(tmp_path)
    try:
        await asyncio.to_thread(cluster.start)
        with cluster.client(1) as first, cluster.client(2) as second:
            first.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 5460)
            second.execute_command("CLUSTER", "MEET", "127.0.0.1", *cluster.ports(5))
        await asyncio.to_thread(cluster.make_whole)
        masters = {cluster.master_of(f"any key {number}") for number in range(60)}
        assert masters == {1, 2, 3}
        assert {cluster.replica_of(number) for number in masters} == {4, 5, 6}
    finally:
        await asyncio.to_thread(cluster.stop)
