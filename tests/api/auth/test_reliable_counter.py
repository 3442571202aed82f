"""The counter of attempts with an engine that is lost, slow or flooded."""

import contextlib

import pytest

from api.auth import attempts
from api.auth.attempts import BY_ACCOUNT_AND_ADDRESS, LoginAttempts, ReliableCounter
from marquee import deadlines
from marquee.domain.attempts import AttemptRule
from marquee.errors import NotAuthenticated, StoreUnavailable, TooManyRequests
from marquee.stores.coordination.in_process import InProcessCounter

FEW = AttemptRule(free=3, first_seconds=60, max_seconds=60, forget_seconds=600)


class _LostEngine(InProcessCounter):
    """An engine that does not answer while `is_lost`."""

    def __init__(self) -> None:
        super().__init__()
        self.is_lost = False
        self.asked = 0

    async def attempt(self, bucket: str, rule: AttemptRule) -> float:
        self.asked += 1
        if self.is_lost:
            raise StoreUnavailable("Valkey did not answer.")
        return await super().attempt(bucket, rule)


class _DeadlineEngine(InProcessCounter):
    """An engine that, as the real one, has no answer for a request whose time is over."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = self.taken_back = 0

    async def attempt(self, bucket: str, rule: AttemptRule) -> float:
        self.asked += 1
        self._check()
        return await super().attempt(bucket, rule)

    async def take_back(self, bucket: str) -> None:
        self._check()
        self.taken_back += 1
        await super().take_back(bucket)

    def _check(self) -> None:
        if deadlines.remaining_seconds() == 0:
            raise StoreUnavailable("Valkey did not answer within 0.5 s.")


async def test_a_flood_is_refused_without_a_call_to_the_engine() -> None:
    engine = _LostEngine()
    first, second = (LoginAttempts(ReliableCounter(engine)) for _ in range(2))
    for process in (first, second):
        for _ in range(20):
            with pytest.raises((NotAuthenticated, TooManyRequests)):
                async with process.of_login("account", "10.0.0.1", "device"):
                    raise NotAuthenticated("wrong")
    assert engine.asked == BY_ACCOUNT_AND_ADDRESS.free + 1, "each refusal costs a call to the engine"


async def test_a_lost_engine_is_asked_again_only_after_a_while() -> None:
    now = 0.0
    engine = _LostEngine()
    counter = ReliableCounter(engine, clock=lambda: now)
    engine.is_lost = True
    for _ in range(10):
        await counter.attempt("bucket", FEW)
    assert engine.asked == 1, "each login waits for an engine that does not answer"
    assert await counter.attempt("bucket", FEW) > 0
    engine.is_lost, now = False, attempts.RETRY_ENGINE_SECONDS
    await counter.attempt("other", FEW)
    assert engine.asked == 2, "the engine that is back is not asked"


async def test_a_request_whose_time_is_over_takes_its_attempt_back_and_does_not_count_as_an_outage() -> None:
    engine = _DeadlineEngine()
    limits = LoginAttempts(ReliableCounter(engine))

    async def log_in() -> None:
        with contextlib.ExitStack() as rest_of_request:
            async with limits.of_login("account", "10.0.0.2", "device"):
                rest_of_request.enter_context(deadlines.limited(0))
                raise StoreUnavailable("PostgreSQL did not answer within 2.5 s.")

    for _ in range(3 * BY_ACCOUNT_AND_ADDRESS.free):
        with pytest.raises(StoreUnavailable):
            await log_in()
    assert engine.taken_back == 3 * BY_ACCOUNT_AND_ADDRESS.free, "the engine still counts attempts that nobody judged"


async def test_a_late_call_of_a_request_leaves_the_engine_in_use() -> None:
    engine = _DeadlineEngine()
    counter = ReliableCounter(engine)
    with deadlines.limited(0):
        await counter.attempt("late", FEW)
    for number in range(2):
        await counter.attempt(f"in time {number}", FEW)
    assert engine.asked == 3, "one late request turns every other one to the process's own counter"
