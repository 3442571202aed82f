"""The contract of the search index: one document for each title, with an external version.

`revision` is that version. An upsert or delete is silently refused unless its revision is newer than the one that the index has,
or had when the title was deleted. So disorder and replay do no harm. At equal revisions a delete wins over an upsert. There are
many readers and one writer (the search sync). Elasticsearch allows several writers at once; on Tantivy a second writer gets
`StoreUnavailable` when it opens the index.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from marquee.documents import SearchDocument


@dataclass(frozen=True)
class SearchHit:
    """A title that was found. `score` has no unit; it only orders the hits of one query."""

    document: SearchDocument
    score: float


@dataclass(frozen=True)
class SearchPage:
    """`next_position` is opaque: pass it as `position` to get the next page. None at the end. An index change keeps it valid."""

    hits: Sequence[SearchHit]
    next_position: str | None


@dataclass(frozen=True)
class SearchFilters:
    """Only titles that meet all filters are found. The years are inclusive."""

    genres: Sequence[str] = field(default_factory=tuple)
    """A title needs at least one of these; case does not matter. Empty: any genre."""
    playable_only: bool = False
    year_from: int | None = None
    year_to: int | None = None


@dataclass(frozen=True)
class Deletion:
    """A title was deleted at this revision."""

    movie_id: str
    revision: int


class SearchIndex(Protocol):
    """Every call raises `StoreUnavailable` when the engine does not answer."""

    async def apply(self, changes: Sequence[SearchDocument | Deletion]) -> int:
        """Apply changes, in any order. They are searchable when this returns. Returns how many were accepted.

        Raises `InputInvalid` if the index can never hold one of the changes; the others may then be applied or not. After
        `StoreUnavailable` the caller applies all of them again later.
        """
        ...

    async def search(
        self,
        query: str,
        *,
        limit: int = 10,
        position: str | None = None,
        filters: SearchFilters | None = None,
    ) -> SearchPage:
        """Find titles while the viewer types, spelling mistakes included.

        Names count most (exact, then as a beginning), then people, genres, the description; popularity counts a little.
        `position`: the `next_position` of an earlier page. Raises `CursorInvalid` for another query's position.
        """
        ...

    async def suggest(self, prefix: str, *, limit: int = 8) -> Sequence[str]:
        """Titles that begin with or contain what was typed so far."""
        ...

    async def facets(self, query: str) -> dict[str, int]:
        """Genre -> number of titles that the query finds."""
        ...

    async def revision(self, movie_id: str) -> int | None:
        """The revision of a title that a search finds now; None if the title is not in the index."""
        ...

    async def exists(self) -> bool:
        """Whether there is an index. Without one a search finds nothing, whatever the catalogue has."""
        ...

    async def count(self) -> int:
        """Number of titles, without the deleted ones."""
        ...

    async def rebuild(self, documents: AsyncIterator[SearchDocument]) -> int:
        """Build a new index beside the live one and swap to it at once when it is complete. Returns its number of titles.

        `documents` is read only after the rebuild has begun. Changes that are applied during the rebuild are in the new index
        too, and earlier deletions stay known. Raises `RebuildOvertaken` if another process begins a newer rebuild.
        """
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
