"""Titles: reading and editing, taking out and back, deleting, announcing; and their search documents."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from marquee.documents import SearchDocument
from marquee.domain.popularity import MAX_MOVED
from marquee.stores.catalogue.values import ListedTitle, Title, TitleDetails, TitlePosition, TitleQuery


class Titles(Protocol):
    async def get(self, movie_id: str) -> Title:
        """Raises `TitleUnknown`, also for a deleted title."""
        ...

    async def listed(self, movie_id: str) -> ListedTitle:
        """One title as `page` gives it. Raises `TitleUnknown`, also for a deleted title."""
        ...

    async def page(self, query: TitleQuery, *, limit: int, after: TitlePosition | None = None) -> Sequence[ListedTitle]:
        """The titles behind `after`, those that changed last first. Its cost does not grow with the number of titles."""
        ...

    async def edit(self, movie_id: str, details: TitleDetails, *, revision: int | None = None) -> Title:
        """Raises `RevisionConflict` where `revision` is given and is not the current one, `TitleUnknown`."""
        ...

    async def unpublish(self, movie_id: str) -> Title:
        """Take a playable or announced title out of search and rows; idempotent. Raises `TitleNotPlayable` for others."""
        ...

    async def republish(self, movie_id: str) -> Title:
        """Undo `unpublish`; idempotent. Raises `TitleNotPlayable` for a title that was never published."""
        ...

    async def delete(self, movie_id: str) -> Title:
        """Delete the title with its versions; it leaves search and every row. Returns the title as it was.

        Every method raises `TitleUnknown` for it from now on, also in a run of the chain. The caller removes its objects.
        """
        ...

    async def deleted_before(self, moment: datetime, *, limit: int = 100) -> Sequence[str]:
        """Ids of titles that were deleted before, the oldest first, until `mark_removed` is called for them."""
        ...

    async def mark_removed(self, movie_id: str) -> None:
        """Note that nothing of a deleted title is stored any more; idempotent."""
        ...

    async def announce(self, titles: Sequence[tuple[str, TitleDetails]]) -> int:
        """Upsert titles (movie_id, details) that have no film yet, with their search documents. Returns how many were new.

        Each batch is one transaction: repeat the call after a failure. A title that has not changed gets no new revision.
        A title that was ingested keeps its details. A deleted title is announced anew.
        """
        ...

    async def follow_watching(
        self, watch_seconds: Mapping[str, float], *, limit: int = MAX_MOVED
    ) -> Mapping[str, Sequence[str]]:
        """Let popularity follow what was watched of each title (`marquee.domain.popularity`); a title not named was not.

        At most `limit` titles move, those first that moved most: the search document of each gets a new revision, and the
        title keeps its own, so that no edit is refused for it. Returns their genres, by title. The same again changes nothing.
        """
        ...

    def documents(self) -> AsyncIterator[SearchDocument]:
        """Every title's search document, for a rebuild of the index."""
        ...
