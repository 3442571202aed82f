"""Accounts and refresh tokens: an address has one account, and using a token twice ends all sessions of its account."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from marquee.domain.ids import is_account_id, is_profile_id
from marquee.errors import AccountExists, InputInvalid, NotAuthenticated
from marquee.stores.accounts import open_accounts
from marquee.stores.accounts.contract import Account, Accounts, RefreshToken
from tests.harness.databases import POSTGRES

ENGINES = POSTGRES

NOW = datetime.now(UTC).replace(microsecond=0)


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


def token_of(account: Account, *, days: float = 30) -> RefreshToken:
    token_hash = hashlib.sha256(secrets.token_bytes(16)).hexdigest()
    profile_id = account.profiles[0].profile_id
    return RefreshToken(token_hash, account.account_id, profile_id, NOW + timedelta(days=days), None)


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


async def test_a_refresh_token_is_used_once(accounts: Accounts, account: Account) -> None:
    token = token_of(account)
    await accounts.store_refresh_token(token)
    used = await accounts.use_refresh_token(token.token_hash, now=NOW)
    assert used is not None
    assert (used.account_id, used.profile_id, used.revoked_at) == (token.account_id, token.profile_id, NOW)
    assert await accounts.use_refresh_token(token.token_hash, now=NOW) is None
    assert await accounts.use_refresh_token("unknown", now=NOW) is None


async def test_of_concurrent_uses_one_succeeds(accounts: Accounts, account: Account) -> None:
    token = token_of(account)
    await accounts.store_refresh_token(token)
    used = await asyncio.gather(*(accounts.use_refresh_token(token.token_hash, now=NOW) for _ in range(8)))
    assert sum(outcome is not None for outcome in used) == 1


async def test_an_expired_token_is_not_used(accounts: Accounts, account: Account) -> None:
    token = token_of(account, days=1)
    await accounts.store_refresh_token(token)
    assert await accounts.use_refresh_token(token.token_hash, now=NOW + timedelta(days=1)) is None
    assert await accounts.use_refresh_token(token.token_hash, now=NOW) is not None, "an expired use revoked it"


async def test_a_used_token_that_comes_again_ends_every_session(accounts: Accounts, account: Account) -> None:
    stolen, child, elsewhere = token_of(account), token_of(account), token_of(account)
    await accounts.store_refresh_token(stolen)
    await accounts.store_refresh_token(elsewhere)
    await accounts.use_refresh_token(stolen.token_hash, now=NOW)
    await accounts.store_refresh_token(child, replaces=stolen.token_hash)
    assert await accounts.use_refresh_token(stolen.token_hash, now=NOW) is None
    for token in (child, elsewhere):
        assert await accounts.use_refresh_token(token.token_hash, now=NOW) is None, "a session survived the theft"


async def test_a_session_that_was_ended_has_no_successor(accounts: Accounts, account: Account) -> None:
    stolen, child = token_of(account), token_of(account)
    await accounts.store_refresh_token(stolen)
    await accounts.use_refresh_token(stolen.token_hash, now=NOW)
    await accounts.use_refresh_token(stolen.token_hash, now=NOW)
    with pytest.raises(NotAuthenticated):
        await accounts.store_refresh_token(child, replaces=stolen.token_hash)
    assert await accounts.use_refresh_token(child.token_hash, now=NOW) is None


async def test_a_change_of_password_ends_every_session_and_no_later_one(accounts: Accounts, account: Account) -> None:
    before, after = token_of(account), token_of(account)
    await accounts.store_refresh_token(before)
    await accounts.change_password(account.account_id, "new hash")
    found = await accounts.by_id(account.account_id)
    assert found is not None
    assert found.password_hash == "new hash"
    await accounts.store_refresh_token(after)
    assert await accounts.use_refresh_token(before.token_hash, now=NOW) is None
    assert await accounts.use_refresh_token(after.token_hash, now=NOW) is not None, (
        "a device with a token from before the change of password ended the new session"
    )


async def test_ending_the_sessions_tells_how_many_there_were(accounts: Accounts, account: Account) -> None:
    for token in (token_of(account), token_of(account), token_of(account, days=-1)):
        await accounts.store_refresh_token(token)
    assert await accounts.revoke_refresh_tokens(account.account_id) == 2
    assert await accounts.revoke_refresh_tokens(account.account_id) == 0
    await accounts.ping()
