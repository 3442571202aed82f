"""Queries of shared rows in PostgreSQL: behind one bulkhead a row, and at most `MAX_QUERIES` of all rows at once.

All lists of similar titles share one bulkhead.
Progress writes use the same connection pool. With the cache down every process queries every row, so `MAX_QUERIES` is
below the pool's size: a home page can never take all connections.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
from purgatory import AsyncCircuitBreakerFactory

from api.pictures import backdrop_out
from api.rows.bulkhead import Bulkhead
from api.rows.schemas import RowItem, SharedItem, SharedRow
from marquee.cdn.addresses import EdgeAddresses
from marquee.domain.rows import RowDefinition
from marquee.settings import Settings
from marquee.stores.analytics.findings.contract import Findings
from marquee.stores.catalogue.contract import HomeRows
from marquee.stores.catalogue.values import RowPosition, TitleCard
from marquee.stores.row_cache.keys import SIMILAR_FAMILY

CACHED_ITEMS: Final = 50
"""Items of a row's beginning, which is what the cache holds."""
MAX_QUERIES: Final = 6
"""Row queries that one process has in PostgreSQL at once."""

_encode = msgspec.json.Encoder().encode


class RowQueries:
    """Reads rows from the catalogue, each item already encoded for the response."""

    def __init__(
        self, rows: HomeRows, findings: Findings, breakers: AsyncCircuitBreakerFactory, settings: Settings
    ) -> None:
        self._rows = rows
        self._findings = findings
        self._breakers = breakers
        self._settings = settings
        self._addresses = EdgeAddresses(settings)
        self._places = asyncio.Semaphore(MAX_QUERIES)
        self._bulkheads: dict[str, Bulkhead] = {}

    async def beginning(self, row: RowDefinition) -> SharedRow:
        """The row's first `CACHED_ITEMS` items, in the form that the cache stores. Raises `StoreUnavailable`."""
        found = await self.page(row, limit=CACHED_ITEMS + 1, after=None)
        return SharedRow(found[:CACHED_ITEMS], more=len(found) > CACHED_ITEMS)

    async def page(self, row: RowDefinition, *, limit: int, after: RowPosition | None) -> list[SharedItem]:
        """At most `limit` items after the position `after`. Raises `StoreUnavailable`."""
        found = await self._bulkhead(row).call(lambda: self._query(row, limit=limit, after=after))
        return [
            self._item(card, position, first=after is None and index == 0)
            for index, (card, position) in enumerate(found)
        ]

    async def _query(
        self, row: RowDefinition, *, limit: int, after: RowPosition | None
    ) -> Sequence[tuple[TitleCard, RowPosition]]:
        async with self._places:
            if row.kind == "trending":
                return await self._findings.trending(limit=limit, after=after)
            if row.kind == "similar" and row.movie_id is not None:
                return await self._findings.similar(row.movie_id, limit=limit)
            if row.genre is not None:
                return await self._rows.genre(row.genre, limit=limit, after=after)
            return await self._rows.new_releases(limit=limit, after=after)

    def _item(self, card: TitleCard, position: RowPosition, *, first: bool) -> SharedItem:
        item = RowItem(
            movie_id=card.movie_id,
            title=card.title,
            year=card.year,
            poster_url=self._addresses.image(card.movie_id, card.poster),
            duration_seconds=card.duration_seconds,
            genres=list(card.genres),
            backdrop=backdrop_out(self._addresses, card.movie_id, card.backdrop) if first else [],
        )
        return SharedItem(msgspec.Raw(_encode(item)), position.sort_value, position.movie_id)

    def _bulkhead(self, row: RowDefinition) -> Bulkhead:
        name = SIMILAR_FAMILY if row.kind == "similar" else row.row_id
        bulkhead = self._bulkheads.get(name)
        if bulkhead is None:
            bulkhead = self._bulkheads[name] = Bulkhead(
                name,
                self._breakers,
                concurrency=self._settings.row_concurrency,
                timeout_seconds=self._settings.row_timeout_seconds,
            )
        return bulkhead
