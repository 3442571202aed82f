"""A row for one test, and a catalogue whose row queries can be counted, delayed or made to fail."""

import asyncio
import secrets
from collections.abc import Sequence

from marquee.domain.rows import RowDefinition
from marquee.errors import StoreUnavailable
from marquee.stores.catalogue.contract import HomeRows
from marquee.stores.catalogue.values import RowPosition, TitleCard


class WatchedRows:
    """The real catalogue's rows. Their queries are counted, and delayed or failed as a test asks."""

    def __init__(self, rows: HomeRows) -> None:
        self._rows = rows
        self.queries = 0
        self.failing = False
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.asked = asyncio.Event()

    async def new_releases(self, *, limit: int, after: RowPosition | None) -> Sequence[tuple[TitleCard, RowPosition]]:
        return await self._rows.new_releases(limit=limit, after=after)

    async def cards(self, movie_ids: Sequence[str]) -> Sequence[TitleCard]:
        return await self._rows.cards(movie_ids)

    async def genre(
        self, genre: str, *, limit: int, after: RowPosition | None
    ) -> Sequence[tuple[TitleCard, RowPosition]]:
        self.queries += 1
        self.asked.set()
        if self.failing:
            raise StoreUnavailable("PostgreSQL is away.")
        found = await self._rows.genre(genre, limit=limit, after=after)
        await self.go_on.wait()
        return found


def own_row() -> RowDefinition:
    """A genre row that no other test fills."""
    genre = f"Genre {secrets.token_hex(4)}"
    return RowDefinition(f"genre-{genre.lower().replace(' ', '-')}", genre, "genre", genre)
