"""Password hashing (`marquee.stores.accounts.hashes`) in the queues of `api.auth.hashing`; a new password's rules."""

from contextlib import AbstractContextManager
from functools import cache, partial
from typing import Final

from argon2.exceptions import InvalidHashError, VerificationError

from api.auth.hashing import Lane, Place, queues
from marquee.errors import InputInvalid
from marquee.stores.accounts.hashes import password_hasher

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


@cache
def dummy_hash() -> str:
    """Verified when the address is unknown: the answer then takes as long as for a known address.

    The supervisor makes it, so that a process of the API starts without it.
    """
    return password_hasher().hash("the password of no account")


class Passwords:
    """Hashes and verifies passwords, one at a time in each queue."""

    def __init__(self) -> None:
        self._queues = queues()
        self._hasher = password_hasher()
        self._dummy_hash = dummy_hash()

    def place(self, lane: Lane, address: str) -> AbstractContextManager[Place]:
        """A place in the lane's queue for a request of this client address. Raises `TooManyRequests` without one."""
        return self._queues[lane].place(lane, address)

    async def hash(self, password: str, place: Place | None = None) -> str:
        """The argon2id hash of a password, with its salt and parameters. Raises `TooManyRequests`."""
        if place is None:
            with self.place("registration", "") as own:
                return await self.hash(password, own)
        return await place.run(partial(self._hasher.hash, password))

    async def verify(self, password_hash: str | None, password: str, place: Place) -> bool:
        """Whether the password matches the hash. Raises `TooManyRequests`.

        `password_hash` is None for an unknown account: the answer is False, after the same amount of work.
        """
        work = partial(self._matches, password_hash or self._dummy_hash, password)
        return await place.run(work) and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether an earlier release made the hash, with other parameters."""
        return self._hasher.check_needs_rehash(password_hash)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
