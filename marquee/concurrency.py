"""One call for each of many items, a bounded number of them at the same time: the project's one way to do that.

The bound protects the other side (an engine, an edge, memory for bodies) and is a constant of the caller, `MAX_CONCURRENT_X`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


async def gather_bounded(
    call: Callable[[Item], Awaitable[Answer]], items: Iterable[Item], *, max_concurrent: int
) -> list[Answer]:
    """Await `call(item)` for every item, at most `max_concurrent` at once; returns the answers in the items' order.

    The first failure cancels the calls under way, starts no more, and is raised once they have ended: as it is, not in a
    group. Cancelling the caller cancels the calls in the same way.
    """
    waiting = deque(enumerate(items))
    answers: dict[int, Answer] = {}

    async def work() -> None:
        while waiting:
            index, item = waiting.popleft()
            answers[index] = await call(item)

    workers = [asyncio.ensure_future(work()) for _ in range(min(max_concurrent, len(waiting)))]
    try:
        await asyncio.gather(*workers)
    except BaseException:
        waiting.clear()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        raise
    return [answers[index] for index in range(len(answers))]
