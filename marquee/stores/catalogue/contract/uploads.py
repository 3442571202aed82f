"""Uploads: from the first part to the outbox entry that starts the chain, or to an end that leaves nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from marquee.domain.lifecycle import EndedEarly, UploadState
from marquee.domain.upload_quota import UploadQuota
from marquee.stores.catalogue.values import Sidecar, TitleDetails, Upload


class Uploads(Protocol):
    async def open(self, upload: Upload, details: TitleDetails | None, *, quota: UploadQuota | None = None) -> Upload:
        """Start a new title (`details` given) or a new version of an existing one (None). Allots the version number.

        Ignores `upload.version`. `quota` holds exactly, however many processes open uploads of one account at once. Raises
        `TitleUnknown`, `UploadQuotaExceeded`.
        """
        ...

    async def check_quota(self, account_id: str, size_bytes: int, quota: UploadQuota) -> None:
        """Raise `UploadQuotaExceeded` if an upload of this size would not fit at this moment. `open` is the one that decides."""
        ...

    async def get(self, upload_id: str) -> Upload:
        """Raises `UploadUnknown`."""
        ...

    async def of_version(self, movie_id: str, version: int) -> Upload:
        """The upload that made this version. Raises `UploadUnknown`."""
        ...

    async def find_open(self, account_id: str, file_name: str, size_bytes: int) -> Upload | None:
        """The newest open upload of the same file by the same account."""
        ...

    async def find_resumable(
        self, account_id: str, file_name: str, size_bytes: int, *, movie_id: str | None
    ) -> Upload | None:
        """The newest open upload of the same file for this title.

        Without `movie_id`: the newest one that made its title, where that title was not announced.
        """
        ...

    async def resume(self, upload_id: str, details: Mapping[str, object], *, hot: bool | None) -> Upload:
        """Change `details` (fields of `TitleDetails`) of the upload's title, and `hot` of both. {} and None change nothing.

        Raises `UploadStateConflict` for an upload that is not open, `TitleUnknown` where its title was deleted.
        """
        ...

    async def touch(self, upload_id: str) -> None:
        """Note that the client still works on it. Raises `UploadUnknown`."""
        ...

    async def add_sidecar(self, upload_id: str, sidecar: Sidecar, *, max_sidecars: int) -> Sidecar | None:
        """Add a subtitle file, in the place of one that it replaces (`Sidecar.replaces`), which is returned. Idempotent.

        Raises `UploadStateConflict` past `max_sidecars`, and once the upload is completed or ended.
        """
        ...

    async def begin_completion(self, upload_id: str) -> Upload:
        """open -> completing; idempotent. Raises `UploadStateConflict`."""
        ...

    async def finish_completion(self, upload_id: str, *, topic: str, value: bytes) -> None:
        """completing -> completed, its version ingesting, and an outbox entry, in one transaction; idempotent.

        Raises `UploadStateConflict`, and `TitleUnknown` where the title was deleted meanwhile.
        """
        ...

    async def reopen(self, upload_id: str) -> Upload:
        """completing -> open: parts must be sent again. Raises `UploadStateConflict` once it is completed or ended."""
        ...

    async def end(self, upload_id: str, state: EndedEarly) -> None:
        """open or completing -> `state`; idempotent. Raises `UploadStateConflict` once it is completed.

        Removes the version too, and the title where it has no other version and was not announced.
        """
        ...

    async def untouched_since(self, moment: datetime, *, state: UploadState) -> Sequence[Upload]:
        """Uploads in this state that nobody has worked on since then, the longest untouched first; bounded."""
        ...

    async def without_run(self, *, untouched_since: datetime) -> Sequence[Upload]:
        """Completed uploads whose version is `ingesting` though no run has reported on it; bounded."""
        ...

    async def republish(self, upload_id: str, *, topic: str, value: bytes) -> bool:
        """Add another outbox entry for one of `without_run`, and touch it. False where a run has reported meanwhile."""
        ...
