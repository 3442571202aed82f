"""Readiness: what anybody may ask costs the stores one question at a time."""

import asyncio

from api.health.service import HealthService
from marquee.errors import StoreUnavailable


async def test_callers_at_the_same_moment_share_one_round_of_questions() -> None:
    asked, answered = 0, asyncio.Event()

    async def ping() -> None:
        nonlocal asked
        asked += 1
        await answered.wait()

    health = HealthService({"catalogue": ping})
    callers = [asyncio.create_task(health.readiness()) for _ in range(50)]
    done, _ = await asyncio.wait(callers, timeout=0.05)
    assert not done
    answered.set()
    assert all(each.ready for each in await asyncio.gather(*callers))
    assert asked == 1, "a flood of readiness questions takes as many connections to PostgreSQL"
    assert (await health.readiness()).ready
    assert asked == 2, "an old answer is given without asking the stores"


async def test_a_caller_that_goes_away_leaves_the_answer_to_the_others() -> None:
    answered = asyncio.Event()

    async def ping() -> None:
        await answered.wait()
        raise StoreUnavailable("PostgreSQL does not answer.")

    health = HealthService({"catalogue": ping})
    first, second = (asyncio.create_task(health.readiness()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    answered.set()
    readiness = await second
    assert (readiness.ready, readiness.stores) == (False, {"catalogue": "PostgreSQL does not answer."})
