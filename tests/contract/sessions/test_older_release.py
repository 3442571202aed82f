"""Refresh tokens that 0.1.0 stored, before the upgrade or during it, and what its processes do to those of this version."""

import hashlib
import secrets

import psycopg
import pytest

from marquee.domain.ids import is_session_id
from marquee.stores.accounts.contract import Account, Accounts
from marquee.stores.sessions.contract import UNKNOWN_DEVICE, Refreshed, Sessions
from tests.harness.sessions import OVERLAP, Device, later, listed, token_in


@pytest.fixture
def old_token(url: str, account: Account) -> str:
    """Stored by a process of 0.1.0 after the schema was upgraded."""
    token_hash = hashlib.sha256(secrets.token_bytes(16)).hexdigest()
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO refresh_token (token_hash, account_id, profile_id, expires_at)"
            " VALUES (%s, %s, %s, now() + interval '1 day')",
            [token_hash, account.account_id, account.profiles[0].profile_id],
        )
    return token_hash


def run(url: str, statement: str, token_hash: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode(), [token_hash])


async def test_a_token_of_before_goes_on_as_a_session(
    sessions: Sessions, account: Account, device: Device, old_token: str
) -> None:
    outcome = await device.use(old_token)
    assert isinstance(outcome, Refreshed)
    assert is_session_id(outcome.session.session_id)
    assert outcome.session.device == UNKNOWN_DEVICE
    assert await listed(sessions, account) == [outcome.session.session_id]
    assert token_in(await device.use(old_token)) == token_in(outcome)
    assert token_in(await device.use(token_in(outcome)))


@pytest.mark.parametrize("ended", ["revoked_at = now()", "ended = true, revoked_at = now()", "expires_at = now()"])
async def test_a_token_that_was_used_or_ended_before_is_refused_and_ends_nothing(
    url: str, sessions: Sessions, account: Account, device: Device, old_token: str, ended: str
) -> None:
    living, _ = await device.log_in()
    run(url, f"UPDATE refresh_token SET {ended} WHERE token_hash = %s", old_token)
    assert await device.use(old_token) is None
    assert await listed(sessions, account) == [living.session_id]


async def test_every_way_to_end_sessions_ends_those_of_before(
    url: str, accounts: Accounts, sessions: Sessions, account: Account, device: Device, old_token: str
) -> None:
    assert await sessions.end_of_token(old_token)
    assert await device.use(old_token) is None
    run(
        url,
        "INSERT INTO refresh_token (token_hash, account_id, profile_id, expires_at)"
        f" SELECT %s, account_id, profile_id, now() + interval '1 day' FROM profile"
        f" WHERE account_id = '{account.account_id}' LIMIT 1",
        old_token,
    )
    await accounts.change_password(account.account_id, "new")
    assert await device.use(old_token) is None


async def test_a_token_that_an_old_process_has_used_is_refused_without_a_theft(
    url: str, sessions: Sessions, account: Account, device: Device
) -> None:
    """The old process stored no successor that this one could give; after the overlap nobody can tell it from a theft."""
    session, token = await device.log_in()
    run(url, "UPDATE refresh_token SET revoked_at = now() WHERE token_hash = %s", token)
    assert await device.use(token) is None
    assert await listed(sessions, account) == [session.session_id]
    later(url, account, OVERLAP + 1)
    await device.use(token)
    assert await listed(sessions, account) == []


async def test_a_token_that_an_old_process_has_ended_is_refused(url: str, device: Device) -> None:
    _, token = await device.log_in()
    run(url, "UPDATE refresh_token SET ended = true WHERE token_hash = %s", token)
    assert await device.use(token) is None
