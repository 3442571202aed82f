"""The row cache and the fill locks as the API uses them: each behind its own bulkhead, with typed rows.

Keys, lifetimes and what purges a row: `marquee.stores.row_cache.keys`. The cache refuses a fill if the row was purged
after the fill's `generation` was read. So a row that was queried before a change is never cached after it.
"""

from typing import Final, NamedTuple

import msgspec
from purgatory import AsyncCircuitBreakerFactory

from api.rows.bulkhead import Bulkhead
from api.rows.schemas import SharedRow
from marquee.errors import StoreUnavailable
from marquee.logs import get_logger
from marquee.stores.coordination.contract import Coordination, Lock
from marquee.stores.row_cache.contract import CachedRow, RowCache
from marquee.stores.row_cache.keys import HOLD_SECONDS, KEEP_SECONDS, fill_lock, row_key

MAX_CONCURRENT_CALLS: Final = 24
CACHE_TIMEOUT_SECONDS: Final = 0.3
LOCK_TIMEOUT_SECONDS: Final = 0.6

log = get_logger()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SharedRow).decode


class Found(NamedTuple):
    """A row from the cache. Its body is decoded only when `row` is read: most stale rows are never served."""

    cached: CachedRow

    @property
    def fresh(self) -> bool:
        return self.cached.fresh

    @property
    def row(self) -> SharedRow:
        return _decode(self.cached.body)


class CachedRows:
    """The row cache and the locks of its fills."""

    def __init__(self, cache: RowCache, coordination: Coordination, breakers: AsyncCircuitBreakerFactory) -> None:
        self._cache = cache
        self._coordination = coordination
        self._cache_calls = Bulkhead(
            "the row cache", breakers, concurrency=MAX_CONCURRENT_CALLS, timeout_seconds=CACHE_TIMEOUT_SECONDS
        )
        self._lock_calls = Bulkhead(
            "the locks", breakers, concurrency=MAX_CONCURRENT_CALLS, timeout_seconds=LOCK_TIMEOUT_SECONDS
        )

    async def get(self, row_id: str) -> Found | None:
        """The cached row, fresh or stale. Raises `StoreUnavailable`."""
        cached = await self._cache_calls.call(lambda: self._cache.get(row_key(row_id)))
        return Found(cached) if cached is not None else None

    async def generation(self, row_id: str) -> int:
        """The row's purge count. Read it before the query whose result is to be cached. Raises `StoreUnavailable`."""
        return await self._cache_calls.call(lambda: self._cache.generation(row_key(row_id)))

    async def fill(self, row_id: str, row: SharedRow, *, generation: int, fresh_seconds: float) -> None:
        """Cache a row for `fresh_seconds`, unless it was purged after `generation` was read.

        If the cache is down, this is logged and nothing is raised: the row is served anyway.
        """
        try:
            await self._cache_calls.call(
                lambda: self._cache.fill(
                    row_key(row_id),
                    _encode(row),
                    generation=generation,
                    fresh_seconds=fresh_seconds,
                    keep_seconds=KEEP_SECONDS,
                )
            )
        except StoreUnavailable as error:
            log.warning("a row was not cached", row=row_id, reason=error.detail)

    async def purge(self, row_ids: list[str]) -> None:
        """Drop rows. If the cache is down, this is logged and nothing is raised: its rows go stale by themselves."""
        try:
            await self._cache.purge([row_key(row_id) for row_id in row_ids])
        except StoreUnavailable as error:
            log.warning("rows were not purged", rows=row_ids, reason=error.detail)

    async def lock(self, row_id: str) -> Lock | None:
        """The right to fill a row, for HOLD_SECONDS. None while another process has it. Raises `StoreUnavailable`."""
        return await self._lock_calls.call(
            lambda: self._coordination.acquire(fill_lock(row_id), hold_seconds=HOLD_SECONDS)
        )

    async def release(self, lock: Lock) -> None:
        """Give the right back.

        If the locks are down, this is logged and nothing is raised: the lock expires by itself.
        """
        try:
            await self._coordination.release(lock)
        except StoreUnavailable as error:
            log.warning("a fill's lock was not released and will expire", lock=lock.name, reason=error.detail)
