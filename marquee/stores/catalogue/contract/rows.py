"""What home rows show: cards of playable titles, page by page."""

from collections.abc import Sequence
from typing import Protocol

from marquee.stores.catalogue.values import RowPosition, TitleCard


class HomeRows(Protocol):
    """A page is the items behind `after`, each with its own position; an empty page is the end."""

    async def genre(
        self, genre: str, *, limit: int, after: RowPosition | None
    ) -> Sequence[tuple[TitleCard, RowPosition]]:
        """Playable titles of a genre (compared without case), most popular first (`log1p(votes)`), then newest id."""
        ...

    async def new_releases(self, *, limit: int, after: RowPosition | None) -> Sequence[tuple[TitleCard, RowPosition]]:
        """Playable titles, newest first. The sort value is the time of publication, in seconds."""
        ...

    async def cards(self, movie_ids: Sequence[str]) -> Sequence[TitleCard]:
        """Cards of those of these titles that are playable, in the order given."""
        ...
