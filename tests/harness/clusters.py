"""A Redis Cluster without a supervisor: a killed node stays stopped until the test starts it again."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import redis
from redis.crc import key_slot

from marquee.errors import StoreUnavailable
from marquee.platform.cluster_engines import instances as engine_instances
from marquee.platform.cluster_engines.redis_cluster import REDIS_CLUSTER
from marquee.settings import load_settings
from tests.harness.servers import running

Answer = TypeVar("Answer")

PATIENCE_SECONDS = 60.0
"""How long a test waits for what takes a few seconds on a machine with nothing else to do."""


class KillableCluster:
    """The cluster's nodes by number, from 1; see `killable_cluster`."""

    def __init__(self, folder: Path) -> None:
        self._home = engine_instances.home(load_settings(state=folder), REDIS_CLUSTER)
        self._programs = list(REDIS_CLUSTER.programs(self._home))
        self._stacks = [contextlib.ExitStack() for _ in self._programs]
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * len(self._programs)

    @property
    def url(self) -> str:
        return REDIS_CLUSTER.urls(self._home)["MARQUEE_ROW_CACHE_URL"]

    def make_whole(self) -> None:
        """Start the stopped nodes; return once every slot has a master and a replica with its data."""
        self.start()
        asyncio.run(self._prepare())

    def start(self) -> None:
        """Start the stopped nodes."""
        for index, process in enumerate(self._processes):
            if process is None:
                program, stack = self._programs[index], self._stacks[index]
                self._processes[index] = stack.enter_context(running(program, self._home.folder))

    async def _prepare(self) -> None:
        await REDIS_CLUSTER.prepare(self._home)

    def kill(self, number: int) -> None:
        process = self._process(number)
        process.kill()
        process.wait()
        self._processes[number - 1] = None

    def freeze(self, number: int) -> None:
        os.kill(self._process(number).pid, signal.SIGSTOP)

    def thaw(self, number: int) -> None:
        os.kill(self._process(number).pid, signal.SIGCONT)

    def stop(self) -> None:
        for stack in self._stacks:
            stack.close()

    def master_of(self, key: str) -> int:
        """Number of the node that owns a key, according to the running nodes."""
        slot = key_slot(key.encode())
        for number in self._living():
            for first, last in self._myself(number)["slots"]:
                if int(first) <= slot <= int(last):
                    return number
        raise AssertionError(f"no living node has the slot {slot}")

    def until_replaced(self, key: str, victim: int) -> None:
        """Wait until every running node says that another node than the lost one owns the key."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.master_of(key) == victim:
            assert time.monotonic() < deadline, f"node {victim} still has {key}"
            time.sleep(0.02)

    def replica_of(self, number: int) -> int:
        """Number of the node that is this master's replica."""
        node_id = self._myself(number)["node_id"]
        return next(one for one in self._living() if self._myself(one)["master_id"] == node_id)

    def ports(self, number: int) -> tuple[int, int]:
        """A node's ports: for clients, and for other nodes."""
        return self._home.ports[f"node_{number}"], self._home.ports[f"bus_{number}"]

    def client(self, number: int) -> redis.Redis:
        return redis.Redis(port=self.ports(number)[0], decode_responses=True, socket_timeout=5)

    def _living(self) -> list[int]:
        return [index + 1 for index, process in enumerate(self._processes) if process is not None]

    def _process(self, number: int) -> subprocess.Popen[bytes]:
        process = self._processes[number - 1]
        assert process is not None, f"node {number} is not running"
        return process

    def _myself(self, number: int) -> dict[str, Any]:
        with self.client(number) as client:
            nodes: dict[str, dict[str, Any]] = client.cluster("NODES")
        return next(node for node in nodes.values() if "myself" in node["flags"])


@contextlib.contextmanager
def killable_cluster(folder: Path) -> Iterator[KillableCluster]:
    """A complete cluster for one test."""
    cluster = KillableCluster(folder)
    try:
        cluster.make_whole()
        yield cluster
    finally:
        cluster.stop()


async def until_answered(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Repeat a call while the slots have no master."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await call()
            except StoreUnavailable:
                await asyncio.sleep(0.02)
