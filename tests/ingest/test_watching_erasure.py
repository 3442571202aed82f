"""A deleted profile's history, positions and findings go at once, and again when no access token can write them any more."""

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from marquee.domain.ids import new_movie_id
from marquee.errors import StoreUnavailable
from marquee.ingest.watching_erasure import CLOCKS, erase_watching
from marquee.settings import Settings
from marquee.stores.accounts.contract import Account
from marquee.stores.lake.contract import Erasure
from marquee.stores.opened import Stores, open_stores
from marquee.stores.resume_positions.contract import ResumePosition

TOKEN_SECONDS = 900.0


@pytest.fixture
async def stores(migrated_database: Settings, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(migrated_database.model_copy(update={"lake_url": f"file://{tmp_path / 'lake'}"})) as opened:
        yield opened


@pytest.fixture
async def account(stores: Stores) -> Account:
    email = f"{secrets.token_hex(8)}@example.org"
    return await stores.accounts.create(email, "hash", role="viewer", profile_names=["Ada", "Ben"])


async def _watch(stores: Stores, profile_id: str) -> None:
    await stores.resume_positions.record(ResumePosition(profile_id, new_movie_id(), 5, 1))
    await stores.history.record(profile_id, new_movie_id(), datetime.now(UTC))


async def _watched(stores: Stores, profile_id: str) -> int:
    page = await stores.history.page(profile_id, limit=10, before=None)
    return len(page) + len(await stores.resume_positions.events_of_viewer(profile_id))


async def _round(stores: Stores, *, resume_positions: Any = None, token_seconds: float = TOKEN_SECONDS) -> int:
    return await erase_watching(
        stores.lake, stores.history, resume_positions or stores.resume_positions, token_seconds=token_seconds
    )


async def _erasure(stores: Stores, profile_id: str) -> Erasure:
    [found] = [each for each in await stores.lake.erasures() if each.profile_id == profile_id]
    return found


async def test_a_deleted_profile_is_erased_at_once_and_again_after_its_tokens(
    stores: Stores, account: Account, migrated_database: Settings
) -> None:
    ada, ben = (one.profile_id for one in account.profiles)
    for profile_id in (ada, ben):
        await _watch(stores, profile_id)
    with psycopg.connect(migrated_database.database) as connection:
        connection.execute(
            "INSERT INTO daily_profile (day, profile_id, titles, watch_seconds) VALUES (current_date, %s, 1, 2)", [ada]
        )
    await stores.accounts.delete_profile(account.account_id, ada)
    await _round(stores)
    assert await _watched(stores, ada) == 0
    assert await stores.lake.delete_findings([ada]) == 0
    assert await _watched(stores, ben) == 2, "another profile of the account was erased"
    assert (await _erasure(stores, ada)).waits_for_watching, "a token of before the deletion may still write"
    await _watch(stores, ada)  # a player that has not noticed yet
    await _round(stores)
    assert await _watched(stores, ada) == 0
    await _watch(stores, ada)
    await _round(stores, token_seconds=-CLOCKS.total_seconds())
    assert await _watched(stores, ada) == 0
    assert not (await _erasure(stores, ada)).waits_for_watching


class _Down:
    """An engine of positions that is lost in the middle of a round."""

    async def erase(self, user_id: str) -> None:
        raise StoreUnavailable("down")


async def test_a_round_that_is_cut_off_leaves_the_erasure_open(stores: Stores, account: Account) -> None:
    await _watch(stores, account.profiles[0].profile_id)
    await stores.accounts.delete(account.account_id, account.password_hash)
    with pytest.raises(StoreUnavailable):
        await _round(stores, resume_positions=_Down(), token_seconds=-CLOCKS.total_seconds())
    for profile in account.profiles:
        assert (await _erasure(stores, profile.profile_id)).waits_for_watching, "an erasure that failed counts as done"
    await _round(stores, token_seconds=-CLOCKS.total_seconds())
    for profile in account.profiles:
        assert await _watched(stores, profile.profile_id) == 0
        assert not (await _erasure(stores, profile.profile_id)).waits_for_watching


async def test_a_profile_that_fails_holds_up_no_other_and_the_round_says_so(stores: Stores, account: Account) -> None:
    failing, other = (one.profile_id for one in account.profiles)
    await _watch(stores, other)
    await stores.accounts.delete(account.account_id, account.password_hash)
    erase = stores.resume_positions.erase

    class OneFails:
        async def erase(self, user_id: str) -> None:
            if user_id == failing:
                raise StoreUnavailable("down")
            await erase(user_id)

    with pytest.raises(StoreUnavailable):
        await _round(stores, resume_positions=OneFails(), token_seconds=-CLOCKS.total_seconds())
    assert await _watched(stores, other) == 0
    assert not (await _erasure(stores, other)).waits_for_watching, "one profile holds up all that come after it"
    assert (await _erasure(stores, failing)).waits_for_watching


async def test_a_living_profile_that_left_the_lake_keeps_its_history(stores: Stores, account: Account) -> None:
    profile_id = account.profiles[0].profile_id
    await _watch(stores, profile_id)
    await stores.lake.ask_erasure(profile_id)
    await _round(stores, token_seconds=-CLOCKS.total_seconds())
    assert await _watched(stores, profile_id) == 2, "an operator's erasure of events took the viewer's history"
    await stores.lake.erased_through([profile_id], datetime.now(UTC))
    await stores.accounts.delete(account.account_id, account.password_hash)
    erasure = await _erasure(stores, profile_id)
    assert erasure.waits_for_lake, "what was written before the deletion is not searched for"
    assert erasure.waits_for_watching


async def test_an_erasure_is_kept_since_the_deletion_however_old_the_first_request_is(
    stores: Stores, account: Account, migrated_database: Settings
) -> None:
    profile_id, now = account.profiles[0].profile_id, datetime.now(UTC)
    await stores.lake.ask_erasure(profile_id)
    with psycopg.connect(migrated_database.database) as connection:
        connection.execute(
            "UPDATE lake_erasure SET asked_at = now() - interval '1 year' WHERE profile_id = %s", [profile_id]
        )
    await stores.accounts.delete(account.account_id, account.password_hash)
    await stores.lake.erased_through([profile_id], now)
    await stores.lake.watching_erased(profile_id)
    await stores.lake.forget_erasures(now - timedelta(days=90))
    assert (await _erasure(stores, profile_id)).deleted_at, "events of yesterday would be written again"
    await stores.lake.forget_erasures(now + timedelta(days=1))
    assert profile_id not in {each.profile_id for each in await stores.lake.erasures()}
