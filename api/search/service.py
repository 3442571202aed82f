"""Search and suggestions, through the contract of `marquee.stores.search`.

A cursor holds the index's own position and the query with its filters. With another query the cursor is refused, not
misread. Without an index every search would find nothing, so that is `StoreUnavailable`. Descriptions and lists of
people are cut, so that a page of results stays small.
"""

import time
from dataclasses import dataclass
from typing import Any, Final

from api.auth.tokens import Caller
from api.paging import Cursors, cursor_refusal
from api.search.schemas import Opened, SearchResult, SearchResults
from api.telemetry.server_events import ServerEvents
from api.telemetry.service import TelemetryService
from marquee.cdn.addresses import EdgeAddresses
from marquee.domain.device_class import DeviceClass
from marquee.domain.ids import new_search_id
from marquee.domain.roles import may
from marquee.domain.telemetry import folded_query
from marquee.errors import CursorInvalid, InputInvalid, StoreUnavailable
from marquee.events import EventKind, ViewingEvent
from marquee.settings import Settings
from marquee.stores.search.contract import SearchFilters, SearchHit, SearchIndex

SEARCH_ID: Final = "search-id"
"""Kind of the cursor that a search_id is."""
MAX_PEOPLE: Final = 10
MAX_DESCRIPTION_CHARACTERS: Final = 400


@dataclass(frozen=True)
class Asker:
    """Who searches, and with which class of device."""

    caller: Caller
    device: DeviceClass


class SearchService:
    """What `/search` does."""

    def __init__(
        self, index: SearchIndex, events: ServerEvents, telemetry: TelemetryService, settings: Settings
    ) -> None:
        self._index = index
        self._events = events
        self._telemetry = telemetry
        self._addresses = EdgeAddresses(settings)
        self._cursors = Cursors(settings.cursor_secret.get_secret_value())

    async def search(
        self,
        asker: Asker,
        query: str,
        *,
        limit: int,
        cursor: str | None,
        filters: SearchFilters,
        facets: bool,
        typing: bool,
    ) -> SearchResults:
        """At most `limit` hits, best first; with `facets` also the number of hits by genre.

        `typing`: the query may not be whole, so analytics is told of the search only once a result is opened.

        Raises `CursorInvalid`, `StoreUnavailable`.
        """
        asked = [query, list(filters.genres), filters.playable_only, filters.year_from, filters.year_to]
        position, search_id = self._position(cursor, asked)
        page = await self._index.search(query, limit=limit, position=position, filters=filters)
        if not page.hits:
            await self._check_index()
        next_position = page.next_position
        if search_id is None:
            search_id = self._new_search(asker, query, len(page.hits), typing=typing)
        return SearchResults(
            results=[self._result(hit) for hit in page.hits],
            next_cursor=self._cursors.sign("search", [next_position, asked, search_id]) if next_position else None,
            facets=await self._index.facets(query) if facets else None,
            search_id=search_id,
        )

    async def opened(self, asker: Asker, search_id: str, opened: Opened) -> None:
        """Store that a title of a search's results was opened. Durable when it returns.

        Raises `InputInvalid` for a search_id that is not of this platform, `StoreUnavailable`.
        """
        try:
            read = self._cursors.read(SEARCH_ID, search_id, tuple[str, str, int | None])
        except CursorInvalid:
            read = None
        if read is None:
            raise InputInvalid(
                "search_id is not of this platform: use that of the search's results as it is.", field="search_id"
            )
        identifier, query, untold_results = read
        event_id = f"{identifier}:{opened.movie_id}"
        events = [_event("search_opened", event_id, asker, query, movie_id=opened.movie_id, place=opened.place)]
        if untold_results is not None:
            # The same event_id for each opened title: readers count the search once.
            events.insert(0, _event("search_asked", identifier, asker, query, results=untold_results))
        await self._telemetry.publish(identifier, events)

    def _new_search(self, asker: Asker, query: str, results: int, *, typing: bool) -> str:
        """Tell of a new search, but not while the query is typed.

        Returns its search_id, which is signed: it names the query that was asked, and the results of a search not told of.
        """
        identifier, folded = new_search_id(), folded_query(query)
        if not typing:
            self._events.tell(identifier, _event("search_asked", identifier, asker, folded, results=results))
        return self._cursors.sign(SEARCH_ID, [identifier, folded, results if typing else None])

    async def suggest(self, prefix: str, *, limit: int) -> list[str]:
        """At most `limit` titles that begin like `prefix`. Raises `StoreUnavailable`."""
        found = list(await self._index.suggest(prefix, limit=limit))
        if not found:
            await self._check_index()
        return found

    async def _check_index(self) -> None:
        if not await self._index.exists():
            raise StoreUnavailable("There is no search index at the moment: try again soon.")

    def _position(self, cursor: str | None, asked: list[object]) -> tuple[str | None, str | None]:
        """(the index's position, the search_id); both None for a new search."""
        read = self._cursors.read("search", cursor, list[Any])
        if read is None:
            return None, None
        # A cursor of an earlier release has no search_id.
        position, asked_before, search_id = (*read, None)[:3] if len(read) in (2, 3) else (None, None, None)
        if not isinstance(position, str):
            raise cursor_refusal("has an older format")
        if asked_before != asked:
            raise cursor_refusal("belongs to another search")
        return position, search_id

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


def _event(
    kind: EventKind,
    event_id: str,
    asker: Asker,
    query: str,
    *,
    results: int | None = None,
    movie_id: str | None = None,
    place: int | None = None,
) -> ViewingEvent:
    now_ms = time.time_ns() // 1_000_000
    return ViewingEvent(
        event_id=event_id,
        kind=kind,
        source="server",
        at_ms=now_ms,
        received_at_ms=now_ms,
        profile_id=asker.caller.profile_id,
        movie_id=movie_id,
        is_preview=may(asker.caller.role, "manage_titles"),
        device=asker.device,
        query=query,
        results=results,
        place=place,
    )
