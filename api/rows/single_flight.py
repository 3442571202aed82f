"""Single flight: callers that ask for the same key at the same moment share one piece of work and its outcome.

A burst on one row costs one look into the cache and one fill, not hundreds. The work goes on when a caller gives up waiting.
After `forget`, callers start new work; those that joined before keep the outcome of the old one.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Outcome = TypeVar("Outcome")


class SingleFlight(Generic[Outcome]):
    """`name`: what the work is, in the names of its tasks."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._running: dict[str, asyncio.Task[Outcome]] = {}

    async def join(self, key: str, work: Callable[[], Coroutine[Any, Any, Outcome]]) -> Outcome:
        """The outcome of the work that runs for `key`, started now if none runs. Raises what the work raises."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(work(), name=f"{self._name} {key}")
            task.add_done_callback(lambda done: self._ended(key, done))
        # Shielded: a caller whose time is up must not end the work that others wait for.
        return await asyncio.shield(task)

    def forget(self, key: str) -> None:
        """From now on nobody joins the work that runs for `key`."""
        self._running.pop(key, None)

    def _ended(self, key: str, task: asyncio.Task[Outcome]) -> None:
        if self._running.get(key) is task:
            del self._running[key]
        if not task.cancelled():
            task.exception()  # tells asyncio that the error was seen: every caller may be gone by now
