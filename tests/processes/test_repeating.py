"""A loop goes on through outages and ends with the stop; any other failure ends it."""

import asyncio

import pytest

from marquee.errors import StoreUnavailable
from marquee.processes.repeating import every, until_answered


async def test_a_call_is_repeated_until_its_store_answers() -> None:
    outages = 3

    async def call() -> str:
        nonlocal outages
        if outages:
            outages -= 1
            raise StoreUnavailable("away")
        return "answered"

    assert await until_answered(asyncio.Event(), call) == "answered"


async def test_an_outage_is_raised_once_the_process_is_told_to_stop() -> None:
    stop = asyncio.Event()

    async def call() -> None:
        stop.set()
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        await until_answered(stop, call)


async def test_a_loop_ends_with_the_stop_though_its_store_is_away() -> None:
    stop, rounds = asyncio.Event(), 0

    async def call() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            stop.set()
        if rounds >= 2:
            raise StoreUnavailable("away")

    async with asyncio.timeout(30):
        await every(0.0, stop, call)
    assert rounds == 3, "the loop went on after the stop, or ended before it"


async def test_a_failure_that_is_no_outage_ends_the_loop() -> None:
    async def call() -> None:
        raise LookupError("a fault of ours")

    with pytest.raises(LookupError):
        await every(0.0, asyncio.Event(), call)
