"""A deleted account or profile: its sessions end, its erasure is asked for in the same transaction, whatever runs at once."""

import asyncio

import pytest

from marquee.domain.ids import new_account_id, new_profile_id
from marquee.errors import InputInvalid, NotAuthenticated, ProfileUnknown
from marquee.settings import Settings
from marquee.stores.accounts.contract import Account, Accounts
from marquee.stores.lake import open_lake
from marquee.stores.lake.contract import Erasure
from marquee.stores.sessions.contract import Refreshed, Sessions
from tests.harness.sessions import Device, listed, token_in


async def _erasures(url: str, *profile_ids: str) -> list[Erasure]:
    lake = open_lake(Settings(database_url=url, lake_url="file:///nowhere/lake"))
    try:
        return [each for each in await lake.erasures() if each.profile_id in profile_ids]
    finally:
        await lake.close()


async def test_a_deleted_account_leaves_nothing_but_its_erasure(
    url: str, accounts: Accounts, sessions: Sessions, account: Account, device: Device
) -> None:
    (session, token), (other, used) = await device.log_in(), await device.log_in()
    successor = token_in(await device.use(used))
    with pytest.raises(NotAuthenticated):
        await accounts.delete(account.account_id, "another hash")
    assert await accounts.by_id(account.account_id) is not None, "it was deleted by an old password"
    for _ in range(2):
        await accounts.delete(account.account_id, account.password_hash)
    assert await accounts.by_id(account.account_id) is None
    assert await accounts.by_email(account.email) is None
    assert {session.session_id, other.session_id} <= set(await sessions.ended_within(60)), "its access tokens go on"
    for gone in (token, used, successor):
        assert await device.use(gone) is None, "a refresh token of a deleted account works"
    with pytest.raises(NotAuthenticated):
        await device.log_in()
    with pytest.raises(InputInvalid):
        await accounts.add_profile(account.account_id, "Cleo")
    open_ones = await _erasures(url, *(one.profile_id for one in account.profiles))
    assert [each.waits_for_lake and each.waits_for_watching for each in open_ones] == [True, True]
    again = await accounts.create(account.email, "hash", role="viewer", profile_names=["Ada"])
    assert again.account_id != account.account_id, "the address cannot register again"


async def test_a_deleted_profile_ends_the_sessions_that_watch_as_it(
    url: str, accounts: Accounts, sessions: Sessions, account: Account, device: Device
) -> None:
    ada, ben = account.profiles
    (watching, token), (other, others_token) = await device.log_in(), await device.log_in()
    other_token = token_in(await device.use(others_token, profile_id=ben.profile_id))
    for _ in range(2):
        await accounts.delete_profile(account.account_id, ada.profile_id)
    found = await accounts.by_id(account.account_id)
    assert found is not None
    assert [one.profile_id for one in found.profiles] == [ben.profile_id]
    assert await listed(sessions, account) == [other.session_id]
    assert watching.session_id in await sessions.ended_within(60)
    assert await device.use(token) is None
    with pytest.raises(InputInvalid):
        await device.use(other_token, profile_id=ada.profile_id)
    assert isinstance(await device.use(other_token), Refreshed), "another profile's device was logged out"
    with pytest.raises(InputInvalid):
        await device.log_in()  # as the first profile, which this client still has in its list
    with pytest.raises(InputInvalid, match="only profile"):
        await accounts.delete_profile(account.account_id, ben.profile_id)
    assert [each.profile_id for each in await _erasures(url, ada.profile_id, ben.profile_id)] == [ada.profile_id]


async def test_nobody_deletes_another_accounts_profile(accounts: Accounts, account: Account) -> None:
    stranger = await accounts.create(f"x{account.email}", "hash", role="operator", profile_names=["A", "B"])
    for account_id in (stranger.account_id, new_account_id()):
        with pytest.raises(ProfileUnknown):
            await accounts.delete_profile(account_id, account.profiles[0].profile_id)
    with pytest.raises(ProfileUnknown):
        await accounts.delete_profile(account.account_id, new_profile_id())
    found = await accounts.by_id(account.account_id)
    assert found is not None
    assert len(found.profiles) == 2


async def test_of_two_profiles_that_are_deleted_at_once_one_stays(accounts: Accounts, account: Account) -> None:
    outcomes = await asyncio.gather(
        *(accounts.delete_profile(account.account_id, one.profile_id) for one in account.profiles),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["InputInvalid", "NoneType"], outcomes
    found = await accounts.by_id(account.account_id)
    assert found is not None
    assert len(found.profiles) == 1


async def test_what_runs_at_the_moment_of_a_deletion_ends_without_a_fault(
    url: str, accounts: Accounts, sessions: Sessions, account: Account, device: Device
) -> None:
    """Logins, refreshes with a change of profile, new profiles, two deletions: each works or is refused by a sentence."""
    tokens = [(await device.log_in())[1] for _ in range(6)]
    ada, ben = account.profiles
    outcomes = await asyncio.gather(
        *(device.use(token, profile_id=ben.profile_id) for token in tokens),
        accounts.delete_profile(account.account_id, ben.profile_id),
        *(device.log_in() for _ in range(3)),
        *(accounts.add_profile(account.account_id, f"New {number}") for number in range(3)),
        *(accounts.delete(account.account_id, account.password_hash) for _ in range(2)),
        *(device.use(token, profile_id=ben.profile_id) for token in tokens),
        return_exceptions=True,
    )
    faults = [
        each
        for each in outcomes
        if isinstance(each, BaseException) and not isinstance(each, InputInvalid | NotAuthenticated | ProfileUnknown)
    ]
    assert not faults, faults
    assert await accounts.by_id(account.account_id) is None
    assert await listed(sessions, account) == []
    assert len(await _erasures(url, ada.profile_id, ben.profile_id)) == 2
