"""Shared rows: the beginning of a row, the same bytes for everybody, from the cache; one query however many callers miss.

Cache, else lock, check again, else one query, fill under the generation read before the query. Inside a process the readers
of a row share one look and one fill; between processes the lock decides, and who does not get it waits for the filled row.
A caller whose time is up is served stale, the fill goes on. With the cache gone every process holds the rows of the last
`row_ttl_seconds` itself and asks PostgreSQL through a few shared places, so that losing the cache does not take PostgreSQL
along; with the locks gone each process fills for itself.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from purgatory import AsyncCircuitBreakerFactory

from api.images import image_url
from api.rows.bulkhead import Bulkhead
from api.rows.schemas import RowItem, SharedItem, SharedRow
from marquee.domain.rows import RowDefinition
from marquee.errors import StoreUnavailable
from marquee.logs import get_logger
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import RowPosition, TitleCard
from marquee.stores.coordination.contract import Coordination, Lock
from marquee.stores.row_cache.contract import CachedRow, RowCache
from marquee.stores.row_cache.keys import HOLD_SECONDS, KEEP_SECONDS, fill_lock, row_key

CACHED_ITEMS: Final = 50
QUERIES_AT_ONCE: Final = 6
"""Row queries of this process that may be in PostgreSQL at once: fewer than its pool, which progress writes share."""
HELD_SECONDS: Final = 0.5
"""How long a process serves a row that it just read from the cache without reading it again: a home page is 21 rows, and
another process's purge may be seen this much later."""
EMPTY_SECONDS: Final = 2.0
LOOKS_AT_ONCE: Final = 24
LOOK_SECONDS: Final = 0.3
LOCK_SECONDS: Final = 0.6
FIRST_LOOK_SECONDS: Final = 0.01
LAST_LOOK_SECONDS: Final = 0.1

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SharedRow).decode


class SharedRows:
    def __init__(
        self,
        catalogue: Catalogue,
        cache: RowCache,
        coordination: Coordination,
        breakers: AsyncCircuitBreakerFactory,
        settings: Settings,
    ) -> None:
        self._catalogue = catalogue
        self._cache = cache
        self._coordination = coordination
        self._edges = settings.edges
        self._ttl_seconds = float(settings.row_ttl_seconds)
        self._timeout_seconds = settings.row_timeout_seconds
        self._looking: dict[str, asyncio.Task[CachedRow | None]] = {}
        self._fills: dict[str, asyncio.Task[SharedRow]] = {}
        self._purges: Counter[str] = Counter()
        self._held: dict[str, tuple[float, SharedRow]] = {}
        self._last: dict[str, tuple[float, SharedRow]] = {}
        self._looks = Bulkhead("the row cache", breakers, concurrency=LOOKS_AT_ONCE, timeout_seconds=LOOK_SECONDS)
        self._locks = Bulkhead("the locks", breakers, concurrency=LOOKS_AT_ONCE, timeout_seconds=LOCK_SECONDS)
        self._queries = asyncio.Semaphore(QUERIES_AT_ONCE)
        self._concurrency = settings.row_concurrency
        self._breakers = breakers
        self._bulkheads: dict[str, Bulkhead] = {}

    async def beginning(self, row: RowDefinition) -> SharedRow:
        """The row's first `CACHED_ITEMS` items. Raises `StoreUnavailable` where not even a stale row is to be had."""
        at, held = self._held.get(row.row_id, (0.0, None))
        if held is not None and time.monotonic() - at < HELD_SECONDS:
            return held
        purges = self._purges[row.row_id]
        try:
            cached = await asyncio.shield(self._shared_look(row))
        except StoreUnavailable:
            return await self._without_cache(row)
        if cached is not None and cached.fresh:
            found = _decode(cached.body)
            if self._purges[row.row_id] == purges:
                self._held[row.row_id] = (time.monotonic(), found)
            return found
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await asyncio.shield(self._filling(row))
        except (StoreUnavailable, TimeoutError) as error:
            return self._stale(row, cached, error)

    async def page(
        self, row: RowDefinition, *, limit: int, after: RowPosition | None
    ) -> Sequence[tuple[TitleCard, RowPosition]]:
        """A page behind the beginning, from the catalogue, behind the row's bulkhead."""
        return await self._bulkhead(row).call(lambda: self._query(row, limit=limit, after=after))

    async def purge(self, row_ids: Sequence[str]) -> None:
        """Drop rows after a change; a cache that is down is not waited for: what it holds goes stale by itself."""
        for row_id in row_ids:
            self._purges[row_id] += 1
            self._held.pop(row_id, None)
            self._last.pop(row_id, None)
            # Whoever comes from now on must not join a look or a fill that read before the change.
            self._looking.pop(row_id, None)
            self._fills.pop(row_id, None)
        try:
            await self._cache.purge([row_key(row_id) for row_id in row_ids])
        except StoreUnavailable as error:
            get_logger().warning("rows were not purged", rows=list(row_ids), reason=error.detail)

    # --- cache, lock, check again, query, fill ---------------------------------------------------------------

    async def _look(self, row: RowDefinition) -> CachedRow | None:
        return await self._looks.call(lambda: self._cache.get(row_key(row.row_id)))

    def _shared_look(self, row: RowDefinition) -> asyncio.Task[CachedRow | None]:
        """One read of the cache for all callers of this moment: a burst costs one connection, not hundreds."""
        task = self._looking.get(row.row_id)
        if task is None:
            task = self._looking[row.row_id] = asyncio.create_task(self._look(row), name=f"look {row.row_id}")
            task.add_done_callback(lambda done: self._looked(row.row_id, done))
        return task

    def _looked(self, row_id: str, task: asyncio.Task[CachedRow | None]) -> None:
        if self._looking.get(row_id) is task:
            del self._looking[row_id]
        if not task.cancelled():
            task.exception()  # Its callers have it; without this, none would mean a warning at exit.

    def _filling(self, row: RowDefinition) -> asyncio.Task[SharedRow]:
        return self._shared_task(row, self._fill)

    def _shared_task(
        self, row: RowDefinition, work: Callable[[RowDefinition], Awaitable[SharedRow]]
    ) -> asyncio.Task[SharedRow]:
        task = self._fills.get(row.row_id)
        if task is None:

            async def run() -> SharedRow:
                return await work(row)

            task = asyncio.create_task(run(), name=f"fill {row.row_id}")
            self._fills[row.row_id] = task
            task.add_done_callback(lambda done: self._filled(row.row_id, done))
        return task

    def _filled(self, row_id: str, task: asyncio.Task[SharedRow]) -> None:
        if self._fills.get(row_id) is task:
            del self._fills[row_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            get_logger().warning("a row could not be filled", row=row_id, reason=str(error) or type(error).__name__)

    async def _fill(self, row: RowDefinition) -> SharedRow:
        deadline = time.monotonic() + HOLD_SECONDS
        wait_seconds = FIRST_LOOK_SECONDS
        while True:
            lock: Lock | None = None
            try:
                lock = await self._locks.call(
                    lambda: self._coordination.acquire(fill_lock(row.row_id), hold_seconds=HOLD_SECONDS)
                )
            except StoreUnavailable:
                return await self._query_and_fill(row)
            try:
                try:
                    again = await self._look(row)
                except StoreUnavailable:
                    # Lost since the first look: nobody can fill it now, this process serves itself.
                    return await self._first_items(row)
                if again is not None and again.fresh:
                    return _decode(again.body)
                if lock is not None:
                    return await self._query_and_fill(row)
            finally:
                if lock is not None:
                    await self._let_go(lock)
            if time.monotonic() > deadline:
                raise StoreUnavailable(f"Another process fills the row {row.row_id} and does not finish.")
            # Another process fills: look again soon, ever less often. Its lock ends by itself if it is dead.
            await asyncio.sleep(wait_seconds * random.uniform(0.5, 1.5))  # noqa: S311
            wait_seconds = min(LAST_LOOK_SECONDS, 2 * wait_seconds)

    async def _query_and_fill(self, row: RowDefinition) -> SharedRow:
        try:
            generation = await self._looks.call(lambda: self._cache.generation(row_key(row.row_id)))
        except StoreUnavailable:
            return await self._first_items(row)
        found = await self._first_items(row)
        body = _encode(found)
        try:
            await self._looks.call(
                lambda: self._cache.fill(
                    row_key(row.row_id),
                    body,
                    generation=generation,
                    # An empty row is about to change on a young platform, and costs least to ask for again.
                    fresh_seconds=self._ttl_seconds if found.items else min(self._ttl_seconds, EMPTY_SECONDS),
                    keep_seconds=KEEP_SECONDS,
                )
            )
        except StoreUnavailable as error:
            get_logger().warning("a row was not cached", row=row.row_id, reason=error.detail)
        return found

    async def _first_items(self, row: RowDefinition) -> SharedRow:
        purges = self._purges[row.row_id]
        found = await self._bulkhead(row).call(lambda: self._query(row, limit=CACHED_ITEMS + 1, after=None))
        items = [self.shared_item(card, position) for card, position in found[:CACHED_ITEMS]]
        shared = SharedRow(items, more=len(found) > CACHED_ITEMS)
        if self._purges[row.row_id] == purges:
            self._last[row.row_id] = (time.monotonic(), shared)
        return shared

    async def _query(
        self, row: RowDefinition, *, limit: int, after: RowPosition | None
    ) -> Sequence[tuple[TitleCard, RowPosition]]:
        async with self._queries:
            if row.genre is not None:
                return await self._catalogue.genre_row(row.genre, limit=limit, after=after)
            return await self._catalogue.new_releases(limit=limit, after=after)

    async def _let_go(self, lock: Lock) -> None:
        try:
            await self._coordination.release(lock)
        except StoreUnavailable as error:
            get_logger().warning("a fill's lock ends by itself", lock=lock.name, reason=error.detail)

    # --- when something is down --------------------------------------------------------------------------------

    async def _without_cache(self, row: RowDefinition) -> SharedRow:
        at, last = self._last.get(row.row_id, (0.0, None))
        if last is not None and time.monotonic() - at < self._ttl_seconds:
            return last
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await asyncio.shield(self._shared_task(row, self._first_items))
        except (StoreUnavailable, TimeoutError) as error:
            return self._stale(row, None, error)

    def _stale(self, row: RowDefinition, cached: CachedRow | None, error: Exception) -> SharedRow:
        if cached is not None:
            return _decode(cached.body)
        at, last = self._last.get(row.row_id, (0.0, None))
        if last is not None and time.monotonic() - at < KEEP_SECONDS:
            return last
        if isinstance(error, StoreUnavailable):
            raise error
        raise StoreUnavailable(f"The row {row.row_id} could not be had within {self._timeout_seconds} s.") from error

    def _bulkhead(self, row: RowDefinition) -> Bulkhead:
        bulkhead = self._bulkheads.get(row.row_id)
        if bulkhead is None:
            bulkhead = self._bulkheads[row.row_id] = Bulkhead(
                row.row_id, self._breakers, concurrency=self._concurrency, timeout_seconds=self._timeout_seconds
            )
        return bulkhead

    def shared_item(self, card: TitleCard, position: RowPosition) -> SharedItem:
        item = RowItem(
            movie_id=card.movie_id,
            title=card.title,
            year=card.year,
            poster_url=image_url(card.poster, card.movie_id, self._edges),
            duration_seconds=card.duration_seconds,
            genres=list(card.genres),
        )
        return SharedItem(msgspec.Raw(_encode(item)), position.sort_value, position.movie_id)
