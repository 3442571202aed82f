"""Stored password hashes: their parameters, and those that an earlier release made."""

import asyncio

import httpx
from argon2 import Parameters, PasswordHasher, extract_parameters
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.auth.passwords import dummy_hash
from marquee.stores.accounts.hashes import MEMORY_KIB, PARALLELISM, TIME_COST, password_hasher
from marquee.stores.opened import Stores
from tests.api.conftest import PASSWORD

EARLIER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=4)
OWASP = ((47104, 1), (19456, 2), (12288, 3), (9216, 4), (7168, 5))
"""(KiB of memory, passes) of equal strength with one thread: OWASP's Password Storage Cheat Sheet."""


def parameters(password_hash: str) -> Parameters:
    return extract_parameters(password_hash)


def test_a_hash_is_as_strong_as_owasp_demands_and_takes_one_core() -> None:
    assert (MEMORY_KIB, TIME_COST) in OWASP
    assert PARALLELISM == 1
    found = parameters(password_hasher().hash(PASSWORD))
    assert (found.memory_cost, found.time_cost, found.parallelism) == (MEMORY_KIB, TIME_COST, 1)
    assert found.type.name == "ID"
    assert parameters(dummy_hash()) == found, "the time of an answer tells which addresses have an account"


async def test_a_hash_of_an_earlier_release_is_replaced_at_the_next_right_login(
    stores: Stores, client: AsyncTestClient[Litestar]
) -> None:
    account = await stores.accounts.create(
        "earlier-hash@example.org", EARLIER.hash(PASSWORD), role="viewer", profile_names=["Earlier"]
    )

    async def log_in(password: str) -> int:
        body = {"email": account.email, "password": password}
        return (await client.post("/api/v1/sessions", json=body)).status_code

    async def stored() -> str:
        found = await stores.accounts.by_id(account.account_id)
        assert found is not None
        return found.password_hash

    assert await log_in("not the password") == 401
    assert await stored() == account.password_hash, "a wrong password replaced the hash"
    assert await log_in(PASSWORD) == 201, "a hash of an earlier release does not verify"
    renewed = await stored()
    assert parameters(renewed).memory_cost == MEMORY_KIB, "the earlier hash was kept"
    assert await log_in("not the password") == 401
    assert await log_in(PASSWORD) == 201, "the new hash is of another password"
    assert await stored() == renewed, "a current hash was replaced again"


async def test_logins_at_once_with_a_hash_of_an_earlier_release_all_get_in(
    stores: Stores, concurrent: httpx.AsyncClient
) -> None:
    email = "earlier-hash-at-once@example.org"
    await stores.accounts.create(email, EARLIER.hash(PASSWORD), role="viewer", profile_names=["Earlier"])
    body = {"email": email, "password": PASSWORD}
    answers = await asyncio.gather(*(concurrent.post("/api/v1/sessions", json=body) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4, (
        "a login that replaced the hash shut another one out"
    )
