"""A bulkhead around one service's calls: bounded concurrency, a bounded queue, a time-out and a circuit breaker.

A service that hangs blocks only its own `concurrency` calls, and each caller waits at most the time-out. After
`FAILURES` failures in a row the breaker opens: calls are refused for `OPEN_SECONDS`. Then one call tests the service,
and the others are refused until that call has ended. Two outcomes are no failure of the service: errors of the caller
(`InputInvalid`, `CursorInvalid`, `TitleUnknown`), and a caller that was cancelled.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import CLOSED, OpenedState

from marquee.errors import CursorInvalid, InputInvalid, StoreUnavailable, TitleUnknown

FAILURES: Final = 5
OPEN_SECONDS: Final = 1.0
MAX_WAITING_PER_PLACE: Final = 32
"""Callers that may wait, for each call that may run."""

Result = TypeVar("Result")


class Bulkhead:
    """Limits the calls of the service `name`. Bulkheads with the same name share one circuit breaker."""

    def __init__(
        self, name: str, breakers: AsyncCircuitBreakerFactory, *, concurrency: int, timeout_seconds: float
    ) -> None:
        self.name = name
        self.timeout_seconds = timeout_seconds
        self._breakers = breakers
        self._places = asyncio.Semaphore(concurrency)
        self._max_waiting = concurrency * MAX_WAITING_PER_PLACE
        self._waiting = 0
        self._is_tested = False

    async def call(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """The result of `work`.

        Raises what `work` raises, and `StoreUnavailable` if the service is full, refused or too slow.
        """
        if self._waiting >= self._max_waiting:
            raise StoreUnavailable(f"{self.name} has {self._waiting} waiting callers, its maximum: try again soon.")
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
            raise StoreUnavailable(
                f"{self.name} failed {FAILURES} times in a row: calls are refused for {OPEN_SECONDS:.0f} s."
            ) from error
        except TimeoutError as error:
            raise StoreUnavailable(f"{self.name} did not answer within {self.timeout_seconds} s.") from error

    @asynccontextmanager
    async def _breaker(self) -> AsyncIterator[None]:
        """Raises `OpenedState` while calls are refused, `StoreUnavailable` while another call tests the service."""
        breaker = await self._breakers.get_breaker(
            self.name, FAILURES, OPEN_SECONDS, exclude=[InputInvalid, CursorInvalid, TitleUnknown]
        )
        # No await between this check and the assignment: two calls at the same moment would both test the service.
        if self._is_tested and breaker.context.state != CLOSED:
            raise StoreUnavailable(f"{self.name} failed {FAILURES} times in a row: one call tests it at this moment.")
        breaker.context.handle_new_request()
        is_test = breaker.context.state != CLOSED
        self._is_tested = self._is_tested or is_test
        try:
            yield
        except asyncio.CancelledError:
            raise  # not told to the breaker: it would count a cancelled call as a success
        except BaseException as error:
            await breaker.__aexit__(type(error), error, error.__traceback__)
            raise
        else:
            await breaker.__aexit__(None, None, None)
        finally:
            if is_test:
                self._is_tested = False
