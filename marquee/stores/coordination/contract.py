"""The contract of locks and rate limits. Their engine must not evict keys.

A lock only saves work, such as two processes filling the same row. It never alone guards correctness, because it expires and a
failover of the engine can lose it. Its holder checks by its token, atomically, that it still holds the lock.
"""

from dataclasses import dataclass
from typing import Final, Protocol

SETTING: Final = "MARQUEE_COORDINATION_URL"


@dataclass(frozen=True)
class Lock:
    """A lock that was acquired. `token` is random and identifies the holder."""

    name: str
    token: str
    fence: int
    """Larger at every acquisition of this name."""


class Coordination(Protocol):
    """Every call raises `StoreUnavailable` when the engine does not answer."""

    async def acquire(self, name: str, *, hold_seconds: float) -> Lock | None:
        """Take the lock for at most `hold_seconds`. Returns None at once if it is held."""
        ...

    async def is_held(self, lock: Lock) -> bool:
        """Whether this token still holds the lock."""
        ...

    async def release(self, lock: Lock) -> bool:
        """Release the lock if this token still holds it. Returns whether it did."""
        ...

    async def allow(self, bucket: str, *, limit: int, window_seconds: float) -> bool:
        """Count one use of `bucket`, a sliding window of at most `limit` uses. Returns False, uncounted, past the limit."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
