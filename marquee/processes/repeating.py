"""How a process goes on until it is told to stop: a call is repeated through outages, a loop at its interval."""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import tenacity

from marquee.errors import StoreUnavailable
from marquee.ingest.outages import log_outage
from marquee.processes.stopping import unless_stopped, wait_for_stop

Answer = TypeVar("Answer")

GRACE_SECONDS: Final = 3.0
"""A round that is under way when the stop comes has this long to end. Then it is cancelled; it bears a kill as well."""


async def until_answered(stop: asyncio.Event, call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Repeat an idempotent call through any outage, with jitter. Raises `StoreUnavailable` only once `stop` is set."""
    repeating = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(StoreUnavailable),
        wait=tenacity.wait_exponential_jitter(multiplier=0.1, max=3),
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
    """Call now, and `seconds` after each end, until `stop` is set. Outages are waited through; other failures are raised."""
    while not stop.is_set():
        await unless_stopped(stop, _answered(stop, call), grace_seconds=GRACE_SECONDS)
        await wait_for_stop(stop, seconds)


async def _answered(stop: asyncio.Event, call: Callable[[], Awaitable[object]]) -> None:
    with contextlib.suppress(StoreUnavailable):  # told to stop while a store was away
        await until_answered(stop, call)
