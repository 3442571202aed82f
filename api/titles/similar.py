"""More like this: titles similar to one title, the same for all viewers.

The lists are cached as shared rows are. Each is a row of its own, whose id has the generation of the whole family: a change
of any title, or a newer batch, purges all lists at once, so that a title that was taken out is in none of them.
"""

from typing import cast

from api.rows.schemas import RowItem
from api.rows.shared import SharedRows
from api.titles.schemas import SimilarOut
from marquee.stores.row_cache.keys import SIMILAR_FAMILY, similar_row


class SimilarTitles:
    """What `/titles/{movie_id}/similar` does."""

    def __init__(self, shared: SharedRows) -> None:
        self._shared = shared

    async def of(self, movie_id: str, *, limit: int) -> SimilarOut:
        """At most `limit` titles, the most similar first. Raises `StoreUnavailable`."""
        generation = await self._shared.generation(SIMILAR_FAMILY)
        found = await self._shared.beginning(similar_row(movie_id, generation))
        # The items are raw bytes: msgspec copies them into the response unchanged.
        return SimilarOut(items=cast("list[RowItem]", [one.body for one in found.items[:limit]]))
