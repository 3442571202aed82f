"""A read that several parts of one answer share: it begins when the first part asks, and is done once.

The read goes on when a part stops waiting. It keeps the request's deadline.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Outcome = TypeVar("Outcome")


class Once(Generic[Outcome]):
    def __init__(self, work: Callable[[], Coroutine[Any, Any, Outcome]]) -> None:
        self._work = work
        self._task: asyncio.Task[Outcome] | None = None

    async def get(self) -> Outcome:
        """The read's outcome. Raises what the read raises."""
        if self._task is None:
            self._task = asyncio.create_task(self._work())
            self._task.add_done_callback(_mark_read)
        # Shielded: a part that is cancelled must not cancel the read that others wait for.
        return await asyncio.shield(self._task)


def _mark_read(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()  # or asyncio would log it: every part may be gone
