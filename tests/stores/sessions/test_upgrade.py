"""The migration gives every live refresh token of 0.1.0 a session: nobody is logged out by an upgrade."""

import hashlib
import secrets

import psycopg
from alembic import command
from sqlalchemy import create_engine, make_url

from marquee.stores.accounts import open_accounts
from marquee.stores.schema.migrate import alembic_config, migrate
from marquee.stores.sessions import open_sessions
from marquee.stores.sessions.contract import UNKNOWN_DEVICE, Refreshed
from tests.harness.sessions import Device

BEFORE = "0004"
"""The revision before the sessions'."""
INSERT = (
    "INSERT INTO refresh_token (token_hash, account_id, profile_id, expires_at, revoked_at, ended)"
    " SELECT %s, account_id, profile_id, now() + %s * interval '1 day', %s, %s FROM profile"
)


def upgrade_to(url: str, revision: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), revision)
        connection.commit()
    engine.dispose()


async def test_live_tokens_get_sessions_and_others_none(empty_database: str) -> None:
    upgrade_to(empty_database, BEFORE)
    accounts, sessions = open_accounts(empty_database), open_sessions(empty_database)
    account = await accounts.create("x@example.org", "hash", role="viewer", profile_names=["x"])
    tokens = {name: hashlib.sha256(secrets.token_bytes(8)).hexdigest() for name in ("live", "used", "ended", "expired")}
    with psycopg.connect(empty_database) as connection:
        connection.execute(INSERT, [tokens["live"], 1, None, False])
        connection.execute(INSERT, [tokens["used"], 1, "2026-01-01", False])
        connection.execute(INSERT, [tokens["ended"], 1, "2026-01-01", True])
        connection.execute(INSERT, [tokens["expired"], -1, None, False])
    migrate(empty_database)
    [session] = await sessions.of_account(account.account_id)
    assert session.device == UNKNOWN_DEVICE
    device = Device(sessions, account)
    for name in ("used", "ended", "expired"):
        assert await device.use(tokens[name]) is None, f"a token that was {name} works after the upgrade"
    outcome = await device.use(tokens["live"])
    assert isinstance(outcome, Refreshed)
    assert outcome.session.session_id == session.session_id
    await sessions.close()
    await accounts.close()
