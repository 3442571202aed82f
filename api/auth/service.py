"""Accounts and sessions: registering, logging in, refreshing, changing a password, adding a profile.

Accounts and refresh tokens are stored through `marquee.stores.accounts`. A refresh token works once and is stored as
its SHA-256. Attempts to log in are counted by e-mail address before the password is checked. If the counter's engine is
down, the attempt goes on: an outage of Valkey must not lock viewers out, and the bounded hashing threads still limit a
flood.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from api.auth.passwords import Passwords, check_new_password
from api.auth.tokens import AccessTokens, Caller
from marquee.domain.addresses import folded_address
from marquee.domain.roles import FIRST_ROLE
from marquee.errors import InputInvalid, NotAuthenticated, StoreUnavailable, TooManyRequests
from marquee.logs import get_logger
from marquee.stores.accounts.contract import Account, Accounts, Profile, RefreshToken
from marquee.stores.coordination.contract import Coordination

LOGINS_A_MINUTE: Final = 60
LOGINS_AN_HOUR: Final = 1000
ACCOUNTS_A_MINUTE: Final = 600
"""New accounts of all callers together.

Registering costs a hash; the bound limits how fast a script can fill the table.
"""
MAX_PROFILES: Final = 8
_WRONG_LOGIN: Final = "The e-mail address or the password is wrong."

log = get_logger()


@dataclass(frozen=True)
class Session:
    """The tokens of one login or refresh, with the account and the profile that they are for."""

    access_token: str
    refresh_token: str
    account: Account
    profile_id: str


class AuthService:
    """What `/accounts` and `/sessions` do."""

    def __init__(
        self,
        accounts: Accounts,
        coordination: Coordination,
        passwords: Passwords,
        tokens: AccessTokens,
        *,
        refresh_token_seconds: int,
    ) -> None:
        self.tokens = tokens
        self.refresh_token_seconds = refresh_token_seconds
        self._accounts = accounts
        self._coordination = coordination
        self._passwords = passwords

    async def register(self, email: str, password: str, profiles: list[str]) -> Account:
        """Create an account with the role `FIRST_ROLE` and at least one profile.

        Without `profiles` the profile is named after the address. Raises `AccountExists`, `InputInvalid` for a weak
        password, `TooManyRequests`.
        """
        check_new_password(password, email)
        await self._count("accounts", ACCOUNTS_A_MINUTE, 60)
        names = list(dict.fromkeys(profiles)) or [email.partition("@")[0][:60]]
        return await self._accounts.create(
            email, await self._passwords.hash(password), role=FIRST_ROLE, profile_names=names
        )

    async def log_in(self, email: str, password: str, profile_id: str | None) -> Session:
        """Open a session, as `profile_id` or as the account's first profile.

        Raises `NotAuthenticated` for an unknown address and for a wrong password, with the same sentence and after the
        same time; `TooManyRequests` past `LOGINS_A_MINUTE` or `LOGINS_AN_HOUR` attempts on one address; `InputInvalid`
        for an unknown profile.
        """
        bucket = attempts_bucket(email)
        await self._count(bucket, LOGINS_A_MINUTE, 60)
        await self._count(f"{bucket}:hour", LOGINS_AN_HOUR, 3600)
        account = await self._accounts.by_email(email.strip())
        if not await self._passwords.verify(account.password_hash if account else None, password) or account is None:
            raise NotAuthenticated(_WRONG_LOGIN)
        return await self._open_session(account, profile_id)

    async def refresh(self, token: str, profile_id: str | None) -> Session:
        """Replace a refresh token: the given one ends, and a new session comes.

        Raises `NotAuthenticated`, `InputInvalid`.
        """
        used = await self._accounts.use_refresh_token(_hash(token), now=datetime.now(UTC))
        account = await self._accounts.by_id(used.account_id) if used else None
        if used is None or account is None:
            raise NotAuthenticated("The refresh token is not valid any more: log in again.")
        return await self._open_session(account, profile_id or used.profile_id, replaces=used.token_hash)

    async def log_out(self, caller: Caller) -> None:
        """End every refresh token of the account. Access tokens stay valid until they expire."""
        await self._accounts.revoke_refresh_tokens(caller.account_id)

    async def account(self, caller: Caller) -> Account:
        """The caller's account. Raises `NotAuthenticated` if it was deleted after the token was issued."""
        account = await self._accounts.by_id(caller.account_id)
        if account is None:
            raise NotAuthenticated("This account does not exist any more.")
        return account

    async def change_password(self, caller: Caller, current: str, new: str) -> None:
        """Change the password and end every refresh token of the account.

        Raises `InputInvalid` if `current` is wrong or `new` is weak, `TooManyRequests`.
        """
        account = await self.account(caller)
        await self._count(attempts_bucket(account.email), LOGINS_A_MINUTE, 60)
        if not await self._passwords.verify(account.password_hash, current):
            raise InputInvalid("The current password is wrong.", field="current_password")
        check_new_password(new, account.email, field="new_password")
        await self._accounts.change_password(account.account_id, await self._passwords.hash(new))

    async def add_profile(self, caller: Caller, name: str) -> Profile:
        """Add a profile. Raises `InputInvalid` past `MAX_PROFILES`, and for a name that the account has already."""
        account = await self.account(caller)
        if len(account.profiles) >= MAX_PROFILES:
            raise InputInvalid(
                f"The account has {len(account.profiles)} profiles, and {MAX_PROFILES} is the maximum.", field="name"
            )
        if any(profile.name == name for profile in account.profiles):
            raise InputInvalid(f"The account has a profile named {name} already: choose another name.", field="name")
        return await self._accounts.add_profile(account.account_id, name)

    async def _open_session(self, account: Account, profile_id: str | None, *, replaces: str | None = None) -> Session:
        own = [profile.profile_id for profile in account.profiles]
        if not own:
            own = [(await self._accounts.add_profile(account.account_id, account.email.partition("@")[0])).profile_id]
        profile = profile_id or own[0]
        if profile not in own:
            raise InputInvalid(f"The account has no profile {profile}.", field="profile_id")
        token = secrets.token_urlsafe(32)
        expires_at = datetime.now(UTC) + timedelta(seconds=self.refresh_token_seconds)
        await self._accounts.store_refresh_token(
            RefreshToken(_hash(token), account.account_id, profile, expires_at, revoked_at=None), replaces=replaces
        )
        return Session(self.tokens.issue(account, profile), token, account, profile)

    async def _count(self, bucket: str, limit: int, window_seconds: float) -> None:
        try:
            allowed = await self._coordination.allow(bucket, limit=limit, window_seconds=window_seconds)
        except StoreUnavailable as error:
            log.warning("attempts are not counted", bucket=bucket.partition(":")[0], reason=error.detail)
            return
        if not allowed:
            raise TooManyRequests("Too many attempts: wait a minute and try again.", retry_after_seconds=60)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def attempts_bucket(email: str) -> str:
    """The rate limit's key for attempts on one address. It holds a hash: the limit's store never sees the address."""
    return f"login:{hashlib.sha256(folded_address(email).encode()).hexdigest()[:32]}"
