"""A row that is a test's own, and the catalogue's answers about it counted, held up or failing."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

from marquee.domain.rows import RowDefinition
from marquee.errors import StoreUnavailable
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import RowPosition, TitleCard


class Watched:
    """The real catalogue, its row queries counted, held up or failing as a test asks."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.queries = 0
        self.failing = False
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.asked = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalogue, name)

    async def genre_row(
        self, genre: str, *, limit: int, after: RowPosition | None
    ) -> Sequence[tuple[TitleCard, RowPosition]]:
        self.queries += 1
        self.asked.set()
        if self.failing:
            raise StoreUnavailable("PostgreSQL is away.")
        found = await self._catalogue.genre_row(genre, limit=limit, after=after)
        await self.go_on.wait()
        return found


def own_row() -> RowDefinition:
    """A genre row that no other test fills."""
    genre = f"Genre {secrets.token_hex(4)}"
    return RowDefinition(f"genre-{genre.lower().replace(' ', '-')}", genre, "genre", genre)
