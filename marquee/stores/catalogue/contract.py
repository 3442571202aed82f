"""The catalogue: titles, their versions, uploads, the outbox and the search document's table. The truth of the platform.

Everything that must happen together happens in one method, which is one transaction. A change of a title writes its row of
`title_document` in the same transaction; change capture reads only that table (and its own heartbeat):

- columns `movie_id`, `revision`, `document`, `changed_at`; `document` is a `SearchDocument` as JSON, with the same revision.
- A title that must not be found any more (unpublished, deleted, never announced and gone) keeps its row with `document` null
  and a new revision: a tombstone. So the index upserts where `after.document` is not null, else deletes at `after.revision`;
  the table's rows are never deleted by the platform. Where a row is deleted by hand (op `d`), `before.revision` is the last
  one used, and a delete in the index must then win over its equal.
- One sequence gives every revision while the title's row is locked: within a title, revisions grow in the order of commits,
  also when a deleted title's id is announced again. Revisions of different titles may commit in any order.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from marquee.documents import SearchDocument
from marquee.stores.catalogue.values import (
    OutboxEntry,
    Publication,
    RowPosition,
    Sidecar,
    Title,
    TitleCard,
    TitleDetails,
    TitleState,
    Upload,
    UploadState,
    Version,
)


class Catalogue(Protocol):
    # --- uploads -----------------------------------------------------------------------------------------
    async def open_upload(self, upload: Upload, details: TitleDetails | None) -> Upload:
        """A new title (`details` given) or a new version of an existing one (None); allots the version number.

        The `version` of the argument is ignored. Raises `TitleUnknown`.
        """
        ...

    async def upload(self, upload_id: str) -> Upload:
        """Raises `UploadUnknown`."""
        ...

    async def find_open_upload(self, account_id: str, file_name: str, size_bytes: int) -> Upload | None:
        """The newest open upload of the same file by the same account."""
        ...

    async def find_resumable_upload(
        self, account_id: str, file_name: str, size_bytes: int, *, movie_id: str | None
    ) -> Upload | None:
        """The newest such upload for this title; without `movie_id` one that made its title, which was not announced."""
        ...

    async def resume_upload(self, upload_id: str, details: Mapping[str, object], *, hot: bool | None) -> Upload:
        """State `details` (fields of `TitleDetails`) of its title and `hot` of both anew; None and {} change nothing.

        Raises `UploadStateConflict` for an upload that is not open, `TitleUnknown` where its title was deleted.
        """
        ...

    async def touch_upload(self, upload_id: str) -> None: ...

    async def add_sidecar(self, upload_id: str, sidecar: Sidecar) -> None: ...

    async def begin_completion(self, upload_id: str) -> Upload:
        """open -> completing (or still completing: idempotent). Raises `UploadStateConflict`."""
        ...

    async def finish_completion(self, upload_id: str, *, topic: str, value: bytes) -> None:
        """completing -> completed, the version ingesting, and the outbox row, in one transaction; idempotent."""
        ...

    async def reopen_upload(self, upload_id: str) -> Upload:
        """completing -> open, where parts must be sent again. Raises `UploadStateConflict` once it is completed or ended."""
        ...

    async def end_upload(self, upload_id: str, state: Literal["aborted", "abandoned"]) -> None:
        """Also removes the version, and the title if it has no other version and was not announced; idempotent.

        An upload that is open or completing may be ended; raises `UploadStateConflict` once it is completed.
        """
        ...

    async def uploads_untouched_since(self, moment: datetime, *, state: UploadState) -> Sequence[Upload]: ...

    async def uploads_without_run(self, moment: datetime) -> Sequence[Upload]:
        """Completed uploads, untouched since `moment`, whose version is `ingesting` though no run has reported on it."""
        ...

    async def republish_upload(self, upload_id: str, *, topic: str, value: bytes) -> bool:
        """Add another outbox row for one of `uploads_without_run` and touch it; False where a run has reported meanwhile."""
        ...

    # --- outbox ------------------------------------------------------------------------------------------
    async def outbox(self, *, limit: int = 100) -> Sequence[OutboxEntry]:
        """Entries not yet published, oldest first."""
        ...

    async def mark_published(self, entry_ids: Sequence[int]) -> None: ...

    # --- the chain ---------------------------------------------------------------------------------------
    async def version(self, movie_id: str, version: int) -> Version:
        """Raises `TitleUnknown`."""
        ...

    async def version_of_upload(self, upload_id: str) -> Version:
        """Raises `UploadUnknown`, also for an upload that was ended."""
        ...

    async def newest_version(self, movie_id: str) -> Version:
        """The title's highest version whose upload was completed. Raises `TitleUnknown`, also for a deleted title."""
        ...

    async def report_progress(
        self,
        movie_id: str,
        version: int,
        *,
        stage: str,
        percent: float,
        speed: float | None = None,
        run_id: str | None = None,
    ) -> None:
        """Percent never goes back within a version. Raises `TitleUnknown`.

        A version that failed is ingesting again; so is one that was refused, where `run_id` is a new one.
        """
        ...

    async def claim_content(self, movie_id: str, version: int, sha256: str) -> str | None:
        """Store a version's content hash. Returns the movie_id of the other title that owns this content; None if it is this one.

        The first title that claims a content owns it while its version is ingesting or playable. A version whose content
        another title owns says so in its `reason`.
        """
        ...

    async def refuse(self, movie_id: str, version: int, reason: str) -> None:
        """The version is refused; the title too unless an older version is playable (that stays)."""
        ...

    async def fail(self, movie_id: str, version: int, reason: str) -> None:
        """The same for a fault of the platform's, which a new run may mend; a playable version stays playable."""
        ...

    async def publish(self, publication: Publication) -> int:
        """Make the version active (only upward), the title playable, and write its document; returns the revision.

        A version below the active one is marked superseded and changes nothing else; a title that was unpublished stays so.
        Raises `UploadStateConflict` for a version that was refused, `TitleUnknown` for a title that is gone.
        """
        ...

    async def upload_of_version(self, movie_id: str, version: int) -> Upload:
        """The upload that made this version. Raises `UploadUnknown`."""
        ...

    # --- titles ------------------------------------------------------------------------------------------
    async def title(self, movie_id: str) -> Title:
        """Raises `TitleUnknown`, also for a deleted title."""
        ...

    async def titles(self, *, limit: int, after: str | None = None, state: TitleState | None = None) -> Sequence[Title]:
        """By movie_id."""
        ...

    async def cards(self, movie_ids: Sequence[str]) -> Sequence[TitleCard]:
        """Cards of the playable ones among these, in the order given."""
        ...

    async def edit(self, movie_id: str, details: TitleDetails, *, revision: int | None = None) -> Title:
        """Raises `RevisionConflict` where `revision` is given and is not the current one."""
        ...

    async def unpublish(self, movie_id: str) -> Title:
        """Takes a playable or announced title out of search and rows; idempotent. Raises `TitleNotPlayable` for others."""
        ...

    async def republish(self, movie_id: str) -> Title:
        """The way back. Raises `TitleNotPlayable` for a title that was never published."""
        ...

    async def delete(self, movie_id: str) -> Title:
        """Takes the document out (search follows), the title out of every row, and its versions; returns it as it was.

        Objects are removed by the caller. For every method the title is unknown from now on (also for a chain under way).
        """
        ...

    async def titles_deleted_before(self, moment: datetime, *, limit: int = 100) -> Sequence[str]:
        """Ids of titles deleted before, and deleted still, whose objects nobody has confirmed to be gone; oldest first."""
        ...

    async def forget_deleted(self, movie_id: str) -> None:
        """Nothing of a deleted title is stored any more; idempotent."""
        ...

    async def announce(self, titles: Sequence[tuple[str, TitleDetails]]) -> int:
        """Upsert titles that are known but not playable, with their documents; returns how many were new.

        Batches, each one transaction: repeat it after a failure. What has not changed gets no new revision; a title that has
        been ingested keeps its engineer's details; a deleted one is announced anew.
        """
        ...

    # --- rows --------------------------------------------------------------------------------------------
    async def genre_row(
        self, genre: str, *, limit: int, after: RowPosition | None
    ) -> Sequence[tuple[TitleCard, RowPosition]]:
        """Playable titles of a genre (compared without case), most popular first (`log1p(votes)`), then newest id."""
        ...

    async def new_releases(self, *, limit: int, after: RowPosition | None) -> Sequence[tuple[TitleCard, RowPosition]]:
        """Playable titles, newest first (sort value: publication time in seconds)."""
        ...

    # --- search documents --------------------------------------------------------------------------------
    def documents(self) -> AsyncIterator[SearchDocument]:
        """Every live document, for a rebuild of the index."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
