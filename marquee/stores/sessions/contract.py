"""Sessions: a login on one device, the chain of refresh tokens that keeps it alive, and which sessions ended lately.

A refresh token is used once. Its use stores its successor, and a copy of the successor that only the used token opens
(`sealed`, see `api/auth/refresh_tokens.py`). During an overlap that begins with the first use, the used token gives the same
successor again. After the overlap a used token that comes again was stolen: its session ends, and no other. All times are the
database's, so the clocks of the hosts may differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from marquee.stores.accounts.contract import Account

MAX_SESSIONS: Final = 100
"""Sessions of one account. One more ends the one that was used longest ago."""
UNKNOWN_DEVICE: Final = "Unknown device"
"""The device of a session that an older release began."""


@dataclass(frozen=True)
class Session:
    session_id: str
    account_id: str
    profile_id: str
    device: str
    created_at: datetime
    last_used_at: datetime
    """Time of the login or of the last refresh."""


@dataclass(frozen=True)
class Successor:
    """A refresh token to store: its SHA-256 in hex, and a copy of it that only its predecessor opens."""

    token_hash: str
    sealed: str


@dataclass(frozen=True)
class Refreshed:
    """A refreshed session. `sealed` is the successor to give out, which may be that of an earlier use. None: the token stays."""

    session: Session
    sealed: str | None


@dataclass(frozen=True)
class TokenReused:
    """A used token came again after the overlap. Its session, which this ended."""

    session: Session


class Sessions(Protocol):
    async def open(
        self, account: Account, profile_id: str, *, device: str, token_hash: str, token_seconds: int
    ) -> Session:
        """A new session with its first refresh token, which lives for `token_seconds`.

        `account` is as it was when the password was checked. Raises `NotAuthenticated` where the account is gone or its password
        was changed meanwhile: the session would outlive the change.
        """
        ...

    async def refresh(
        self,
        token_hash: str,
        successor: Successor,
        *,
        profile_id: str | None,
        token_seconds: int,
        overlap_seconds: float,
        young_seconds: float = 0.0,
    ) -> Refreshed | TokenReused | None:
        """Use a refresh token, in one transaction. `profile_id` changes the session's profile.

        The first use stores `successor`. A repeat within `overlap_seconds` of the first use returns the successor that is
        stored, also if that one was used already. A repeat after it ends the session. None for a token that is unknown, expired
        or ended. A successor that is younger than `young_seconds` stays and is not used. Raises `InputInvalid` for a profile of
        another account; then nothing was used up.
        """
        ...

    async def of_account(self, account_id: str) -> Sequence[Session]:
        """The account's sessions, the last used first; at most `MAX_SESSIONS`."""
        ...

    async def end(self, account_id: str, session_id: str) -> bool:
        """End one session. False if the account has no such session."""
        ...

    async def end_of_token(self, token_hash: str) -> bool:
        """End the session that a refresh token belongs to, used or not. False if there is none."""
        ...

    async def end_all(self, account_id: str) -> int:
        """End every session of the account; returns how many there were."""
        ...

    async def ended_within(self, seconds: float) -> Sequence[str]:
        """Ids of the sessions that ended in the last `seconds`, in whichever way, also with their account."""
        ...

    async def forget_ended(self, *, older_than_seconds: float) -> int:
        """Remove the notes of sessions that ended longer ago, and sessions that have expired; returns how many notes."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
