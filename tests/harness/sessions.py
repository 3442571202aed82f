"""A client of the store of sessions, and time that passes for one account."""

import hashlib
import secrets
from dataclasses import dataclass

import psycopg

from marquee.stores.accounts.contract import Account
from marquee.stores.sessions.contract import Refreshed, Session, Sessions, Successor, TokenReused

DAY = 24 * 3600
OVERLAP = 30.0


@dataclass
class Device:
    """A client: it uses tokens by their hash. A successor's sealed copy stands for the token itself."""

    sessions: Sessions
    account: Account

    async def log_in(self, name: str = "a device") -> tuple[Session, str]:
        token_hash = hashlib.sha256(secrets.token_bytes(16)).hexdigest()
        session = await self.sessions.open(
            self.account,
            self.account.profiles[0].profile_id,
            device=name,
            token_hash=token_hash,
            token_seconds=30 * DAY,
        )
        return session, token_hash

    async def use(
        self, token_hash: str, *, profile_id: str | None = None, overlap: float = OVERLAP, young: float = 0.0
    ) -> Refreshed | TokenReused | None:
        successor = hashlib.sha256(secrets.token_bytes(16)).hexdigest()
        return await self.sessions.refresh(
            token_hash,
            Successor(successor, sealed=f"sealed {successor}"),
            profile_id=profile_id,
            token_seconds=30 * DAY,
            overlap_seconds=overlap,
            young_seconds=young,
        )


def token_in(outcome: Refreshed | TokenReused | None) -> str:
    assert isinstance(outcome, Refreshed), f"the refresh was refused: {outcome}"
    assert outcome.sealed is not None, "the token was not used"
    return outcome.sealed.removeprefix("sealed ")


def later(url: str, account: Account, seconds: float) -> None:
    """Everything of the account happened so many seconds earlier: as if that time had passed."""
    with psycopg.connect(url) as connection:
        for table, columns in (
            ("session", ("created_at", "last_used_at", "expires_at")),
            ("refresh_token", ("revoked_at", "expires_at")),
        ):
            moved = ", ".join(f"{column} = {column} - %(by)s * interval '1 second'" for column in columns)
            connection.execute(
                f"UPDATE {table} SET {moved} WHERE account_id = %(account)s",
                {"by": seconds, "account": account.account_id},
            )


async def listed(sessions: Sessions, account: Account) -> list[str]:
    """Ids of the account's sessions."""
    return [session.session_id for session in await sessions.of_account(account.account_id)]
