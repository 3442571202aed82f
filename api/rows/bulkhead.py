"""A bulkhead: bounded concurrency, a bounded queue, a time-out and a circuit breaker around one service's calls.

A service that hangs costs its own places and its callers the time-out, nothing else; after `FAILURES` failures in a row it
is not asked at all for `OPEN_SECONDS`, then one call tries, and while it does the others are refused at once. Refusals that are
the caller's fault do not count as failures; a caller that went away says nothing of the service at all.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import CLOSED, OpenedState

from marquee.errors import CursorInvalid, InputInvalid, StoreUnavailable, TitleUnknown

FAILURES: Final = 5
OPEN_SECONDS: Final = 2.0
MAX_WAITING_PER_PLACE: Final = 32

Result = TypeVar("Result")


class Bulkhead:
    def __init__(
        self, name: str, breakers: AsyncCircuitBreakerFactory, *, concurrency: int, timeout_seconds: float
    ) -> None:
        self.name = name
        self.timeout_seconds = timeout_seconds
        self._breakers = breakers
        self._places = asyncio.Semaphore(concurrency)
        self._most_waiting = concurrency * MAX_WAITING_PER_PLACE
        self._waiting = 0
        self._trying = False

    async def call(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Raises `StoreUnavailable` when the service is full, open or too slow, and whatever `work` raises."""
        if self._waiting >= self._most_waiting:
            raise StoreUnavailable(f"{self.name} has too many callers waiting.")
        try:
            async with self._breaker(), asyncio.timeout(self.timeout_seconds):
                self._waiting += 1
                try:
                    await self._places.acquire()
                finally:
                    self._waiting -= 1
                try:
                    return await work()
                finally:
                    self._places.release()
        except OpenedState as error:
            raise StoreUnavailable(f"{self.name} failed several times and is left alone for a moment.") from error
        except TimeoutError as error:
            raise StoreUnavailable(f"{self.name} did not answer within {self.timeout_seconds} s.") from error

    @asynccontextmanager
    async def _breaker(self) -> AsyncIterator[None]:
        """Raises `OpenedState`, and `StoreUnavailable` while another call tries whether the service is back."""
        breaker = await self._breakers.get_breaker(
            self.name, FAILURES, OPEN_SECONDS, exclude=[InputInvalid, CursorInvalid, TitleUnknown]
        )
        # No await from here to the mark: two that come together would both try.
        if self._trying and breaker.context.state != CLOSED:
            raise StoreUnavailable(f"{self.name} failed several times and is being tried.")
        breaker.context.handle_new_request()
        tries = breaker.context.state != CLOSED
        self._trying = self._trying or tries
        try:
            yield
        except asyncio.CancelledError:
            raise  # past the breaker: to it, what is no failure would be a success
        except BaseException as error:
            await breaker.__aexit__(type(error), error, error.__traceback__)
            raise
        else:
            await breaker.__aexit__(None, None, None)
        finally:
            if tries:
                self._trying = False
