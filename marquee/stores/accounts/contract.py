"""Accounts and their profiles. `api.auth` makes and checks the password hashes (`hashes.py`)."""

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


class Accounts(Protocol):
    async def create(self, email: str, password_hash: str, *, role: Role, profile_names: Sequence[str]) -> Account:
        """A new account with these profiles, in this order. Raises `AccountExists`. Addresses are compared without case."""
        ...

    async def by_email(self, email: str) -> Account | None: ...

    async def by_id(self, account_id: str) -> Account | None: ...

    async def change_password(self, account_id: str, password_hash: str) -> None:
        """Also ends every session of the account."""
        ...

    async def renew_hash(self, account_id: str, earlier_hash: str, password_hash: str) -> bool:
        """Store another hash of the same password. False, and no change, if the stored hash is not `earlier_hash` any more."""
        ...

    async def add_profile(self, account_id: str, name: str) -> Profile:
        """Raises `InputInvalid` where there is no such account."""
        ...

    async def delete_profile(self, account_id: str, profile_id: str) -> None:
        """Delete a profile, end the sessions that watch as it, and ask for the erasure of what is stored of it. Repeatable.

        Raises `ProfileUnknown`, also for another account's profile, and `InputInvalid` for the account's last one.
        """
        ...

    async def delete(self, account_id: str, password_hash: str) -> None:
        """Delete an account with its profiles and sessions, and ask for the erasure of what is stored of them. Repeatable.

        Raises `NotAuthenticated` if the stored hash is another one: the password was changed at this moment.
        """
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
