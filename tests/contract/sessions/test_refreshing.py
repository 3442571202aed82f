"""Refresh tokens: one successor however often a token is used at once, and a theft ends one session alone."""

import asyncio
import secrets

import pytest

from marquee.domain.ids import is_session_id
from marquee.errors import InputInvalid
from marquee.stores.accounts.contract import Account, Accounts
from marquee.stores.sessions.contract import Refreshed, Sessions, TokenReused
from tests.harness.sessions import DAY, OVERLAP, Device, later, listed, token_in


async def test_a_login_is_a_session_with_its_device(sessions: Sessions, account: Account, device: Device) -> None:
    session, _ = await device.log_in("Firefox on Linux")
    assert is_session_id(session.session_id)
    assert (session.account_id, session.device) == (account.account_id, "Firefox on Linux")
    assert session.profile_id == account.profiles[0].profile_id
    assert await sessions.of_account(account.account_id) == [session]
    assert await sessions.of_account("a_" + "0" * 20) == []


async def test_a_chain_of_refreshes_goes_on(url: str, sessions: Sessions, account: Account, device: Device) -> None:
    session, token = await device.log_in()
    for _ in range(4):
        later(url, account, 900)
        outcome = await device.use(token)
        token = token_in(outcome)
    [found] = await sessions.of_account(account.account_id)
    assert found.session_id == session.session_id
    assert found.last_used_at - found.created_at > (session.last_used_at - session.created_at), "no use is noted"


async def test_ten_uses_at_once_end_with_one_successor(sessions: Sessions, account: Account, device: Device) -> None:
    session, token = await device.log_in()
    outcomes = await asyncio.gather(*(device.use(token) for _ in range(10)))
    assert len({token_in(outcome) for outcome in outcomes}) == 1
    assert await listed(sessions, account) == [session.session_id]
    assert token_in(await device.use(token_in(outcomes[0])))


async def test_a_young_successor_stays_and_a_logins_token_does_not(url: str, account: Account, device: Device) -> None:
    _, first = await device.log_in()
    second = token_in(await device.use(first, young=OVERLAP))
    for _ in range(3):
        stays = await device.use(second, young=OVERLAP)
        assert isinstance(stays, Refreshed)
        assert stays.sealed is None, "each answer within the time has to carry the same token"
    later(url, account, OVERLAP + 1)
    third = token_in(await device.use(second, young=OVERLAP))
    assert token_in(await device.use(second, young=OVERLAP)) == third, "a repeat within the overlap"
    assert isinstance(await device.use(first, young=OVERLAP), TokenReused), "a theft is noticed as before"
    assert await device.use(third, young=OVERLAP) is None


async def test_a_lost_answer_is_given_again_until_the_overlap_ends(url: str, account: Account, device: Device) -> None:
    _, token = await device.log_in()
    lost = token_in(await device.use(token))
    later(url, account, OVERLAP - 5)
    assert token_in(await device.use(token)) == lost
    later(url, account, 10)
    assert isinstance(await device.use(token), TokenReused), "the overlap counts from the first use, not from the last"


async def test_inside_the_overlap_a_successor_that_was_used_already_comes_again(device: Device) -> None:
    _, token = await device.log_in()
    second = token_in(await device.use(token))
    third = token_in(await device.use(second))
    assert token_in(await device.use(token)) == second, "a late repeat was taken for a theft"
    assert token_in(await device.use(second)) == third


async def test_a_repeat_after_the_overlap_ends_its_session_and_no_other(
    url: str, sessions: Sessions, account: Account, device: Device
) -> None:
    stolen, token = await device.log_in()
    other, other_token = await device.log_in()
    successor = token_in(await device.use(token))
    later(url, account, OVERLAP + 1)
    outcome = await device.use(token)
    assert isinstance(outcome, TokenReused)
    assert outcome.session.session_id == stolen.session_id
    assert await device.use(successor) is None, "the thief's successor outlived the session"
    assert await device.use(token) is None
    assert await listed(sessions, account) == [other.session_id]
    assert token_in(await device.use(other_token))
    assert set(await sessions.ended_within(60)) & {stolen.session_id, other.session_id} == {stolen.session_id}


async def test_without_an_overlap_the_second_use_ends_the_session(device: Device) -> None:
    _, token = await device.log_in()
    token_in(await device.use(token, overlap=0))
    assert isinstance(await device.use(token, overlap=0), TokenReused)


async def test_a_wrong_profile_uses_nothing_up(accounts: Accounts, account: Account, device: Device) -> None:
    stranger = await accounts.create(f"{secrets.token_hex(8)}@example.org", "h", role="viewer", profile_names=["x"])
    _, token = await device.log_in()
    for profile_id in (stranger.profiles[0].profile_id, "p_" + "0" * 20):
        with pytest.raises(InputInvalid) as refused:
            await device.use(token, profile_id=profile_id)
        assert refused.value.field == "profile_id"
    # Without an overlap: a token that was used up would end the session now.
    outcome = await device.use(token, profile_id=account.profiles[1].profile_id, overlap=0)
    assert isinstance(outcome, Refreshed)
    assert outcome.session.profile_id == account.profiles[1].profile_id
    again = await device.use(token_in(outcome))
    assert isinstance(again, Refreshed)
    assert again.session.profile_id == account.profiles[1].profile_id, "a refresh has to keep the profile"


async def test_an_expired_token_is_not_used_and_its_session_is_not_listed(
    url: str, sessions: Sessions, account: Account, device: Device
) -> None:
    _, token = await device.log_in()
    later(url, account, 30 * DAY + 1)
    assert await device.use(token) is None
    assert await listed(sessions, account) == []
    fresh, _ = await device.log_in()
    assert await listed(sessions, account) == [fresh.session_id]
