"""Accounts: registering, checking a login, changing a password, profiles, deleting. Sessions are in `api/auth/sessions.py`.

Accounts are stored through `marquee.stores.accounts`. Limits come before hashing: `api.auth.attempts` says who may try a
password, `api.auth.hashing` whether there is room for it.
"""

from dataclasses import replace
from typing import Final

from api.auth.attempts import Client, LoginAttempts, account_key
from api.auth.devices import Devices
from api.auth.hashing import Lane, Place
from api.auth.passwords import Passwords, check_new_password
from api.auth.tokens import Caller
from marquee.domain.roles import FIRST_ROLE
from marquee.errors import InputInvalid, NotAuthenticated, StoreUnavailable, TooManyRequests
from marquee.logs import get_logger
from marquee.stores.accounts.contract import Account, Accounts, Profile

MAX_PROFILES: Final = 8
_WRONG_LOGIN: Final = "The e-mail address or the password is wrong."

log = get_logger()


class AuthService:
    """What `/accounts` does, and whether a login is right."""

    def __init__(self, accounts: Accounts, attempts: LoginAttempts, devices: Devices, passwords: Passwords) -> None:
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
        with self._passwords.place("registration", address) as place:
            await self._attempts.count_registration(address)
            password_hash = await self._passwords.hash(password, place)
        names = list(dict.fromkeys(profiles)) or [email.partition("@")[0][:60]]
        return await self._accounts.create(email, password_hash, role=FIRST_ROLE, profile_names=names)

    async def check_login(self, email: str, password: str, client: Client) -> tuple[Account, str]:
        """The account of a right login, and the token by which its device is known at the next login.

        Raises `NotAuthenticated` for an unknown address and for a wrong password, with the same sentence and after the
        same time; `TooManyRequests` after too many wrong attempts.
        """
        key = account_key(email)
        device_id = self._devices.read(client.device_token, key)
        lane: Lane = "login" if device_id is None else "known"
        with self._passwords.place(lane, client.address) as place:
            async with self._attempts.of_login(key, client.address, device_id):
                account = await self._accounts.by_email(email.strip())
                password_hash = account.password_hash if account else None
                if not await self._passwords.verify(password_hash, password, place) or account is None:
                    raise NotAuthenticated(_WRONG_LOGIN)
            if self._passwords.is_outdated(account.password_hash):
                account = await self._with_new_hash(account, password, place)
        return account, self._devices.issue(key, device_id)

    async def _with_new_hash(self, account: Account, password: str, place: Place) -> Account:
        """Replace the hash of an earlier release. If there is no time for it now, the next login tries again.

        A session opens only for the hash that is stored. So the password is checked once more if another login has replaced
        the hash at the same time, or a change of password has.
        """
        try:
            password_hash = await self._passwords.hash(password, place)
            if await self._accounts.renew_hash(account.account_id, account.password_hash, password_hash):
                return replace(account, password_hash=password_hash)
            found = await self._accounts.by_id(account.account_id)
            if found is None or not await self._passwords.verify(found.password_hash, password, place):
                raise NotAuthenticated(_WRONG_LOGIN)
        except (StoreUnavailable, TooManyRequests) as error:
            log.warning("a password hash of an earlier release was not replaced", reason=error.detail)
            return account
        return found

    async def account(self, caller: Caller) -> Account:
        """The caller's account. Raises `NotAuthenticated` if it was deleted after the token was issued."""
        account = await self._accounts.by_id(caller.account_id)
        if account is None:
            raise NotAuthenticated("This account does not exist any more.")
        return account

    async def change_password(self, caller: Caller, current: str, new: str) -> None:
        """Change the password and end every session of the account.

        Raises `InputInvalid` if `current` is wrong or `new` is weak, `TooManyRequests`.
        """
        account = await self.account(caller)
        with self._passwords.place("known", account.account_id) as place:
            await self._check_own_password(caller, account, current, place, field="current_password")
            check_new_password(new, account.email, field="new_password")
            password_hash = await self._passwords.hash(new, place)
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

    async def delete_profile(self, caller: Caller, profile_id: str) -> None:
        """Delete a profile of the account. Sessions that watch as it end.

        Raises `ProfileUnknown`, `InputInvalid` for the only profile, and `TooManyRequests`.
        """
        await self._attempts.count_profile_deletion(caller.account_id)
        await self._accounts.delete_profile(caller.account_id, profile_id)

    async def delete_account(self, caller: Caller, password: str) -> None:
        """Delete the account, whose owner confirms it by the password. Every session ends.

        Raises `InputInvalid` if the password is wrong, `TooManyRequests`.
        """
        account = await self.account(caller)
        with self._passwords.place("known", account.account_id) as place:
            await self._check_own_password(caller, account, password, place, field="password")
        await self._accounts.delete(account.account_id, account.password_hash)

    async def _check_own_password(
        self, caller: Caller, account: Account, password: str, place: Place, *, field: str
    ) -> None:
        session = caller.session_id or caller.profile_id
        async with self._attempts.of_password_change(account.account_id, session):
            if not await self._passwords.verify(account.password_hash, password, place):
                raise InputInvalid("The password is wrong.", field=field)
