"""Shared rows: the beginning of a row, the same bytes for all viewers, with one query however many callers miss.

A read tries in order: this process's copy, the cache, the lock, **the cache again**, one query. The fill is refused if
the row was purged after the query began. Callers in one process share one cache read and one fill (`single_flight`).
Between processes the lock decides; a process without the lock waits for the filled row. A caller whose time-out ends is
served a stale row while the fill goes on. With the cache down, each process serves what it queried within
`row_ttl_seconds`. With the locks down, each process fills for itself.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from cachetools import TTLCache
from purgatory import AsyncCircuitBreakerFactory

from api.rows.cached_rows import CachedRows, Found
from api.rows.local_copies import MAX_ROWS, READ_COPY_SECONDS, LocalCopies
from api.rows.queries import RowQueries
from api.rows.schemas import SharedItem, SharedRow
from api.rows.single_flight import SingleFlight
from marquee.domain.rows import RowDefinition
from marquee.errors import StoreUnavailable
from marquee.logs import get_logger
from marquee.settings import Settings
from marquee.stores.analytics.findings.contract import Findings
from marquee.stores.catalogue.contract import HomeRows
from marquee.stores.catalogue.values import RowPosition
from marquee.stores.coordination.contract import Coordination
from marquee.stores.row_cache.contract import RowCache
from marquee.stores.row_cache.keys import HOLD_SECONDS

EMPTY_ROW_SECONDS: Final = 2.0
"""How long an empty row stays fresh.

It is short: on a new platform the row soon gets titles, and its query costs least.
"""
MIN_POLL_SECONDS: Final = 0.01
MAX_POLL_SECONDS: Final = 0.1
"""Pauses between cache reads while another process fills the row. They double from the first bound to the second."""

log = get_logger()


class SharedRows:
    """Reads and purges shared rows."""

    def __init__(
        self,
        rows: HomeRows,
        findings: Findings,
        cache: RowCache,
        coordination: Coordination,
        breakers: AsyncCircuitBreakerFactory,
        settings: Settings,
    ) -> None:
        self._queries = RowQueries(rows, findings, breakers, settings)
        self._cache = CachedRows(cache, coordination, breakers)
        self._copies = LocalCopies()
        self._cache_reads: SingleFlight[Found | None] = SingleFlight("cache read of the row")
        self._fills: SingleFlight[SharedRow] = SingleFlight("fill of the row")
        self._generation_reads: SingleFlight[int] = SingleFlight("generation of the row")
        self._generations: TTLCache[str, int] = TTLCache(MAX_ROWS, READ_COPY_SECONDS)
        self._ttl_seconds = float(settings.row_ttl_seconds)
        self._timeout_seconds = settings.row_timeout_seconds

    async def beginning(self, row: RowDefinition) -> SharedRow:
        """The row's first `CACHED_ITEMS` items.

        Raises `StoreUnavailable` if the row cannot be read and no stale copy exists.
        """
        if (copy := self._copies.just_read(row.row_id)) is not None:
            return copy
        purges = self._copies.purges_so_far(row.row_id)
        try:
            found = await self._cache_reads.join(row.row_id, lambda: self._cache.get(row.row_id))
        except StoreUnavailable:
            return await self._without_cache(row)
        if found is not None and found.fresh:
            shared = found.row
            self._copies.keep_read(row.row_id, shared, purges=purges)
            return shared
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._fills.join(row.row_id, lambda: self._logged(row, self._fill))
        except (StoreUnavailable, TimeoutError) as error:
            return self._stale(row, found, error)

    def just_read(self, row: RowDefinition) -> SharedRow | None:
        """`beginning`, where this process read the row from the cache a moment ago: nothing has to be waited for."""
        return self._copies.just_read(row.row_id)

    async def page(self, row: RowDefinition, *, limit: int, after: RowPosition | None) -> list[SharedItem]:
        """At most `limit` items after `after`, from the catalogue. Raises `StoreUnavailable`."""
        return await self._queries.page(row, limit=limit, after=after)

    async def generation(self, family: str) -> int:
        """The generation of a family of rows, which stands in their ids: it changes with each purge of the family.

        A purge by another process is seen `READ_COPY_SECONDS` later. With the cache down it is this process's own.
        """
        if (known := self._generations.get(family)) is not None:
            return known
        purges = self._copies.purges_so_far(family)
        try:
            found = await self._generation_reads.join(family, lambda: self._cache.generation(family))
        except StoreUnavailable:
            return -purges
        if self._copies.purges_so_far(family) == purges:
            self._generations[family] = found
        return found

    async def purge(self, row_ids: Sequence[str]) -> None:
        """Drop rows after a change, in this process and in the cache.

        If the cache is down, this is logged and nothing is raised.
        """
        for row_id in row_ids:
            self._copies.drop(row_id)
            # Later callers must not join a cache read or a fill that began before the change.
            self._cache_reads.forget(row_id)
            self._fills.forget(row_id)
            self._generation_reads.forget(row_id)
            self._generations.pop(row_id, None)
        await self._cache.purge(list(row_ids))

    async def _logged(self, row: RowDefinition, work: Callable[[RowDefinition], Awaitable[SharedRow]]) -> SharedRow:
        """Logs a failed fill once, however many callers wait for it or have given up."""
        try:
            return await work(row)
        except Exception as error:
            log.warning("a row could not be filled", row=row.row_id, reason=str(error) or type(error).__name__)
            raise

    async def _fill(self, row: RowDefinition) -> SharedRow:
        deadline = time.monotonic() + HOLD_SECONDS
        wait_seconds = MIN_POLL_SECONDS
        while True:
            try:
                lock = await self._cache.lock(row.row_id)
            except StoreUnavailable:
                return await self._query_and_fill(row)
            try:
                try:
                    again = await self._cache.get(row.row_id)
                except StoreUnavailable:
                    # The cache went down after the first read. No process can fill it, so this one serves itself.
                    return await self._query(row)
                if again is not None and again.fresh:
                    return again.row
                if lock is not None:
                    return await self._query_and_fill(row)
            finally:
                if lock is not None:
                    await self._cache.release(lock)
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"Another process has not filled the row {row.row_id} within {HOLD_SECONDS} s: try again soon."
                )
            # Another process fills the row: read again after a pause that grows. A dead process's lock expires.
            await asyncio.sleep(wait_seconds * random.uniform(0.5, 1.5))  # noqa: S311
            wait_seconds = min(MAX_POLL_SECONDS, 2 * wait_seconds)

    async def _query_and_fill(self, row: RowDefinition) -> SharedRow:
        try:
            generation = await self._cache.generation(row.row_id)
        except StoreUnavailable:
            return await self._query(row)
        shared = await self._query(row)
        fresh_seconds = self._ttl_seconds if shared.items else min(self._ttl_seconds, EMPTY_ROW_SECONDS)
        await self._cache.fill(row.row_id, shared, generation=generation, fresh_seconds=fresh_seconds)
        return shared

    async def _query(self, row: RowDefinition) -> SharedRow:
        purges = self._copies.purges_so_far(row.row_id)
        shared = await self._queries.beginning(row)
        self._copies.keep_queried(row.row_id, shared, purges=purges)
        return shared

    async def _without_cache(self, row: RowDefinition) -> SharedRow:
        if (copy := self._copies.queried_within(row.row_id, self._ttl_seconds)) is not None:
            return copy
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._fills.join(row.row_id, lambda: self._logged(row, self._query))
        except (StoreUnavailable, TimeoutError) as error:
            return self._stale(row, None, error)

    def _stale(self, row: RowDefinition, found: Found | None, error: Exception) -> SharedRow:
        """The stand-in for a row that could not be read: the cache's stale row, else this process's last copy."""
        if found is not None:
            return found.row
        if (copy := self._copies.last(row.row_id)) is not None:
            return copy
        if isinstance(error, StoreUnavailable):
            raise error
        raise StoreUnavailable(
            f"The row {row.row_id} was not read within {self._timeout_seconds} s: try again soon."
        ) from error
