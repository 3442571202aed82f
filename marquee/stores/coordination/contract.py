"""The contract of locks and rate limits. Their engine must not evict keys.

A lock only saves work, such as two processes filling the same row. It never alone guards correctness, because it expires and a
failover of the engine can lose it. Its holder checks by its token, atomically, that it still holds the lock.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from marquee.domain.attempts import AttemptRule

SETTING: Final = "MARQUEE_COORDINATION_URL"


@dataclass(frozen=True)
class Lock:
    """A lock that was acquired. `token` is random and identifies the holder."""

    name: str
    token: str
    fence: int
    """Larger at every acquisition of this name."""


class UseCounter(Protocol):
    """Counts uses and attempts, each in a bucket of its own. `InProcessCounter` takes the engine's place when that is down."""

    async def count(self, bucket: str, *, limit: int, window_seconds: float) -> float:
        """Count one use of `bucket`, a sliding window of at most `limit` uses. Returns 0.

        Past the limit the use is not counted. Returns then the seconds until the window has room for one.
        """
        ...

    async def attempt(self, bucket: str, rule: AttemptRule) -> float:
        """Count one attempt of `bucket`, before it is known to be right or wrong. Returns 0.

        Within the wait after earlier attempts it is not counted. Returns then the seconds that are left of the wait.
        """
        ...

    async def take_back(self, bucket: str) -> None:
        """Count one attempt less: it was right, or it was never judged. A wait goes on."""
        ...

    async def forget(self, bucket: str) -> None:
        """Forget all attempts of the bucket, and its wait."""
        ...

    async def remember(self, bucket: str, member: str, *, keep: int, seconds: float) -> None:
        """Keep `member` in the bucket's set for so long. Of more than `keep` members those with the least time left go."""
        ...

    async def is_remembered(self, bucket: str, member: str) -> bool: ...


class Coordination(UseCounter, Protocol):
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

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
