"""How a process is told to stop: SIGTERM and SIGINT set one event, and whatever waits looks at that event."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set. Call it inside the running loop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def wait_for_stop(stop: asyncio.Event, seconds: float) -> None:
    """Wait until `stop` is set, at most `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def unless_stopped(
    stop: asyncio.Event, work: Coroutine[Any, Any, Answer], *, grace_seconds: float = 0.0
) -> Answer | None:
    """What `work` returns. Once `stop` is set, `work` has `grace_seconds` to end; then it is cancelled, and the answer is None.

    `work` is cancelled once, and its end is waited for: it may have much to put in order. What it raises is raised here.
    """
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if grace_seconds:
            await asyncio.wait({working}, timeout=grace_seconds)
    finally:
        stopping.cancel()
        working.cancel()  # does nothing where it has ended
        await asyncio.wait({working})
    return None if working.cancelled() else working.result()
