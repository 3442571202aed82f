"""Accounts, their profiles and their refresh tokens. `api.auth` makes and checks the password hashes, by argon2."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marquee.domain.roles import Role


@dataclass(frozen=True)
class Profile:
    profile_id: str
    account_id: str
    name: str


@dataclass(frozen=True)
class Account:
    account_id: str
    email: str
    password_hash: str
    role: Role
    created_at: datetime
    profiles: Sequence[Profile]


@dataclass(frozen=True)
class RefreshToken:
    """`token_hash` is the token's SHA-256 in hex; the token itself is never stored. A token is revoked when it is used."""

    token_hash: str
    account_id: str
    profile_id: str
    expires_at: datetime
    revoked_at: datetime | None


class Accounts(Protocol):
    async def create(self, email: str, password_hash: str, *, role: Role, profile_names: Sequence[str]) -> Account:
        """A new account with these profiles, in this order. Raises `AccountExists`. Addresses are compared without case."""
        ...

    async def by_email(self, email: str) -> Account | None: ...

    async def by_id(self, account_id: str) -> Account | None: ...

    async def change_password(self, account_id: str, password_hash: str) -> None:
        """Also revokes every refresh token of the account."""
        ...

    async def add_profile(self, account_id: str, name: str) -> Profile:
        """Raises `InputInvalid` where there is no such account."""
        ...

    async def store_refresh_token(self, token: RefreshToken, *, replaces: str | None = None) -> None:
        """Store a new token. `replaces` is the hash of the used token that it follows.

        Raises `NotAuthenticated` where the used token's sessions were ended meanwhile (theft, change of password): the new
        token must not outlive them.
        """
        ...

    async def use_refresh_token(self, token_hash: str, *, now: datetime) -> RefreshToken | None:
        """Revoke and return a valid token, in one statement. None for any other.

        A token that was used before was stolen: its second use revokes every token of the account. A token that
        `revoke_refresh_tokens` or a change of password ended revokes no others.
        """
        ...

    async def revoke_refresh_tokens(self, account_id: str) -> int:
        """End every session of the account; returns how many tokens were still valid."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
