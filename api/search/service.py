"""Search and suggestions. A cursor belongs to its query: with another query it is refused, not misread."""

from typing import Final

from api.paging import Cursors, refusal
from api.search.schemas import SearchResult, SearchResults
from marquee.cdn.addresses import EdgeAddresses
from marquee.settings import Settings
from marquee.stores.search.contract import SearchFilters, SearchHit, SearchIndex

MAX_PEOPLE: Final = 10
MAX_DESCRIPTION_CHARACTERS: Final = 400


class SearchService:
    def __init__(self, index: SearchIndex, settings: Settings) -> None:
        self._index = index
        self._addresses = EdgeAddresses(settings)
        self._cursors = Cursors(settings.cursor_secret.get_secret_value())

    async def search(
        self, query: str, *, limit: int, cursor: str | None, filters: SearchFilters, facets: bool
    ) -> SearchResults:
        """Raises `CursorInvalid`, `StoreUnavailable`."""
        asked = [query, list(filters.genres), filters.playable_only, filters.year_from, filters.year_to]
        page = await self._index.search(query, limit=limit, position=self._position(cursor, asked), filters=filters)
        follows = page.next_position
        return SearchResults(
            results=[self._result(hit) for hit in page.hits],
            next_cursor=self._cursors.sign("search", [follows, asked]) if follows else None,
            facets=await self._index.facets(query) if facets else None,
        )

    async def suggest(self, prefix: str, *, limit: int) -> list[str]:
        return list(await self._index.suggest(prefix, limit=limit))

    def _position(self, cursor: str | None, asked: list[object]) -> str | None:
        read = self._cursors.read("search", cursor, tuple[str, list[object]])
        if read is None:
            return None
        position, asked_before = read
        if asked_before != asked:
            raise refusal("belongs to another search")
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
