"""Lua scripts over keys of one hash slot, on one Valkey or on a cluster of them: what the row cache and the locks are made of.

A script names all its keys, and they share a hash tag, so that one node has them. A call has one time-out over all that it
does (a free place, a connection, a redirection, the answer), is not repeated, and then raises `StoreUnavailable`: whoever
calls has something better to do than to wait. At most `connections` calls are under way at once.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from redis.exceptions import NoScriptError

from marquee.errors import StoreUnavailable
from marquee.stores.connections.urls import CLUSTER_SCHEMES
from marquee.stores.connections.valkey import open_client, translated
from marquee.stores.connections.valkey_cluster import open_cluster
from marquee.stores.connections.valkey_url import parse_valkey_url

Argument = str | bytes | int
Execute = Callable[..., Awaitable[Any]]


class Script:
    """A script's text, and the name by which a server that ran it before knows it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class ScriptedValkey:
    """`what` names the store for a person, `setting` is what its URL is set by.

    Answers are Valkey's: integers, bytes, None, lists of them.
    """

    def __init__(self, url: str, *, setting: str, what: str, timeout_seconds: float, connections: int) -> None:
        self._execute: Execute
        self._execute_copied: Callable[..., Awaitable[Any]]
        self._ping: Callable[[], Awaitable[Any]]
        self._close: Callable[[], Awaitable[None]]
        found = parse_valkey_url(url, setting=setting)
        if found.scheme in CLUSTER_SCHEMES:
            cluster = open_cluster(found, timeout_seconds=timeout_seconds, connections=connections)
            self._execute, self._execute_copied = cluster.execute_command, cluster.execute_copied
            self._ping, self._close = cluster.ping_masters, cluster.close
        else:
            single = open_client(found, timeout_seconds=timeout_seconds, connections=connections)
            self._execute, self._execute_copied = single.execute_command, lambda _, *rest: single.execute_command(*rest)
            self._ping, self._close = single.ping, single.aclose
        self._what = what
        self._timeout_seconds = timeout_seconds
        self._places = asyncio.Semaphore(connections)

    async def run(self, script: Script, keys: Sequence[str], *arguments: Argument) -> Any:
        """Raises `StoreUnavailable`."""
        return await self._run(self._execute, script, keys, arguments)

    async def run_copied(self, script: Script, keys: Sequence[str], *arguments: Argument) -> Any:
        """The same; a cluster answers when a replica has the change as well, so that it outlives the master.

        A replica that is away is not waited for longer than `valkey_cluster.COPY_MS`: then the change may be lost.
        """
        return await self._run(partial(self._execute_copied, keys[0]), script, keys, arguments)

    async def ping(self) -> None:
        """Of a cluster every master must answer. Raises `StoreUnavailable`."""
        async with self._call():
            await self._ping()

    async def close(self) -> None:
        await self._close()

    async def _run(self, execute: Execute, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        async with self._call():
            try:
                return await execute("EVALSHA", script.sha, len(keys), *keys, *arguments)
            except NoScriptError:
                # A node that was started or has taken over learns the script by running it.
                return await execute("EVAL", script.text, len(keys), *keys, *arguments)

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                with translated(self._what):
                    async with self._places:
                        yield
        except TimeoutError as error:
            raise StoreUnavailable(f"{self._what} did not answer within {self._timeout_seconds} s.") from error
