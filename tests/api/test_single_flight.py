"""Single flight: callers at the same moment share one piece of work, and no caller can spoil it for the others."""

import asyncio

import pytest

from api.rows.single_flight import SingleFlight


class Work:
    """Counts how often it was started; ends when the test says so."""

    def __init__(self) -> None:
        self.started = 0
        self.go_on = asyncio.Event()

    async def __call__(self) -> int:
        self.started += 1
        number = self.started
        await self.go_on.wait()
        return number


async def test_callers_of_one_moment_share_the_work_and_its_outcome() -> None:
    flight, work = SingleFlight[int]("test"), Work()
    callers = [asyncio.create_task(flight.join("row", work)) for _ in range(50)]
    await asyncio.sleep(0)
    work.go_on.set()
    assert await asyncio.gather(*callers) == [1] * 50, "a caller did work of its own"
    assert await flight.join("row", work) == 2, "what has ended was shared with a later caller"


async def test_keys_do_not_share() -> None:
    flight, work = SingleFlight[int]("test"), Work()
    work.go_on.set()
    assert {await flight.join("one", work), await flight.join("other", work)} == {1, 2}


async def test_a_caller_that_gives_up_does_not_end_the_work() -> None:
    flight, work = SingleFlight[int]("test"), Work()
    impatient = asyncio.create_task(flight.join("row", work))
    patient = asyncio.create_task(flight.join("row", work))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    work.go_on.set()
    assert await patient == 1, "the work was cancelled with one of its callers"


async def test_nobody_joins_work_that_was_forgotten() -> None:
    flight, work = SingleFlight[int]("test"), Work()
    before = asyncio.create_task(flight.join("row", work))
    await asyncio.sleep(0)
    flight.forget("row")
    after = asyncio.create_task(flight.join("row", work))
    await asyncio.sleep(0)
    work.go_on.set()
    assert (await before, await after) == (1, 2), "a caller after the change got what was read before it"


async def test_a_failure_reaches_every_caller_and_the_next_one_tries_again() -> None:
    flight, work = SingleFlight[int]("test"), Work()

    async def fail() -> int:
        await work.go_on.wait()
        raise ValueError("no row")

    callers = [asyncio.create_task(flight.join("row", fail)) for _ in range(3)]
    await asyncio.sleep(0)
    work.go_on.set()
    for caller in callers:
        with pytest.raises(ValueError, match="no row"):
            await caller
    assert await flight.join("row", work) == 1, "a failure was kept for later callers"
