"""Stopping: a signal is seen at once, work under way may end within its grace, and is cancelled after it."""

import asyncio
import os
import signal

import pytest

from marquee.processes.stopping import stop_on_signals, unless_stopped, wait_for_stop

LONG_SECONDS = 600.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_sets_the_event(number: signal.Signals) -> None:
    stop = stop_on_signals()
    try:
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5):
            await wait_for_stop(stop, LONG_SECONDS)
        assert stop.is_set(), f"{number.name} did not set the event"
    finally:
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(each)


async def test_work_that_ends_first_gives_its_answer() -> None:
    async def work() -> str:
        return "done"

    assert await unless_stopped(asyncio.Event(), work()) == "done"


async def test_a_failure_is_raised_as_it_is() -> None:
    async def work() -> None:
        raise LookupError("what went wrong")

    with pytest.raises(LookupError, match="what went wrong"):
        await unless_stopped(asyncio.Event(), work())


async def test_a_stop_cancels_the_work_and_waits_for_its_end() -> None:
    stop, begun, put_in_order = asyncio.Event(), asyncio.Event(), []

    async def work() -> str:
        begun.set()
        try:
            await asyncio.sleep(LONG_SECONDS)
        finally:
            await asyncio.sleep(0)
            put_in_order.append(True)
        return "not reached"

    waiting = asyncio.create_task(unless_stopped(stop, work()))
    await begun.wait()
    stop.set()
    assert await waiting is None
    assert put_in_order, "the work's own end was not waited for"


async def test_work_that_ends_within_its_grace_is_not_cancelled() -> None:
    stop, may_end = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        await may_end.wait()
        return "done in time"

    waiting = asyncio.create_task(unless_stopped(stop, work(), grace_seconds=LONG_SECONDS))
    stop.set()
    asyncio.get_running_loop().call_soon(may_end.set)
    assert await waiting == "done in time"


async def test_cancelling_the_caller_cancels_the_work() -> None:
    begun, ended = asyncio.Event(), []

    async def work() -> None:
        begun.set()
        try:
            await asyncio.sleep(LONG_SECONDS)
        finally:
            ended.append(True)

    waiting = asyncio.create_task(unless_stopped(asyncio.Event(), work()))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended, "the work outlived its cancelled caller"
