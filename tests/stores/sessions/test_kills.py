"""PostgreSQL is killed while tokens are used: a client that repeats its refresh goes on with one chain."""

import asyncio
import hashlib
import secrets
from pathlib import Path

import pytest

from marquee.errors import StoreUnavailable
from marquee.platform import local_engines
from marquee.stores.accounts import open_accounts
from marquee.stores.schema.migrate import migrate
from marquee.stores.sessions import open_sessions
from marquee.stores.sessions.contract import Refreshed, Successor
from tests.harness.restarting import RestartingServer
from tests.harness.sessions import Device

KILLS = 3
CLIENTS = 6


async def refresh_until(device: Device, stop: asyncio.Event, *, overlap: float) -> tuple[str, int]:
    """Refresh again and again, and repeat what was not answered. Returns the last token, and how many were used."""
    _, token = await device.log_in()
    used = 0
    while not stop.is_set():
        try:
            outcome = await device.use(token, overlap=overlap)
        except StoreUnavailable:
            continue  # the answer was lost, or nothing happened: the same token again
        assert isinstance(outcome, Refreshed), f"after {used} uses the session ended by itself: {outcome}"
        token = outcome.sealed.removeprefix("sealed ")
        used += 1
    return token, used


@pytest.mark.timeout(180)
async def test_kills_of_postgresql_cost_no_session(tmp_path: Path) -> None:
    async with RestartingServer(local_engines.postgres, tmp_path) as server:
        url = server.settings.database
        await asyncio.to_thread(migrate, url)
        accounts, sessions = open_accounts(url), open_sessions(url)
        account = await accounts.create(
            f"{secrets.token_hex(8)}@example.org", "hash", role="viewer", profile_names=["x"]
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            device = Device(sessions, account)
            clients = [tasks.create_task(refresh_until(device, stop, overlap=60)) for _ in range(CLIENTS)]
            for _ in range(KILLS):
                await asyncio.sleep(0.3 + secrets.randbelow(300) / 1000)
                server.kill()
                await server.start()
            await asyncio.sleep(0.5)
            stop.set()
        for client in clients:
            token, used = client.result()
            assert used > 0
            assert isinstance(await device.use(token), Refreshed), "the last token that was given does not work"
        assert len(await sessions.of_account(account.account_id)) == CLIENTS
        await sessions.close()
        await accounts.close()


async def test_a_repeat_of_the_stores_own_call_is_no_theft_however_late(postgres_url: str) -> None:
    """The answer to a COMMIT is lost, and the store repeats its transaction after the overlap: it meets its own use."""
    accounts, sessions = open_accounts(postgres_url), open_sessions(postgres_url)
    account = await accounts.create(f"{secrets.token_hex(8)}@example.org", "h", role="viewer", profile_names=["x"])
    _, token = await Device(sessions, account).log_in()
    successor = Successor(hashlib.sha256(b"next" + token.encode()).hexdigest(), sealed=f"sealed by {token}")
    for _ in range(2):
        outcome = await sessions.refresh(token, successor, profile_id=None, token_seconds=3600, overlap_seconds=0.0)
        assert isinstance(outcome, Refreshed)
        assert outcome.sealed == successor.sealed
    await sessions.close()
    await accounts.close()
