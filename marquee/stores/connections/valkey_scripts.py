"""Runs Lua scripts on one Valkey server or on a cluster; the row cache and the locks consist of such scripts.

A script names all its keys. They share a hash tag, so that one node of a cluster has all of them. One time-out covers the whole
call: waiting for a slot, connecting, redirections, the answer. A request's deadline (`marquee.deadlines`) may shorten it. A call
is not repeated, because its callers must not wait: it raises `StoreUnavailable`. At most `connections` calls run at once.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from redis.exceptions import NoScriptError

from marquee import deadlines
from marquee.errors import StoreUnavailable
from marquee.stores.connections.urls import CLUSTER_SCHEMES
from marquee.stores.connections.valkey import open_client, translated
from marquee.stores.connections.valkey_cluster import open_cluster
from marquee.stores.connections.valkey_url import parse_valkey_url

Argument = str | bytes | int
Execute = Callable[..., Awaitable[Any]]


class Script:
    """A script's text and its SHA-1, by which a server runs a script that it has run before (EVALSHA)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class ScriptedValkey:
    """A client that only runs scripts. Answers are Valkey's: integers, bytes, None, or lists of them.

    `what` names the store in error messages, `setting` is the setting of its URL. Raises `SettingsInvalid` for the URL.
    """

    def __init__(self, url: str, *, setting: str, what: str, timeout_seconds: float, connections: int) -> None:
        self._execute: Execute
        self._execute_replicated: Callable[..., Awaitable[Any]]
        self._ping: Callable[[], Awaitable[Any]]
        self._close: Callable[[], Awaitable[None]]
        parsed = parse_valkey_url(url, setting=setting)
        if parsed.scheme in CLUSTER_SCHEMES:
            cluster = open_cluster(parsed, timeout_seconds=timeout_seconds, connections=connections)
            self._execute, self._execute_replicated = cluster.execute_command, cluster.execute_replicated
            self._ping, self._close = cluster.ping_masters, cluster.close
        else:
            single = open_client(parsed, timeout_seconds=timeout_seconds, connections=connections)
            self._execute, self._execute_replicated = (
                single.execute_command,
                lambda _, *rest: single.execute_command(*rest),
            )
            self._ping, self._close = single.ping, single.aclose
        self._what = what
        self._timeout_seconds = timeout_seconds
        self._slots = asyncio.Semaphore(connections)

    async def run(self, script: Script, keys: Sequence[str], *arguments: Argument) -> Any:
        """Run a script. Raises `StoreUnavailable`; the script may then have run or not."""
        return await self._run(self._execute, script, keys, arguments)

    async def run_replicated(self, script: Script, keys: Sequence[str], *arguments: Argument) -> Any:
        """As `run`, but a cluster answers only when a replica has the change too, so that losing the master keeps it.

        The wait for a replica ends after `valkey_cluster.REPLICA_WAIT_MS`. The change may then be lost with the master.
        """
        return await self._run(partial(self._execute_replicated, keys[0]), script, keys, arguments)

    async def ping(self) -> None:
        """Raises `StoreUnavailable` unless the server, or every master of the cluster, answers."""
        async with self._call():
            await self._ping()

    async def close(self) -> None:
        await self._close()

    async def _run(self, execute: Execute, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        async with self._call():
            try:
                return await execute("EVALSHA", script.sha, len(keys), *keys, *arguments)
            except NoScriptError:
                # A restarted node or a promoted replica does not know the script yet; EVAL also stores it there.
                return await execute("EVAL", script.text, len(keys), *keys, *arguments)

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(deadlines.at_most(self._timeout_seconds)):
                with translated(self._what):
                    async with self._slots:
                        yield
        except TimeoutError as error:
            raise StoreUnavailable(f"{self._what} did not answer within {self._timeout_seconds} s.") from error
