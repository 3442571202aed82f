"""How a job runs until it is told to stop: SIGTERM and SIGINT set one event, and loops go on through outages."""

import asyncio
import contextlib
import functools
import signal
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import tenacity

from marquee.errors import StoreUnavailable
from marquee.ingest.outages import log_outage
from marquee.processes.hints import wait_for_stop

Answer = TypeVar("Answer")

GRACE_SECONDS: Final = 3.0
"""What is under way when a stop comes has this long to end; then it is cancelled, as a kill would."""


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; call inside the running loop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def until_answered(stop: asyncio.Event, call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Repeat an idempotent call through any outage, with jitter; raises `StoreUnavailable` only once `stop` is set."""
    repeating = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(StoreUnavailable),
        wait=tenacity.wait_exponential_jitter(initial=0.1, max=3),
        stop=tenacity.stop_when_event_set(stop),  # type: ignore[arg-type]
        sleep=functools.partial(wait_for_stop, stop),
        before_sleep=log_outage,
        reraise=True,
    )
    async for attempt in repeating:
        with attempt:
            answer = await call()
    return answer


async def every(seconds: float, stop: asyncio.Event, call: Callable[[], Awaitable[object]]) -> None:
    """Do it now and at intervals until `stop` is set; an outage is waited through."""
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        working = asyncio.create_task(_answered(stop, call))
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await asyncio.wait({working}, timeout=GRACE_SECONDS)
            working.cancel()
        await asyncio.gather(working, return_exceptions=working.cancelling() > 0)
        await wait_for_stop(stop, seconds)


async def _answered(stop: asyncio.Event, call: Callable[[], Awaitable[object]]) -> None:
    with contextlib.suppress(StoreUnavailable):  # told to stop while a store was away
        await until_answered(stop, call)
