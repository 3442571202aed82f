"""Response bodies of search."""

from api.wire import Output


class SearchResult(Output, frozen=True, kw_only=True):
    """Announced titles are found too, with `playable` false."""

    movie_id: str
    title: str
    year: int | None
    playable: bool
    poster_url: str | None
    duration_seconds: float | None
    genres: list[str]
    people: list[str]
    description: str | None
    score: float


class SearchResults(Output, frozen=True, kw_only=True):
    results: list[SearchResult]
    next_cursor: str | None
    facets: dict[str, int] | None = None
    """Number of hits by genre; None unless the request has `facets=true`."""


class Suggestions(Output, frozen=True, kw_only=True):
    suggestions: list[str]
