"""The end of sessions: one by one, all with a change of password, with the account, and the oldest of too many."""

import asyncio
import secrets

import psycopg
import pytest

from marquee.errors import NotAuthenticated
from marquee.stores.accounts.contract import Account, Accounts
from marquee.stores.sessions.contract import MAX_SESSIONS, Sessions
from tests.harness.sessions import Device, later, listed, token_in


async def test_one_session_is_ended_by_its_own_account_alone(
    accounts: Accounts, sessions: Sessions, account: Account, device: Device
) -> None:
    stranger = await accounts.create(f"{secrets.token_hex(8)}@example.org", "h", role="viewer", profile_names=["x"])
    one, token = await device.log_in()
    two, _ = await device.log_in()
    assert not await sessions.end(stranger.account_id, one.session_id)
    assert await sessions.end(account.account_id, one.session_id)
    assert not await sessions.end(account.account_id, one.session_id)
    assert await device.use(token) is None
    assert await listed(sessions, account) == [two.session_id]


async def test_a_used_token_too_ends_its_session(sessions: Sessions, account: Account, device: Device) -> None:
    _, token = await device.log_in()
    successor = token_in(await device.use(token))
    assert await sessions.end_of_token(token)
    assert not await sessions.end_of_token(token)
    assert await device.use(successor) is None


async def test_a_change_of_password_ends_every_session_and_no_later_one(
    accounts: Accounts, sessions: Sessions, account: Account, device: Device
) -> None:
    before, token = await device.log_in()
    await accounts.change_password(account.account_id, "new hash")
    changed = await accounts.by_id(account.account_id)
    assert changed is not None
    assert changed.password_hash == "new hash"
    after, _ = await Device(sessions, changed).log_in()
    assert await device.use(token) is None
    assert await listed(sessions, account) == [after.session_id]
    assert before.session_id in await sessions.ended_within(60)


async def test_a_login_with_the_password_of_before_opens_no_session(
    accounts: Accounts, sessions: Sessions, account: Account, device: Device
) -> None:
    await accounts.change_password(account.account_id, "new hash")
    with pytest.raises(NotAuthenticated):
        await device.log_in()
    assert await listed(sessions, account) == []


async def test_of_logins_and_refreshes_beside_a_change_of_password_none_survives(
    accounts: Accounts, sessions: Sessions, account: Account, device: Device
) -> None:
    tokens = [(await device.log_in())[1] for _ in range(5)]
    await asyncio.gather(
        *(device.use(token) for token in tokens),
        *(device.log_in() for _ in range(5)),
        accounts.change_password(account.account_id, "new hash"),
        *(device.use(token) for token in tokens),
        *(device.log_in() for _ in range(5)),
        return_exceptions=True,
    )
    assert await listed(sessions, account) == [], "a session of the old password outlived the change"


async def test_the_end_of_an_account_is_the_end_of_its_sessions(
    url: str, sessions: Sessions, account: Account, device: Device
) -> None:
    session, token = await device.log_in()
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM account WHERE account_id = %s", [account.account_id])
    assert await device.use(token) is None
    assert session.session_id in await sessions.ended_within(60), "its access tokens would work on"


async def test_ending_all_tells_how_many_there_were(sessions: Sessions, account: Account, device: Device) -> None:
    for _ in range(3):
        await device.log_in()
    assert await sessions.end_all(account.account_id) == 3
    assert await sessions.end_all(account.account_id) == 0
    await sessions.ping()


async def test_one_session_too_many_ends_the_one_used_longest_ago(
    url: str, sessions: Sessions, account: Account, device: Device
) -> None:
    kept, kept_token = await device.log_in("the first, used again")
    oldest, oldest_token = await device.log_in("the second, never used again")
    later(url, account, 3600)
    token_in(await device.use(kept_token))
    await asyncio.gather(*(device.log_in() for _ in range(MAX_SESSIONS - 1)))
    found = await listed(sessions, account)
    assert len(found) == MAX_SESSIONS
    assert kept.session_id in found
    assert oldest.session_id not in found
    assert await device.use(oldest_token) is None


async def test_notes_of_ended_sessions_are_forgotten_in_the_end(
    url: str, sessions: Sessions, account: Account, device: Device
) -> None:
    old, _ = await device.log_in()
    new, _ = await device.log_in()
    await sessions.end(account.account_id, old.session_id)
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE ended_session SET ended_at = ended_at - interval '1 hour' WHERE session_id = %s", [old.session_id]
        )
    await sessions.end(account.account_id, new.session_id)
    assert await sessions.forget_ended(older_than_seconds=1800) >= 1
    known = await sessions.ended_within(7200)
    assert new.session_id in known
    assert old.session_id not in known
