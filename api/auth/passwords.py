"""Password hashing (argon2id, the library's RFC 9106 profile) in a few threads, and the rules of a new password.

A hash costs 64 MiB and some 50 ms of every core it gets: as many run at once as there are cores, a bounded number waits,
and the rest is told to come back, so that a flood of logins cannot take the memory or the event loop.
"""

import os
from typing import Final

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from marquee.errors import InputInvalid, TooManyRequests

MAX_WAITING: Final = 64
COMMON: Final = frozenset(
    (
        *("password", "password1", "password123", "passw0rd", "12345678", "123456789", "1234567890", "87654321"),
        *("qwertyui", "qwertyuiop", "qwerty123", "1q2w3e4r", "iloveyou", "sunshine", "princess", "football"),
        *("baseball", "superman", "trustno1", "letmein1", "welcome1", "abcd1234", "abc12345", "asdfghjkl"),
    )
)
"""The most used of eight characters and more; what is longer and rarer is the viewer's own choice (NIST SP 800-63B)."""


def check_new_password(password: str, email: str, *, field: str = "password") -> None:
    """Raises `InputInvalid` naming `field`, as the request calls it. The length is held by the schema."""
    lowered = password.lower()
    if lowered in COMMON or len(set(lowered)) < 3:
        raise InputInvalid("This password is among the first that a thief would try: choose another.", field=field)
    if lowered in {email.lower(), email.lower().partition("@")[0]}:
        raise InputInvalid("The password may not be the e-mail address.", field=field)


class Passwords:
    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._threads = anyio.CapacityLimiter(max(1, os.cpu_count() or 1))
        # Verified when the address is unknown, so that the answer takes as long as for a known one.
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        self._check_room()
        return await anyio.to_thread.run_sync(self._hasher.hash, password, limiter=self._threads)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """False also for no hash (an unknown account), after the same work."""
        self._check_room()
        matches = await anyio.to_thread.run_sync(
            self._matches, password_hash or self._nobody, password, limiter=self._threads
        )
        return matches and password_hash is not None

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def _check_room(self) -> None:
        if self._threads.statistics().tasks_waiting >= MAX_WAITING:
            raise TooManyRequests("Too many people log in at this moment: try again in some seconds.")
