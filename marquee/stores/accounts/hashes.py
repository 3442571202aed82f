"""How a password is hashed: argon2id with OWASP's first choice of parameters, 19 MiB of memory, two passes, one thread.

A hash costs about 25 ms of one core. The profile that the library proposes (RFC 9106: 64 MiB, three passes, four threads) costs
170 ms, and its memory drives everybody else's data out of the processor's caches: a few logins at once were seen in the p99 of
every route. A stored hash names its own parameters, so hashes of earlier releases still verify; `api.auth` replaces them at the
next right login.
"""

from functools import cache
from typing import Final

from argon2 import PasswordHasher

TIME_COST: Final = 2
MEMORY_KIB: Final = 19 * 1024
PARALLELISM: Final = 1
"""More threads make one hash faster on free cores. They make no guess dearer, and take more cores from everybody else."""


@cache
def password_hasher() -> PasswordHasher:
    """The one hasher of new passwords. It verifies hashes of any parameters."""
    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM)
