"""A title as it is published and found: what search holds of it, and what the chain's last two stages saw of that.

The transaction of `title` writes the `SearchDocument`; change capture brings it into the index; `search_document` waits until
a search finds it. A revision grows with every change of a title, also over its deletion.
"""

import msgspec


class TitlePublished(msgspec.Struct, frozen=True, kw_only=True):
    """What `title` left: the revision of the title's document, and when its transaction was committed."""

    movie_id: str
    version: int
    revision: int
    committed_at_ms: int


class TitleIndexed(msgspec.Struct, frozen=True, kw_only=True):
    """What `search_document` observed; `revision` is the one that a search found, `lag_seconds` is from the commit to when this
    was seen, so at most that."""

    movie_id: str
    version: int
    revision: int
    lag_seconds: float


class SearchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A title as the search index holds it and `title_document.document` stores it.

    `revision` is the index's external version: a change with a lower or equal revision is refused.
    """

    movie_id: str
    revision: int
    title: str
    year: int | None = None
    aka: list[str] = []
    genres: list[str] = []
    people: list[str] = []
    description: str | None = None
    popularity: float = 0.0
    """`log1p(votes)` or watch count: a mild prior, not a sort key."""
    playable: bool = False
    duration_seconds: float | None = None
    poster: str | None = None
