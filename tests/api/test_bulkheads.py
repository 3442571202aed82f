"""Bulkheads and breakers: a service that hangs or fails costs only its own callers, and one of them tests it again."""

import asyncio

import pytest
from purgatory import AsyncCircuitBreakerFactory

from api.rows import bulkhead
from api.rows.bulkhead import Bulkhead
from marquee.errors import StoreUnavailable


async def test_a_breaker_stops_asking_and_tries_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulkhead, "OPEN_SECONDS", 0.2)
    service = Bulkhead("a service", AsyncCircuitBreakerFactory(), concurrency=2, timeout_seconds=1.0)
    asked = 0

    async def fails() -> None:
        nonlocal asked
        asked += 1
        raise StoreUnavailable("away")

    for _ in range(bulkhead.FAILURES + 10):
        with pytest.raises(StoreUnavailable):
            await service.call(fails)
    assert asked == bulkhead.FAILURES, f"a service that fails was asked {asked} times before its calls were refused"

    async def works() -> str:
        return "back"

    async with asyncio.timeout(5):
        while True:
            try:
                assert await service.call(works) == "back"
                break
            except StoreUnavailable:
                await asyncio.sleep(0.02)


async def _opened(monkeypatch: pytest.MonkeyPatch) -> Bulkhead:
    """A bulkhead whose service failed and whose breaker may let a test call through now."""
    monkeypatch.setattr(bulkhead, "OPEN_SECONDS", 0.05)
    service = Bulkhead("a service", AsyncCircuitBreakerFactory(), concurrency=2, timeout_seconds=5.0)

    async def fails() -> None:
        raise StoreUnavailable("away")

    for _ in range(bulkhead.FAILURES):
        with pytest.raises(StoreUnavailable, match="away"):
            await service.call(fails)
    await asyncio.sleep(0.1)
    return service


async def test_one_call_tries_a_service_that_hung_and_the_others_do_not_wait_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = await _opened(monkeypatch)
    go_on = asyncio.Event()
    asked = 0

    async def hangs() -> str:
        nonlocal asked
        asked += 1
        await go_on.wait()
        return "back"

    calls = [asyncio.create_task(service.call(hangs)) for _ in range(20)]
    done, waiting = await asyncio.wait(calls, timeout=0.5)
    assert (asked, len(done), len(waiting)) == (1, 19, 1), f"{asked} calls wait for a service that may still hang"
    assert all(isinstance(call.exception(), StoreUnavailable) for call in done)
    go_on.set()
    assert await waiting.pop() == "back"
    assert await service.call(hangs) == "back", "a service that is back is still refused"


async def test_a_caller_that_goes_away_says_nothing_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    service = await _opened(monkeypatch)

    async def cancelled() -> None:
        call = asyncio.create_task(service.call(asyncio.Event().wait))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    async def fails() -> None:
        raise StoreUnavailable("away")

    async def works() -> str:
        return "back"

    await cancelled()
    with pytest.raises(StoreUnavailable, match="away"):
        await service.call(fails)  # the place of the one that tries is free again
    with pytest.raises(StoreUnavailable, match="calls are refused"):
        await service.call(fails)  # and the trial that was cancelled did not close the breaker
    await asyncio.sleep(0.1)
    assert await service.call(works) == "back"
    for _ in range(bulkhead.FAILURES + 1):
        await cancelled()
    assert await service.call(works) == "back", "callers that went away opened the breaker"


async def test_a_bulkhead_bounds_what_runs_and_what_waits() -> None:
    service = Bulkhead("a service", AsyncCircuitBreakerFactory(), concurrency=2, timeout_seconds=5.0)
    running = most = refused = 0
    go_on, full = asyncio.Event(), asyncio.Event()
    room = 2 + 2 * bulkhead.MAX_WAITING_PER_PLACE

    async def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go_on.wait()
        running -= 1

    async def call() -> None:
        nonlocal refused
        try:
            await service.call(work)
        except StoreUnavailable:
            refused += 1
            if refused == 200 - room:
                full.set()

    async with asyncio.timeout(10), asyncio.TaskGroup() as calls:
        for _ in range(200):
            calls.create_task(call())
        await full.wait()
        go_on.set()
    assert most == 2, f"{most} calls ran at once in a bulkhead of 2"
    assert refused == 200 - room, f"{200 - refused} of 200 calls were let wait"
