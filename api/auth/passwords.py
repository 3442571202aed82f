"""Password hashing (argon2id, the library's RFC 9106 profile) in a few threads, and the rules for a new password.

A hash costs 64 MiB and about 50 ms of one core. So one thread per core hashes, at most `MAX_WAITING_HASHES` requests
wait, and further requests get `TooManyRequests`. A flood of logins can then exhaust neither the memory nor the event
loop.
"""

import os
from typing import Final

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from marquee.errors import InputInvalid, TooManyRequests

MAX_WAITING_HASHES: Final = 64
COMMON_PASSWORDS: Final = frozenset(
    (
        *("password", "password1", "password123", "passw0rd", "12345678", "123456789", "1234567890", "87654321"),
        *("qwertyui", "qwertyuiop", "qwerty123", "1q2w3e4r", "iloveyou", "sunshine", "princess", "football"),
        *("baseball", "superman", "trustno1", "letmein1", "welcome1", "abcd1234", "abc12345", "asdfghjkl"),
    )
)
"""The most used passwords of eight and more characters.

Any other password is the viewer's own choice (NIST SP 800-63B).
"""


def check_new_password(password: str, email: str, *, field: str = "password") -> None:
    """Refuse a password that is common, has fewer than three different characters, or is the e-mail address.

    Raises `InputInvalid` with `field`, the name of the field in the request. The schema checks the length.
    """
    lowered = password.lower()
    if lowered in COMMON_PASSWORDS or len(set(lowered)) < 3:
        raise InputInvalid("This password is one of the most common ones: choose another.", field=field)
    if lowered in {email.lower(), email.lower().partition("@")[0]}:
        raise InputInvalid("The password is the e-mail address: choose another.", field=field)


class Passwords:
    """Hashes and verifies passwords in threads, as many at once as there are cores."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._threads = anyio.CapacityLimiter(max(1, os.cpu_count() or 1))
        # Verified when the address is unknown: the answer then takes as long as for a known address.
        self._dummy_hash = self._hasher.hash("the password of no account")

    async def hash(self, password: str) -> str:
        """The argon2id hash of a password, with its salt and parameters. Raises `TooManyRequests`."""
        self._check_room()
        return await anyio.to_thread.run_sync(self._hasher.hash, password, limiter=self._threads)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password matches the hash. Raises `TooManyRequests`.

        `password_hash` is None for an unknown account: the answer is False, after the same amount of work.
        """
        self._check_room()
        matches = await anyio.to_thread.run_sync(
            self._matches, password_hash or self._dummy_hash, password, limiter=self._threads
        )
        return matches and password_hash is not None

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def _check_room(self) -> None:
        if self._threads.statistics().tasks_waiting >= MAX_WAITING_HASHES:
            raise TooManyRequests("Too many people are logging in at this moment: try again in a few seconds.")
