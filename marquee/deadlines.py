"""The time that a request has left. Every store reads it; it knows no framework.

The API's edge opens `limited(...)` for a request. What runs inside, and every task that it starts, sees the same deadline. A
store asks `at_most(its own limit)` before it waits, so that a wait for a pool, a retry and a statement together end with the
request. Jobs and stages set no deadline: their calls keep the stores' own long retries. Work that outlives its request, such as
a shared fill, runs in the context `detached()`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context


class Deadline:
    """When a request has to be answered, and how long one call of a store may take within it."""

    def __init__(self, seconds: float, call_seconds: float | None = None) -> None:
        self._seconds = seconds
        self._call_seconds = call_seconds
        self.restart()

    def restart(self) -> None:
        """Count from now on: the client has just sent a part of its body."""
        self._ends_at = time.monotonic() + self._seconds

    def remaining_seconds(self, *, whole_request: bool = False) -> float:
        """Seconds for the next call; `whole_request`: for a call that may take all of the time. Never negative."""
        remaining = max(0.0, self._ends_at - time.monotonic())
        if whole_request or self._call_seconds is None:
            return remaining
        return min(remaining, self._call_seconds)


_DEADLINE: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def limited(seconds: float, *, call_seconds: float | None = None) -> Iterator[Deadline]:
    """Give the block `seconds`, and each of its calls `call_seconds`. Inside another deadline, never more than that one has."""
    deadline = Deadline(at_most(seconds, whole_request=True), call_seconds)
    token = _DEADLINE.set(deadline)
    try:
        yield deadline
    finally:
        _DEADLINE.reset(token)


def remaining_seconds(*, whole_request: bool = False) -> float | None:
    """Seconds that a call may take. None: there is no deadline."""
    deadline = _DEADLINE.get()
    return None if deadline is None else deadline.remaining_seconds(whole_request=whole_request)


def at_most(seconds: float, *, whole_request: bool = False) -> float:
    """`seconds`, or what remains until the deadline, whichever is less."""
    remaining = remaining_seconds(whole_request=whole_request)
    return seconds if remaining is None else min(seconds, remaining)


def detached() -> Context:
    """A context without a deadline, for a task whose result is not for its first caller alone."""
    context = copy_context()
    context.run(_DEADLINE.set, None)
    return context
