"""The search index's contract: one document a title, versioned from outside.

`revision` is the external version: an upsert or a delete that is not newer than what the index has (or had, when it was
deleted) is refused silently, so that disorder and replay do no harm; only a delete also wins over its equal. Many readers,
and one writer (the search sync), unless the engine lets several cross: a second one is told so when it opens.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from marquee.documents import SearchDocument


@dataclass(frozen=True)
class SearchHit:
    document: SearchDocument
    score: float


@dataclass(frozen=True)
class SearchPage:
    """`next_position` is opaque and stable while the index changes; None at the end."""

    hits: Sequence[SearchHit]
    next_position: str | None


@dataclass(frozen=True)
class SearchFilters:
    genres: Sequence[str] = field(default_factory=tuple)
    """Any of these, compared without case."""
    playable_only: bool = False
    year_from: int | None = None
    year_to: int | None = None


@dataclass(frozen=True)
class Deletion:
    movie_id: str
    revision: int


class SearchIndex(Protocol):
    async def apply(self, changes: Sequence[SearchDocument | Deletion]) -> int:
        """Apply in any order, newest revision wins; searchable when it returns. Returns how many were accepted.

        Raises `InputInvalid` where the index can never hold one of them: of the others none may be applied then.
        `StoreUnavailable` says nothing about them: they are applied later.
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
        """Fuzzy, typed-as-you-go: boosts exact and prefix names, then people, genres, description; popularity a mild prior."""
        ...

    async def suggest(self, prefix: str, *, limit: int = 8) -> Sequence[str]:
        """Titles that a prefix may become."""
        ...

    async def facets(self, query: str) -> dict[str, int]:
        """Number of hits by genre."""
        ...

    async def revision(self, movie_id: str) -> int | None:
        """The revision that a search would find now; None where the title is not in the index."""
        ...

    async def count(self) -> int: ...

    async def rebuild(self, documents: AsyncIterator[SearchDocument]) -> int:
        """Build a new index beside and swap to it; readers never see a half one. Returns its size.

        `documents` is read after this has begun; what is applied meanwhile is in the new index too, and what was deleted
        before stays known as deleted. Raises `RebuildOvertaken` where another process's newer rebuild takes its place.
        """
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
