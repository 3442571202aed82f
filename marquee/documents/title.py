"""A published title: its document in the search index, and what the chain's last two stages observed.

The transaction of the stage `title` writes the `SearchDocument`. Change capture brings it into the index. The stage
`search_document` waits until a search finds it. A title's revision grows with every change, also when it is deleted.
"""

import msgspec

from marquee.notes import Note


class TitlePublished(msgspec.Struct, frozen=True, kw_only=True):
    """What `title` wrote: the revision of the title's document, and when its transaction was committed."""

    movie_id: str
    version: int
    revision: int
    committed_at_ms: int
    notes: list[Note] = []


class TitleIndexed(msgspec.Struct, frozen=True, kw_only=True):
    """What `search_document` observed. `revision` is the one that a search found.

    `lag_seconds` is the time from the commit until the stage saw the revision, so the true lag is at most that.
    """

    movie_id: str
    version: int
    revision: int
    lag_seconds: float
    notes: list[Note] = []


class SearchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A title as the search index holds it and as `title_document.document` stores it.

    `revision` is the index's external version: the index refuses a change with a lower or equal revision.
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
    """`log1p` of the votes or of the watch count: a mild prior, not a sort key."""
    playable: bool = False
    duration_seconds: float | None = None
    poster: str | None = None
