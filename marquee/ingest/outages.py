"""Waiting through an engine's restart: a call that may be repeated is repeated, with jitter and a bound."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import tenacity

from marquee.errors import StoreUnavailable
from marquee.logs import get_logger

OUTAGE_SECONDS: Final = 60.0
"""How long finished work waits for an engine before its attempt is given up."""

T = TypeVar("T")

log = get_logger()


async def through_outages(call: Callable[[], Awaitable[T]], *, seconds: float = OUTAGE_SECONDS) -> T:
    """Repeat an idempotent call while its store is unavailable; raises `StoreUnavailable` after `seconds`."""
    repeating = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(StoreUnavailable),
        wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=5),
        stop=tenacity.stop_after_delay(seconds),
        before_sleep=log_outage,
        reraise=True,
    )

    async def once() -> T:  # tenacity awaits only what it sees to be a coroutine function
        return await call()

    return await repeating(once)


def log_outage(state: tenacity.RetryCallState) -> None:
    """For tenacity's `before_sleep`."""
    error = state.outcome.exception() if state.outcome else None
    log.warning("a store is unavailable", detail=str(error), attempt=state.attempt_number)
