"""Search and suggestions, through the contract of `marquee.stores.search`.

A cursor holds the index's own position and the query with its filters. With another query the cursor is refused, not
misread. Without an index every search would find nothing, so that is `StoreUnavailable`. Descriptions and lists of
people are cut, so that a page of results stays small.
"""

from typing import Final

from api.paging import Cursors, cursor_refusal
from api.search.schemas import SearchResult, SearchResults
from marquee.cdn.addresses import EdgeAddresses
from marquee.errors import StoreUnavailable
from marquee.settings import Settings
from marquee.stores.search.contract import SearchFilters, SearchHit, SearchIndex

MAX_PEOPLE: Final = 10
MAX_DESCRIPTION_CHARACTERS: Final = 400


class SearchService:
    """What `/search` does."""

    def __init__(self, index: SearchIndex, settings: Settings) -> None:
        self._index = index
        self._addresses = EdgeAddresses(settings)
        self._cursors = Cursors(settings.cursor_secret.get_secret_value())

    async def search(
        self, query: str, *, limit: int, cursor: str | None, filters: SearchFilters, facets: bool
    ) -> SearchResults:
        """At most `limit` hits, best first; with `facets` also the number of hits by genre.

        Raises `CursorInvalid`, `StoreUnavailable`.
        """
        asked = [query, list(filters.genres), filters.playable_only, filters.year_from, filters.year_to]
        page = await self._index.search(query, limit=limit, position=self._position(cursor, asked), filters=filters)
        if not page.hits:
            await self._check_index()
        next_position = page.next_position
        return SearchResults(
            results=[self._result(hit) for hit in page.hits],
            next_cursor=self._cursors.sign("search", [next_position, asked]) if next_position else None,
            facets=await self._index.facets(query) if facets else None,
        )

    async def suggest(self, prefix: str, *, limit: int) -> list[str]:
        """At most `limit` titles that begin like `prefix`. Raises `StoreUnavailable`."""
        found = list(await self._index.suggest(prefix, limit=limit))
        if not found:
            await self._check_index()
        return found

    async def _check_index(self) -> None:
        if not await self._index.exists():
            raise StoreUnavailable("There is no search index at the moment: try again soon.")

    def _position(self, cursor: str | None, asked: list[object]) -> str | None:
        read = self._cursors.read("search", cursor, tuple[str, list[object]])
        if read is None:
            return None
        position, asked_before = read
        if asked_before != asked:
            raise cursor_refusal("belongs to another search")
        return position

    def _result(self, hit: SearchHit) -> SearchResult:
        found = hit.document
        return SearchResult(
            movie_id=found.movie_id,
            title=found.title,
            year=found.year,
            playable=found.playable,
            poster_url=self._addresses.image(found.movie_id, found.poster),
            duration_seconds=found.duration_seconds,
            genres=found.genres,
            people=found.people[:MAX_PEOPLE],
            description=found.description[:MAX_DESCRIPTION_CHARACTERS] if found.description else None,
            score=hit.score,
        )
