"""Single flight: callers that ask for the same key at the same moment share one piece of work and its outcome.

A burst of hundreds of callers of one row costs one cache read and one fill. The work goes on when a caller stops
waiting, and no caller's deadline ends it. After `forget`, new callers start new work; callers that joined earlier get
the outcome of the old work.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from marquee import deadlines

Outcome = TypeVar("Outcome")


class SingleFlight(Generic[Outcome]):
    """Shares work by key. `name` says what the work is; it stands in the names of the tasks."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._running: dict[str, asyncio.Task[Outcome]] = {}

    async def join(self, key: str, work: Callable[[], Coroutine[Any, Any, Outcome]]) -> Outcome:
        """The outcome of the work for `key`. The work is started if none runs. Raises what the work raises."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(
                work(), name=f"{self._name} {key}", context=deadlines.detached()
            )
            task.add_done_callback(lambda done: self._ended(key, done))
        # Shielded: a caller that is cancelled must not cancel the work that others wait for.
        return await asyncio.shield(task)

    def forget(self, key: str) -> None:
        """Later callers of `key` do not join the work that runs now."""
        self._running.pop(key, None)

    def _ended(self, key: str, task: asyncio.Task[Outcome]) -> None:
        if self._running.get(key) is task:
            del self._running[key]
        if not task.cancelled():
            task.exception()  # marks the error as read, or asyncio would log it: every caller may be gone
