"""Titles: what viewers may read of them, and the changes of content engineers.

Every change is one transaction of the catalogue. It also writes the title's search document, which change capture
brings into the index. Then the title's rows are purged. A deletion removes the title's objects last; housekeeping
finishes a removal that was interrupted.
"""

from dataclasses import replace
from typing import Final

import msgspec

from api.auth.tokens import Caller
from api.paging import Cursors, split_page
from api.pictures import backdrop_out
from api.rows.shared import SharedRows
from api.titles.schemas import TitleEdit, TitleOut, TitlePage, TitleVersionOut, TracksOut
from api.wire import notes_out
from marquee.cdn.addresses import EdgeAddresses
from marquee.domain.file_names import title_fault
from marquee.domain.lifecycle import PLAYABLE, UNUSED_VERSIONS, VISIBLE_TITLES
from marquee.domain.roles import may
from marquee.domain.rows import canonical_genres
from marquee.errors import InputInvalid, RevisionConflict, TitleUnknown
from marquee.ingest.ending import end_upload
from marquee.ingest.removal import remove_title
from marquee.notes import for_viewers
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Titles, Uploads, Versions
from marquee.stores.catalogue.values import ListedTitle, Title, TitleDetails, TitlePosition, TitleQuery, Version
from marquee.stores.objects.contract import Objects
from marquee.stores.row_cache.keys import rows_of_title

MAX_EDIT_ATTEMPTS: Final = 5


class TitleService:
    """What `/titles` does."""

    def __init__(
        self,
        titles: Titles,
        versions: Versions,
        uploads: Uploads,
        rows: SharedRows,
        objects: Objects,
        published: Objects,
        settings: Settings,
    ) -> None:
        self._titles = titles
        self._versions = versions
        self._uploads = uploads
        self._rows = rows
        self._objects = objects
        self._published = published
        self._addresses = EdgeAddresses(settings)
        self._cursors = Cursors(settings.cursor_secret.get_secret_value())

    async def title(self, caller: Caller, movie_id: str) -> TitleOut:
        """One title. Raises `TitleUnknown`, for a viewer also if the title's state is hidden from viewers."""
        listed = await self._titles.listed(movie_id)
        if listed.title.state not in VISIBLE_TITLES and not may(caller.role, "see_hidden_titles"):
            raise TitleUnknown(f"There is no title {movie_id}.", field="movie_id")
        shown = self._shown(listed)
        if may(caller.role, "see_notes"):
            return shown
        return msgspec.structs.replace(
            shown, notes=notes_out(for_viewers(listed.notes)), newest_version=None, reason=None
        )

    async def page(self, query: TitleQuery, *, limit: int, cursor: str | None) -> TitlePage:
        """At most `limit` titles, those that changed last first. Raises `CursorInvalid`."""
        kind = f"titles:{msgspec.json.encode(query).decode()}"
        after = self._cursors.read(kind, cursor, TitlePosition)
        page, more = split_page(await self._titles.page(query, limit=limit + 1, after=after), limit)
        return TitlePage(
            titles=[self._shown(listed) for listed in page],
            next_cursor=self._cursors.sign(kind, msgspec.to_builtins(_position(page[-1]))) if more else None,
        )

    async def edit(self, movie_id: str, edit: TitleEdit, *, revision: int | None) -> TitleOut:
        """Change the fields that `edit` gives.

        Without `revision`, an edit that meets another change is merged into it, at most `MAX_EDIT_ATTEMPTS` times.
        Raises `TitleUnknown`, and `RevisionConflict` if `revision` is not the current one.
        """
        if isinstance(edit.title, str) and (fault := title_fault(edit.title)):
            raise InputInvalid(fault, field="title")
        for attempt in range(MAX_EDIT_ATTEMPTS):
            before = await self._titles.get(movie_id)
            if revision is not None and before.revision != revision:
                raise RevisionConflict(
                    f"The title has revision {before.revision}, not {revision}: read it again before the change.",
                    field="revision",
                )
            try:
                after = await self._titles.edit(movie_id, _merged(before.details, edit), revision=before.revision)
            except RevisionConflict:
                # Another change was written between this read and this write: merge into it.
                if revision is not None or attempt == MAX_EDIT_ATTEMPTS - 1:
                    raise
                continue
            await self._changed(before, after)
            return self._shown(await self._titles.listed(movie_id))
        raise AssertionError("the last attempt returns or raises")

    async def unpublish(self, movie_id: str) -> TitleOut:
        """Take a playable or announced title out of rows and search.

        Raises `TitleUnknown`, `TitleNotPlayable` for others.
        """
        title = await self._titles.unpublish(movie_id)
        await self._changed(title)
        return self._shown(await self._titles.listed(movie_id))

    async def republish(self, movie_id: str) -> TitleOut:
        """Undo `unpublish`. Raises `TitleUnknown`, `TitleNotPlayable` if the title was never published."""
        title = await self._titles.republish(movie_id)
        await self._changed(title)
        return self._shown(await self._titles.listed(movie_id))

    async def delete(self, movie_id: str) -> None:
        """Delete a title, then remove its objects. Repeat it after an interruption. Raises `TitleUnknown`."""
        title = await self._titles.delete(movie_id)
        await self._changed(title)
        await remove_title(self._uploads, self._objects, self._published, movie_id)

    async def cancel(self, movie_id: str, version: int) -> None:
        """Cancel a version in work: its upload is ended, or its ingest, whose run ends within seconds and removes what it stored.

        Raises `TitleUnknown`, `VersionNotInWork`, and `UploadStateConflict` while its upload is being completed.
        """
        found = await self._versions.get(movie_id, version)
        if found.state == "uploading":
            await end_upload(self._uploads, self._objects, found.upload_id, "aborted")
        else:
            await self._versions.cancel(movie_id, version)

    def _shown(self, listed: ListedTitle) -> TitleOut:
        """A title as the API answers it to an engineer."""
        title, newest = listed.title, listed.newest
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
            backdrop=backdrop_out(self._addresses, title.movie_id, title.backdrop),
            tracks=msgspec.convert(title.tracks, type=TracksOut | None, from_attributes=True),
            hot=title.hot,
            revision=title.revision,
            active_version=title.active_version,
            created_at=title.created_at,
            published_at=title.published_at,
            changed_at=listed.changed_at,
            reason=newest.reason if newest and title.state in UNUSED_VERSIONS else None,
            newest_version=_version_out(newest, listed.uploaded_by) if newest else None,
            notes=notes_out(listed.notes),
        )

    async def _changed(self, *titles: Title) -> None:
        await self._rows.purge(rows_of_title(genre for title in titles for genre in title.details.genres))


def _position(listed: ListedTitle) -> TitlePosition:
    return TitlePosition(listed.changed_at, listed.title.movie_id)


def _version_out(version: Version, uploaded_by: str | None) -> TitleVersionOut:
    return TitleVersionOut(
        version=version.version,
        upload_id=version.upload_id,
        state=version.state,
        stage=version.stage,
        percent=version.percent,
        speed=version.speed,
        reason=version.reason,
        uploaded_by=uploaded_by,
        updated_at=version.updated_at,
    )


def _merged(details: TitleDetails, edit: TitleEdit) -> TitleDetails:
    given = {
        name: value
        for name in edit.__struct_fields__
        if name != "revision" and (value := getattr(edit, name)) is not msgspec.UNSET
    }
    if "genres" in given:
        given["genres"] = canonical_genres(given["genres"])
    return replace(details, **given)
