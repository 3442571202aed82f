"""The row cache and its locks as the API uses them: each behind a bulkhead of its own, rows as typed values.

Keys, lifetimes and what purges a row: `marquee.stores.row_cache.keys`. A fill is refused by the cache where the row was purged
since its `generation` was read, so a row that was queried before a change is never cached after it.
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

MAX_LOOKS: Final = 24
LOOK_SECONDS: Final = 0.3
LOCK_SECONDS: Final = 0.6

log = get_logger()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SharedRow).decode


class Found(NamedTuple):
    """A cached row that is decoded only by a caller that serves it: a stale one mostly is not."""

    cached: CachedRow

    @property
    def fresh(self) -> bool:
        return self.cached.fresh

    @property
    def row(self) -> SharedRow:
        return _decode(self.cached.body)


class CachedRows:
    def __init__(self, cache: RowCache, coordination: Coordination, breakers: AsyncCircuitBreakerFactory) -> None:
        self._cache = cache
        self._coordination = coordination
        self._looks = Bulkhead("the row cache", breakers, concurrency=MAX_LOOKS, timeout_seconds=LOOK_SECONDS)
        self._locks = Bulkhead("the locks", breakers, concurrency=MAX_LOOKS, timeout_seconds=LOCK_SECONDS)

    async def get(self, row_id: str) -> Found | None:
        """The cached row, fresh or stale. Raises `StoreUnavailable`."""
        cached = await self._looks.call(lambda: self._cache.get(row_key(row_id)))
        return Found(cached) if cached is not None else None

    async def generation(self, row_id: str) -> int:
        """Read it before the query whose result is to be cached. Raises `StoreUnavailable`."""
        return await self._looks.call(lambda: self._cache.generation(row_key(row_id)))

    async def fill(self, row_id: str, row: SharedRow, *, generation: int, fresh_seconds: float) -> None:
        """Cache a row unless it was purged since `generation`. A cache that is down is logged: the row is served anyway."""
        try:
            await self._looks.call(
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
        """Drop rows. A cache that is down is logged: what it holds goes stale by itself."""
        try:
            await self._cache.purge([row_key(row_id) for row_id in row_ids])
        except StoreUnavailable as error:
            log.warning("rows were not purged", rows=row_ids, reason=error.detail)

    async def lock(self, row_id: str) -> Lock | None:
        """The right to fill a row, for HOLD_SECONDS; None while another has it. Raises `StoreUnavailable`."""
        return await self._locks.call(lambda: self._coordination.acquire(fill_lock(row_id), hold_seconds=HOLD_SECONDS))

    async def release(self, lock: Lock) -> None:
        """A lock that cannot be released is logged: it ends by itself."""
        try:
            await self._coordination.release(lock)
        except StoreUnavailable as error:
            log.warning("a fill's lock ends by itself", lock=lock.name, reason=error.detail)
