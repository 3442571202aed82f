"""`UseCounter` in the memory of one process: it takes the engine's place while the engine is down or slow.

Each process counts for itself, so with N processes a client has up to N times the attempts. At most `buckets` of each kind are
kept; the least recently used one is dropped. Nothing survives the process.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cachetools import LRUCache

from marquee.domain.attempts import AttemptRule

MAX_BUCKETS: Final = 20_000


@dataclass
class _Attempts:
    count: int = 0
    ends_at: float = 0.0
    forgotten_at: float = 0.0


@dataclass
class _Window:
    uses: deque[float] = field(default_factory=deque)


class InProcessCounter:
    """`UseCounter` without an engine. `clock` gives seconds that only grow."""

    def __init__(self, *, buckets: int = MAX_BUCKETS, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: LRUCache[str, _Window] = LRUCache(buckets)
        self._attempts: LRUCache[str, _Attempts] = LRUCache(buckets)
        self._members: LRUCache[str, dict[str, float]] = LRUCache(buckets)

    async def count(self, bucket: str, *, limit: int, window_seconds: float) -> float:
        now = self._clock()
        window = self._windows.setdefault(bucket, _Window())
        while window.uses and window.uses[0] <= now - window_seconds:
            window.uses.popleft()
        if len(window.uses) >= limit:
            return window.uses[0] + window_seconds - now
        window.uses.append(now)
        return 0.0

    async def attempt(self, bucket: str, rule: AttemptRule) -> float:
        now = self._clock()
        known = self._attempts.get(bucket)
        if known is None or known.forgotten_at <= now:
            known = self._attempts[bucket] = _Attempts()
        if known.ends_at > now:
            return known.ends_at - now
        known.count += 1
        known.ends_at = now + rule.wait_after(known.count)
        known.forgotten_at = now + rule.forget_seconds
        return 0.0

    def wait_left(self, bucket: str) -> float:
        """Seconds that are left of the bucket's wait, without counting an attempt."""
        known = self._attempts.get(bucket)
        return max(0.0, known.ends_at - self._clock()) if known else 0.0

    def hold(self, bucket: str, seconds: float) -> None:
        """Let the bucket wait for `seconds`: another process has counted its attempts."""
        now = self._clock()
        known = self._attempts.setdefault(bucket, _Attempts(forgotten_at=now + seconds))
        known.ends_at = max(known.ends_at, now + seconds)

    async def take_back(self, bucket: str) -> None:
        known = self._attempts.get(bucket)
        if known is not None and known.count > 0:
            known.count -= 1

    async def forget(self, bucket: str) -> None:
        self._attempts.pop(bucket, None)

    async def remember(self, bucket: str, member: str, *, keep: int, seconds: float) -> None:
        now = self._clock()
        known = {**self._members.get(bucket, {}), member: now + seconds}
        lasting = sorted(known.items(), key=lambda each: each[1])[-keep:]
        self._members[bucket] = {each: ends_at for each, ends_at in lasting if ends_at > now}

    async def is_remembered(self, bucket: str, member: str) -> bool:
        return self._members.get(bucket, {}).get(member, 0.0) > self._clock()
