"""Accounts: an address has one account, whatever its case and however many ask at once."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from marquee.domain.ids import is_account_id, is_profile_id
from marquee.errors import AccountExists, InputInvalid
from marquee.stores.accounts import open_accounts
from marquee.stores.accounts.contract import Account, Accounts
from tests.harness.databases import POSTGRES

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
async def account(accounts: Accounts) -> Account:
    return await accounts.create(address(), "hash", role="viewer", profile_names=["Ada"])


def address() -> str:
    return f"{secrets.token_hex(8)}@example.org"


async def test_an_account_is_found_by_address_in_any_case_and_by_id(accounts: Accounts) -> None:
    email = "Zoë." + address()
    made = await accounts.create(email, "hash", role="engineer", profile_names=["Ada", "Berta", "Cleo"])
    assert is_account_id(made.account_id)
    assert made.email == email
    assert made.role == "engineer"
    assert [profile.name for profile in made.profiles] == ["Ada", "Berta", "Cleo"]
    assert all(is_profile_id(profile.profile_id) for profile in made.profiles)
    assert await accounts.by_email(email.upper()) == made
    assert await accounts.by_id(made.account_id) == made
    assert await accounts.by_email(address()) is None
    assert await accounts.by_id("a_" + "0" * 20) is None


async def test_an_address_has_one_account_however_many_ask_at_once(accounts: Accounts) -> None:
    email = address()
    tried = await asyncio.gather(
        *(
            accounts.create(email if place % 2 else email.upper(), "hash", role="viewer", profile_names=["x"])
            for place in range(10)
        ),
        return_exceptions=True,
    )
    made = [outcome for outcome in tried if isinstance(outcome, Account)]
    assert len(made) == 1
    assert all(isinstance(outcome, AccountExists) for outcome in tried if outcome is not made[0])


async def test_a_profile_is_added(accounts: Accounts, account: Account) -> None:
    profile = await accounts.add_profile(account.account_id, "Dora")
    found = await accounts.by_id(account.account_id)
    assert found is not None
    assert list(found.profiles) == [*account.profiles, profile]
    with pytest.raises(InputInvalid):
        await accounts.add_profile("a_" + "0" * 20, "nobody's")


async def test_a_text_that_no_column_holds_is_refused(accounts: Accounts) -> None:
    for email in ("nul\x00" + address(), "surrogate\ud800" + address()):
        with pytest.raises(InputInvalid):
            await accounts.create(email, "hash", role="viewer", profile_names=["x"])


async def test_the_password_is_changed(accounts: Accounts, account: Account) -> None:
    await accounts.change_password(account.account_id, "new hash")
    found = await accounts.by_id(account.account_id)
    assert found is not None
    assert found.password_hash == "new hash"
    await accounts.ping()


async def test_a_renewed_hash_does_not_undo_a_change_of_password(accounts: Accounts, account: Account) -> None:
    assert await accounts.renew_hash(account.account_id, account.password_hash, "renewed")
    found = await accounts.by_id(account.account_id)
    assert found is not None
    assert found.password_hash == "renewed"
    await accounts.change_password(account.account_id, "changed")
    assert not await accounts.renew_hash(account.account_id, "renewed", "too late")
    found = await accounts.by_id(account.account_id)
    assert found is not None
    assert found.password_hash == "changed", "a late login brought the old password back"
