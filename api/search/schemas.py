"""Bodies of search."""

from typing import Annotated

from msgspec import Meta

from api.wire import Input, MovieId, Output


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
    search_id: str
    """Of this search on all its pages: send it back as it is when a title is opened (`/search/{search_id}/opened`)."""


class Opened(Input, frozen=True, kw_only=True):
    """Which title of a search's results was opened."""

    movie_id: MovieId
    place: Annotated[int, Meta(ge=1, le=10_000)]
    """From 1, over all pages."""


class Suggestions(Output, frozen=True, kw_only=True):
    suggestions: list[str]
