"""Titles: what a viewer may know of one, and a content engineer's changes, which reach search, rows and edges.

Every change is one transaction of the catalogue, which also writes the title's search document; then the rows are purged.
A deleted title's objects are removed last; a removal that was cut short is finished by the outbox.
"""

from dataclasses import replace
from typing import Final

import msgspec

from api.auth.tokens import Caller
from api.paging import Cursors, cut
from api.rows.shared import SharedRows
from api.titles.schemas import TitleEdit, TitleOut, TitlePage
from marquee.cdn.addresses import EdgeAddresses
from marquee.domain.lifecycle import PLAYABLE, VISIBLE_TITLES, TitleState
from marquee.domain.roles import may
from marquee.domain.rows import canonical_genres
from marquee.errors import RevisionConflict, TitleUnknown
from marquee.ingest.removal import remove_title
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Titles, Uploads
from marquee.stores.catalogue.values import Title, TitleDetails
from marquee.stores.objects.contract import Objects
from marquee.stores.row_cache.keys import rows_of_title

EDIT_ATTEMPTS: Final = 5


class TitleService:
    def __init__(
        self,
        titles: Titles,
        uploads: Uploads,
        rows: SharedRows,
        objects: Objects,
        published: Objects,
        settings: Settings,
    ) -> None:
        self._titles = titles
        self._uploads = uploads
        self._rows = rows
        self._objects = objects
        self._published = published
        self._addresses = EdgeAddresses(settings)
        self._cursors = Cursors(settings.cursor_secret.get_secret_value())

    async def title(self, caller: Caller, movie_id: str) -> TitleOut:
        """Raises `TitleUnknown`, for a viewer also where the title is not public."""
        title = await self._titles.get(movie_id)
        if title.state not in VISIBLE_TITLES and not may(caller.role, "see_hidden_titles"):
            raise TitleUnknown("There is no title of this id.", field="movie_id")
        return self.shown(title)

    async def page(self, *, limit: int, cursor: str | None, state: TitleState | None) -> TitlePage:
        kind = f"titles:{state or ''}"
        after = self._cursors.read(kind, cursor, str)
        page, more = cut(await self._titles.page(limit=limit + 1, after=after, state=state), limit)
        return TitlePage(
            titles=[self.shown(title) for title in page],
            next_cursor=self._cursors.sign(kind, page[-1].movie_id) if more else None,
        )

    async def edit(self, movie_id: str, edit: TitleEdit, *, revision: int | None) -> TitleOut:
        """Change the fields given. Raises `RevisionConflict` where `revision` is not the current one."""
        for attempt in range(EDIT_ATTEMPTS):
            before = await self._titles.get(movie_id)
            if revision is not None and before.revision != revision:
                raise RevisionConflict(f"The title is at revision {before.revision} now.", field="revision")
            try:
                after = await self._titles.edit(movie_id, _merged(before.details, edit), revision=before.revision)
            except RevisionConflict:
                # Somebody else's change came between reading and writing: merge into theirs.
                if revision is not None or attempt == EDIT_ATTEMPTS - 1:
                    raise
                continue
            await self._changed(before, after)
            return self.shown(after)
        raise AssertionError("the last attempt returns or raises")

    async def unpublish(self, movie_id: str) -> TitleOut:
        title = await self._titles.unpublish(movie_id)
        await self._changed(title)
        return self.shown(title)

    async def republish(self, movie_id: str) -> TitleOut:
        title = await self._titles.republish(movie_id)
        await self._changed(title)
        return self.shown(title)

    async def delete(self, movie_id: str) -> None:
        """Raises `TitleUnknown`."""
        title = await self._titles.delete(movie_id)
        await self._changed(title)
        await remove_title(self._uploads, self._objects, self._published, movie_id)

    def shown(self, title: Title) -> TitleOut:
        return TitleOut(
            movie_id=title.movie_id,
            title=title.details.title,
            state=title.state,
            playable=title.state == PLAYABLE,
            year=title.details.year,
            description=title.details.description,
            genres=list(title.details.genres),
            people=list(title.details.people),
            aka=list(title.details.aka),
            duration_seconds=title.duration_seconds,
            poster_url=self._addresses.image(title.movie_id, title.poster),
            hot=title.hot,
            revision=title.revision,
            active_version=title.active_version,
            created_at=title.created_at,
            published_at=title.published_at,
        )

    async def _changed(self, *titles: Title) -> None:
        await self._rows.purge(rows_of_title(genre for title in titles for genre in title.details.genres))


def _merged(details: TitleDetails, edit: TitleEdit) -> TitleDetails:
    given = {
        name: value
        for name in edit.__struct_fields__
        if name != "revision" and (value := getattr(edit, name)) is not msgspec.UNSET
    }
    if "genres" in given:
        given["genres"] = canonical_genres(given["genres"])
    return replace(details, **given)
