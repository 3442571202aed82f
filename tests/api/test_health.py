"""Readiness: what anybody may ask costs the stores one question at a time."""

import asyncio

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.health.service import HealthService
from api.services import Services
from marquee.domain.client_address import CLIENT_ADDRESS_HEADER
from marquee.errors import StoreUnavailable
from tests.api.conftest import Person

INNER = {CLIENT_ADDRESS_HEADER: ""}
"""A request that did not come by the gateway. The client of these tests sends an address otherwise."""


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


@pytest.mark.parametrize("path", ["/readyz", "/api/v1/readyz"])
async def test_engines_are_named_at_the_inner_port_and_to_engineers_alone(
    client: AsyncTestClient[Litestar], viewer: Person, engineer: Person, path: str
) -> None:
    by_gateway = {CLIENT_ADDRESS_HEADER: "198.51.100.7"}

    async def named(headers: dict[str, str]) -> set[str]:
        answer = await client.get(path, headers=headers)
        body = answer.json()
        assert body["ready"] is (answer.status_code == 200)
        return set(body["stores"])

    assert "catalogue" in await named(INNER), "probes at the API's own port lose the names"
    assert "catalogue" in await named({**by_gateway, **engineer.headers})
    for stranger in ({}, viewer.headers, {"Authorization": "Bearer x"}, {"Authorization": "Basic YTpi"}):
        assert await named({**by_gateway, **stranger}) == set(), f"engines are named to a stranger: {stranger}"


async def test_a_stranger_learns_of_an_outage_by_the_status(
    client: AsyncTestClient[Litestar], monkeypatch: pytest.MonkeyPatch
) -> None:
    services: Services = client.app.state.services

    async def lost() -> None:
        raise StoreUnavailable("PostgreSQL does not answer.")

    monkeypatch.setitem(services.health._pings, "catalogue", lost)
    answer = await client.get("/readyz", headers={CLIENT_ADDRESS_HEADER: "198.51.100.7"})
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "stores": {}})
    assert answer.headers["retry-after"]
    assert "PostgreSQL" in (await client.get("/readyz", headers=INNER)).text
