"""The store of sessions on each engine, with an account of its own for each test."""

import secrets
from collections.abc import AsyncIterator

import pytest

from marquee.stores.accounts import open_accounts
from marquee.stores.accounts.contract import Account, Accounts
from marquee.stores.sessions import open_sessions
from marquee.stores.sessions.contract import Sessions
from tests.harness.databases import POSTGRES
from tests.harness.sessions import Device

ENGINES = POSTGRES


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def accounts(url: str) -> AsyncIterator[Accounts]:
    store = open_accounts(url)
    yield store
    await store.close()


@pytest.fixture
async def sessions(url: str) -> AsyncIterator[Sessions]:
    store = open_sessions(url)
    yield store
    await store.close()


@pytest.fixture
async def account(accounts: Accounts) -> Account:
    return await accounts.create(
        f"{secrets.token_hex(8)}@example.org", "hash", role="viewer", profile_names=["Ada", "Ben"]
    )


@pytest.fixture
def device(sessions: Sessions, account: Account) -> Device:
    return Device(sessions, account)
