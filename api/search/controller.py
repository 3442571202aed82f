"""`/search`, `/search/suggest`, and which of a search's results was opened.

Both read the search index through `service`. Announced titles are found too; `playable=true` leaves them out.
"""

from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter

from api.auth.tokens import Caller
from api.guards import BEARER
from api.problems import documented
from api.requests import ApiRequest
from api.search.schemas import Opened, SearchResults, Suggestions
from api.search.service import Asker, SearchService
from api.wire import ONE_LINE, CursorQuery, LimitQuery, SearchIdPath, TextQuery, YearQuery
from marquee.domain.device_class import device_class
from marquee.domain.rows import canonical_genre
from marquee.stores.search.contract import SearchFilters

GenreQuery = Annotated[str | None, QueryParameter(min_length=1, max_length=60, pattern=ONE_LINE)]
SuggestionLimit = Annotated[int, QueryParameter(ge=1, le=20)]


class SearchController(Controller):
    """Search and suggestions."""

    path = "/search"
    tags = ("Search",)
    security = BEARER

    @get("/", responses=documented(401, 403))
    async def search(
        self,
        request: ApiRequest,
        caller: NamedDependency[Caller],
        search: NamedDependency[SearchService],
        q: TextQuery,
        limit: LimitQuery = 10,
        cursor: CursorQuery = "",
        genre: GenreQuery = None,
        playable: FromQuery[bool] = False,
        year_from: YearQuery = None,
        year_to: YearQuery = None,
        facets: FromQuery[bool] = False,
        typing: FromQuery[bool] = False,
    ) -> SearchResults:
        """Find titles by name, people, genre and description, misspelt or half typed. `playable=true`: only those.

        `typing=true`: the query is still being typed. Reports count the search only if a result of it is opened.
        """
        filters = SearchFilters(
            genres=(canonical_genre(genre),) if genre else (),
            playable_only=playable,
            year_from=year_from,
            year_to=year_to,
        )
        device = device_class(request.headers.get("user-agent"))
        return await search.search(
            Asker(caller, device), q, limit=limit, cursor=cursor, filters=filters, facets=facets, typing=typing
        )

    @post("/{search_id:str}/opened", status_code=204, responses=documented(401, 403, 413, 415))
    async def opened(
        self,
        search_id: SearchIdPath,
        data: JSONBody[Opened],
        request: ApiRequest,
        caller: NamedDependency[Caller],
        search: NamedDependency[SearchService],
    ) -> None:
        """Tell which of a search's results was opened. Durable when answered."""
        device = device_class(request.headers.get("user-agent"))
        await search.opened(Asker(caller, device), search_id, data)

    @get("/suggest", responses=documented(401, 403))
    async def suggest(
        self, search: NamedDependency[SearchService], q: TextQuery, limit: SuggestionLimit = 8
    ) -> Suggestions:
        """Titles that what was typed so far may become."""
        return Suggestions(suggestions=await search.suggest(q, limit=limit))
