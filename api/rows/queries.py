"""Shared rows as PostgreSQL has them: queried behind a bulkhead a row, and through a few places shared by all rows.

With the cache gone every process asks PostgreSQL, and progress writes use the same pool: `MAX_QUERIES` is fewer than the pool's
connections, so that a page of rows never takes them all.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
from purgatory import AsyncCircuitBreakerFactory

from api.rows.bulkhead import Bulkhead
from api.rows.schemas import RowItem, SharedItem, SharedRow
from marquee.cdn.addresses import EdgeAddresses
from marquee.domain.rows import RowDefinition
from marquee.settings import Settings
from marquee.stores.catalogue.contract import HomeRows
from marquee.stores.catalogue.values import RowPosition, TitleCard

CACHED_ITEMS: Final = 50
MAX_QUERIES: Final = 6
"""Row queries of this process in PostgreSQL at once."""

_encode = msgspec.json.Encoder().encode


class RowQueries:
    def __init__(self, rows: HomeRows, breakers: AsyncCircuitBreakerFactory, settings: Settings) -> None:
        self._rows = rows
        self._breakers = breakers
        self._settings = settings
        self._addresses = EdgeAddresses(settings)
        self._places = asyncio.Semaphore(MAX_QUERIES)
        self._bulkheads: dict[str, Bulkhead] = {}

    async def beginning(self, row: RowDefinition) -> SharedRow:
        """The row's first `CACHED_ITEMS` items, as they are cached. Raises `StoreUnavailable`."""
        found = await self.page(row, limit=CACHED_ITEMS + 1, after=None)
        return SharedRow(found[:CACHED_ITEMS], more=len(found) > CACHED_ITEMS)

    async def page(self, row: RowDefinition, *, limit: int, after: RowPosition | None) -> list[SharedItem]:
        """At most `limit` items behind `after`. Raises `StoreUnavailable`."""
        found = await self._bulkhead(row).call(lambda: self._query(row, limit=limit, after=after))
        return [self._item(card, position) for card, position in found]

    async def _query(
        self, row: RowDefinition, *, limit: int, after: RowPosition | None
    ) -> Sequence[tuple[TitleCard, RowPosition]]:
        async with self._places:
            if row.genre is not None:
                return await self._rows.genre(row.genre, limit=limit, after=after)
            return await self._rows.new_releases(limit=limit, after=after)

    def _item(self, card: TitleCard, position: RowPosition) -> SharedItem:
        item = RowItem(
            movie_id=card.movie_id,
            title=card.title,
            year=card.year,
            poster_url=self._addresses.image(card.movie_id, card.poster),
            duration_seconds=card.duration_seconds,
            genres=list(card.genres),
        )
        return SharedItem(msgspec.Raw(_encode(item)), position.sort_value, position.movie_id)

    def _bulkhead(self, row: RowDefinition) -> Bulkhead:
        bulkhead = self._bulkheads.get(row.row_id)
        if bulkhead is None:
            bulkhead = self._bulkheads[row.row_id] = Bulkhead(
                row.row_id,
                self._breakers,
                concurrency=self._settings.row_concurrency,
                timeout_seconds=self._settings.row_timeout_seconds,
            )
        return bulkhead
