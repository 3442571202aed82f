"""Accounts and sessions: registering, logging in, refreshing, changing a password, adding a profile.

Accounts and refresh tokens are stored through `marquee.stores.accounts`. A refresh token works once and is stored as
its SHA-256. Limits come before hashing: `api.auth.attempts` says who may try a password, `api.auth.hashing` whether there is
room for it.
"""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from api.auth.attempts import Client, LoginAttempts, account_key
from api.auth.devices import Devices
from api.auth.hashing import Lane
from api.auth.passwords import Passwords, check_new_password
from api.auth.tokens import AccessTokens, Caller
from marquee.domain.roles import FIRST_ROLE
from marquee.errors import InputInvalid, NotAuthenticated
from marquee.stores.accounts.contract import Account, Accounts, Profile, RefreshToken

MAX_PROFILES: Final = 8
_WRONG_LOGIN: Final = "The e-mail address or the password is wrong."


@dataclass(frozen=True)
class Session:
    """The tokens of one login or refresh, with the account and the profile that they are for."""

    access_token: str
    refresh_token: str
    account: Account
    profile_id: str
    device_token: str | None = None
    """Makes this client a known device at its next login. None after a refresh."""


class AuthService:
    """What `/accounts` and `/sessions` do."""

    def __init__(
        self,
        accounts: Accounts,
        attempts: LoginAttempts,
        devices: Devices,
        passwords: Passwords,
        tokens: AccessTokens,
        *,
        refresh_token_seconds: int,
    ) -> None:
        self.tokens = tokens
        self.refresh_token_seconds = refresh_token_seconds
        self._accounts = accounts
        self._attempts = attempts
        self._devices = devices
        self._passwords = passwords

    async def register(self, email: str, password: str, profiles: list[str], *, address: str) -> Account:
        """Create an account with the role `FIRST_ROLE` and at least one profile.

        `address` is the client's. Without `profiles` the profile is named after the e-mail address. Raises
        `AccountExists`, `InputInvalid` for a weak password, `TooManyRequests`.
        """
        check_new_password(password, email)
        self._passwords.check_room("registration", address)
        await self._attempts.count_registration(address)
        names = list(dict.fromkeys(profiles)) or [email.partition("@")[0][:60]]
        password_hash = await self._passwords.hash(password, address=address)
        return await self._accounts.create(email, password_hash, role=FIRST_ROLE, profile_names=names)

    async def check_login(self, email: str, password: str, client: Client) -> tuple[Account, str]:
        """The account of a right login, and the token by which its device is known at the next login.

        Raises `NotAuthenticated` for an unknown address and for a wrong password, with the same sentence and after the
        same time; `TooManyRequests` after too many wrong attempts.
        """
        key = account_key(email)
        device_id = self._devices.read(client.device_token, key)
        lane: Lane = "login" if device_id is None else "known"
        self._passwords.check_room(lane, client.address)
        async with self._attempts.of_login(key, client.address, device_id):
            account = await self._accounts.by_email(email.strip())
            password_hash = account.password_hash if account else None
            matches = await self._passwords.verify(password_hash, password, lane=lane, address=client.address)
            if not matches or account is None:
                raise NotAuthenticated(_WRONG_LOGIN)
        return account, self._devices.issue(key, device_id)

    async def log_in(self, email: str, password: str, profile_id: str | None, client: Client) -> Session:
        """Open a session, as `profile_id` or as the account's first profile.

        Raises what `check_login` does; `InputInvalid` for an unknown profile.
        """
        account, device_token = await self.check_login(email, password, client)
        return replace(await self._open_session(account, profile_id), device_token=device_token)

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
        self._passwords.check_room("known", account.account_id)
        async with self._attempts.of_password_change(account.account_id, caller.profile_id):
            if not await self._passwords.verify(
                account.password_hash, current, lane="known", address=account.account_id
            ):
                raise InputInvalid("The current password is wrong.", field="current_password")
        check_new_password(new, account.email, field="new_password")
        password_hash = await self._passwords.hash(new, lane="known", address=account.account_id)
        await self._accounts.change_password(account.account_id, password_hash)

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


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
