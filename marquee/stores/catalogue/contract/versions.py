"""A title's versions, as the chain sees them: their progress, their content, their end, and publishing one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from marquee.documents import ProfileName
from marquee.notes import Note
from marquee.stores.catalogue.values import EndedVersion, Publication, Version


class Versions(Protocol):
    async def get(self, movie_id: str, version: int) -> Version:
        """Raises `TitleUnknown`."""
        ...

    async def of_upload(self, upload_id: str) -> Version:
        """Raises `UploadUnknown`, also for an upload that was ended."""
        ...

    async def newest(self, movie_id: str) -> Version:
        """The title's highest version that was uploaded and not cancelled. Raises `TitleUnknown`, also for a deleted title."""
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

        A report sets a failed version back to `ingesting`. It does so to a refused version where `run_id` is a new one. Raises
        `IngestCancelled` for a cancelled version.
        """
        ...

    async def set_notes(
        self, movie_id: str, version: int, notes: Mapping[str, Sequence[Note]], *, whole: bool = False
    ) -> None:
        """Store the notes of these stages in the place of what they stored before; `whole`: of all stages.

        Raises `TitleUnknown`.
        """
        ...

    async def set_profile(self, movie_id: str, version: int, profile: ProfileName) -> None:
        """Store by which encoding profile the version was planned. Raises `TitleUnknown`."""
        ...

    async def notes_of_titles(self, movie_ids: Sequence[str]) -> Mapping[str, Sequence[Note]]:
        """The notes of each title's active version, else of its newest one. A title without notes is left out."""
        ...

    async def claim_content(self, movie_id: str, version: int, sha256: str) -> str | None:
        """Store a version's content hash. Returns the movie_id of the other title that owns this content, None if none does.

        The first title that claims a content owns it while its version is ingesting or playable. A version whose content
        another title owns says so in its `reason`. Raises `TitleUnknown`.
        """
        ...

    async def refuse(self, movie_id: str, version: int, reason: str) -> None:
        """The file is at fault. The title is refused too, unless an older version is playable. Raises `TitleUnknown`."""
        ...

    async def fail(self, movie_id: str, version: int, reason: str) -> None:
        """As `refuse`, for a fault of the platform: a new run may succeed. A playable version stays playable."""
        ...

    async def cancel(self, movie_id: str, version: int) -> None:
        """ingesting -> cancelled. The version that plays stays. Raises `VersionNotInWork` for any other state, `TitleUnknown`.

        From now on `report_progress` and `publish` raise `IngestCancelled` for it. The caller removes what it stored.
        """
        ...

    async def cancel_older(self, movie_id: str, version: int) -> Sequence[int]:
        """Cancel the older versions in work: this version's film was accepted. Returns their numbers.

        If this version ends unplayed, they become `failed`: their masters are kept, and a new run may work on them.
        Raises `IngestCancelled` if this version was cancelled itself, `TitleUnknown`.
        """
        ...

    async def failed_between(self, oldest: datetime, newest: datetime) -> Sequence[EndedVersion]:
        """Versions that failed in this span and are failed still, the newest first; bounded."""
        ...

    async def cancelled_between(self, oldest: datetime, newest: datetime) -> Sequence[EndedVersion]:
        """Versions that were cancelled in this span, the newest first; bounded."""
        ...

    async def unremoved_before(self, moment: datetime) -> Sequence[EndedVersion]:
        """Versions that were cancelled before `moment` and are not marked as removed, the oldest first; bounded."""
        ...

    async def mark_removed(self, movie_id: str, version: int) -> None:
        """What is stored of this cancelled version is gone. A kept master is looked after again once a newer version plays."""
        ...

    async def keeps_film(self, movie_id: str, version: int) -> bool:
        """False for a cancelled version: its master goes. True for one that a newer film overtook, until a newer one plays."""
        ...

    async def publish(self, publication: Publication) -> int:
        """Make the version active and the title playable, and write its search document. Returns the title's revision.

        The active version only grows: a lower version is marked superseded, and nothing else changes. An unpublished title
        stays unpublished. Raises `UploadStateConflict` for a refused version, `IngestCancelled` for a cancelled one, and
        `TitleUnknown` for a title that is gone.
        """
        ...
