"""Locks and rate limits, in the engine that evicts nothing.

A lock is a hint that saves work, never the only guard of a truth: its token lets the holder check, atomically, that it
still holds it, and it ends by itself.
"""

from dataclasses import dataclass
from typing import Final, Protocol

SETTING: Final = "MARQUEE_COORDINATION_URL"


@dataclass(frozen=True)
class Lock:
    name: str
    token: str
    fence: int
    """Grows with every acquisition of this name."""


class Coordination(Protocol):
    async def acquire(self, name: str, *, hold_seconds: float) -> Lock | None:
        """Take the lock, or None at once if somebody holds it."""
        ...

    async def is_held(self, lock: Lock) -> bool: ...

    async def release(self, lock: Lock) -> bool:
        """Release if still held by this token; whether it was."""
        ...

    async def allow(self, bucket: str, *, limit: int, window_seconds: float) -> bool:
        """Count one use of a sliding-window rate limit; whether it is within."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
