"""Uploads: what may be uploaded, where each part goes, and an upload's state until its title plays.

The bytes go straight to S3 by presigned URLs; the API opens the multipart upload, signs part URLs and completes. S3
holds everything that resuming needs: an open upload of the same file by the same account is found again, and the
checksums of its parts say which parts need not be sent again. Completion (`marquee.ingest.completion`) starts the
chain.
"""

import asyncio
import mimetypes
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import UNSET

from api.auth.tokens import Caller
from api.uploads.schemas import NewUpload, SentPart, SidecarIn, SidecarOut, UploadStatus
from api.uploads.sidecars import receive_sidecar
from api.wire import notes_out
from marquee import deadlines
from marquee.documents import keys
from marquee.domain import ids
from marquee.domain.file_names import title_fault, title_of
from marquee.domain.lifecycle import FOLLOWED_SENTENCES, PART_UPLOADS, PLAYABLE, ended_early
from marquee.domain.parts import part_bytes_of, parts_total, size_of_part
from marquee.domain.roles import may
from marquee.domain.rows import canonical_genres
from marquee.domain.upload_quota import UploadQuota
from marquee.errors import (
    InputInvalid,
    MediaTypeRefused,
    NotPermitted,
    SourceRefused,
    TitleUnknown,
    UploadStateConflict,
    UploadTooLarge,
    UploadUnknown,
)
from marquee.ingest.completion import complete_upload
from marquee.ingest.ending import end_upload
from marquee.logs import get_logger
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Titles, Uploads, Versions
from marquee.stores.catalogue.values import TitleDetails, Upload, Version
from marquee.stores.objects.contract import Objects, StoredPart

ABORT_SECONDS: Final = 2.0
MAX_SIDECARS: Final = 32
UNKNOWN_MEDIA_TYPE: Final = "application/octet-stream"
NON_FILM_PREFIXES: Final = ("text/", "image/", "font/", "model/", "message/")
"""Media types that are refused if the client states them: no film has one."""
MISTAKEN_TYPES: Final = frozenset(("text/vnd.trolltech.linguist",))
"""Types that some systems state for an MPEG transport stream (.ts). They are not refused."""

log = get_logger()


def media_type_of(file_name: str, stated: str | None) -> str:
    """The media type to store the master under. Raises `MediaTypeRefused` if the client states a type that no film has.

    The file name's ending refuses nothing: the chain finds out by decoding what the file really is.
    """
    kind = (stated or mimetypes.guess_type(file_name)[0] or UNKNOWN_MEDIA_TYPE).lower()
    if not kind.startswith(NON_FILM_PREFIXES):
        return kind
    if stated is None or kind in MISTAKEN_TYPES:
        return UNKNOWN_MEDIA_TYPE
    raise MediaTypeRefused(f"{file_name} has the type {kind}: upload a film (video/...).", field="content_type")


def _reason(upload: Upload, version: Version | None) -> str | None:
    """Why this upload's film does not play and never will. None if it plays or still may."""
    if ended := ended_early(upload.state):
        return FOLLOWED_SENTENCES[ended]
    if version is None:
        return "The title was deleted."
    if version.state == "superseded":
        return FOLLOWED_SENTENCES[version.state]
    return version.reason


def _given_details(wanted: NewUpload) -> dict[str, Any]:
    """The title's details that the request gives. A null title counts as not given."""
    given = {
        name: value
        for name in ("title", "year", "description", "genres")
        if (value := getattr(wanted, name)) is not UNSET and (name != "title" or value)
    }
    if "genres" in given:
        given["genres"] = canonical_genres(given["genres"])
    return given


class UploadService:
    """What `/uploads` does."""

    def __init__(
        self, uploads: Uploads, versions: Versions, titles: Titles, objects: Objects, settings: Settings
    ) -> None:
        self._uploads = uploads
        self._versions = versions
        self._titles = titles
        self._objects = objects
        self._settings = settings
        self._quota = UploadQuota(settings.upload_max_open, settings.upload_max_day_bytes)
        self._aborting: set[asyncio.Task[None]] = set()

    async def open(self, caller: Caller, wanted: NewUpload) -> tuple[Upload, bool]:
        """Open an upload. Returns it, and True if it was open before (a resumed upload).

        Raises `InputInvalid` for a title that cannot be shown, `UploadTooLarge`, `SourceRefused` for an empty file,
        `MediaTypeRefused`, `TitleUnknown`, `UploadQuotaExceeded`, and `UploadStateConflict` if the resumed upload is being
        completed or ended at this moment.
        """
        if isinstance(wanted.title, str) and (fault := title_fault(wanted.title)):
            raise InputInvalid(fault, field="title")
        # A file larger than the bytes of a day would never fit them.
        largest = min(self._settings.upload_max_bytes, self._quota.max_day_bytes or self._settings.upload_max_bytes)
        if wanted.size_bytes > largest:
            raise UploadTooLarge(
                f"{wanted.file_name} has {wanted.size_bytes} bytes; the maximum is {largest}.",
                field="size_bytes",
            )
        if wanted.size_bytes == 0:
            raise SourceRefused(f"{wanted.file_name} is empty: choose a file with a picture.", field="size_bytes")
        content_type = media_type_of(wanted.file_name, wanted.content_type)
        if wanted.resume:
            found = await self._uploads.find_resumable(
                caller.account_id, wanted.file_name, wanted.size_bytes, movie_id=wanted.movie_id
            )
            if found is not None:
                # An existing title keeps its details. A title that this upload made gets the details given now.
                given = {} if wanted.movie_id else _given_details(wanted)
                hot = None if wanted.hot is UNSET else wanted.hot
                return await self._uploads.resume(found.upload_id, given, hot=hot), True
        if wanted.movie_id is not None:
            await self._titles.get(wanted.movie_id)
        # Checked before S3 is asked for anything. `_open_new` checks again, exactly.
        await self._uploads.check_quota(caller.account_id, wanted.size_bytes, self._quota)
        return await self._open_new(caller, wanted, content_type), False

    async def _open_new(self, caller: Caller, wanted: NewUpload, content_type: str) -> Upload:
        upload_id = ids.new_upload_id()
        key = keys.master_key(upload_id)
        multipart_id = await self._objects.create_multipart(key, content_type=content_type)
        now = datetime.now(UTC)
        upload = Upload(
            upload_id=upload_id,
            movie_id=wanted.movie_id or ids.new_movie_id(),
            version=0,
            account_id=caller.account_id,
            file_name=wanted.file_name,
            content_type=content_type,
            size_bytes=wanted.size_bytes,
            part_bytes=part_bytes_of(wanted.size_bytes, self._settings.upload_part_bytes),
            key=key,
            multipart_id=multipart_id,
            state="open",
            hot=wanted.hot is True,
            sidecars=(),
            created_at=now,
            touched_at=now,
        )
        details = None
        if wanted.movie_id is None:
            details = replace(TitleDetails(title_of(wanted.file_name)), **_given_details(wanted))
        try:
            return await self._uploads.open(upload, details, quota=self._quota)
        except BaseException as error:
            # No row names this multipart upload, so no other process would ever abort it. The request's time may be over.
            aborting = asyncio.create_task(
                self._objects.abort_multipart(key, multipart_id), context=deadlines.detached()
            )
            self._aborting.add(aborting)
            aborting.add_done_callback(self._aborted)
            if isinstance(error, Exception):
                await asyncio.wait({aborting}, timeout=deadlines.at_most(ABORT_SECONDS))
            raise

    def _aborted(self, done: asyncio.Task[None]) -> None:
        self._aborting.discard(done)
        if not done.cancelled() and (error := done.exception()) is not None:
            log.warning("the parts of an upload that was not opened stay in the store", reason=str(error))

    async def find_open(self, caller: Caller, file_name: str, size_bytes: int) -> list[Upload]:
        """The caller's open upload of a file with this name and size: one or none."""
        found = await self._uploads.find_open(caller.account_id, file_name, size_bytes)
        return [found] if found else []

    async def held_parts(self, caller: Caller, upload_id: str) -> list[StoredPart]:
        """The parts of an open upload that S3 holds. Raises `UploadUnknown`, `UploadStateConflict`, `NotPermitted`."""
        upload = await self._open_one(caller, upload_id)
        return list(await self._objects.list_parts(upload.key, upload.multipart_id))

    async def part_urls(
        self, caller: Caller, upload_id: str, numbers: list[int]
    ) -> tuple[list[tuple[int, str, int]], datetime]:
        """(number, presigned URL, size in bytes) of each part in `numbers`, and when the URLs expire.

        The request also counts as a sign of life: an upload without one is ended after a while. Raises `InputInvalid`
        for a number past the last part, `UploadUnknown`, `UploadStateConflict`, `NotPermitted`.
        """
        upload = await self._open_one(caller, upload_id)
        total = parts_total(upload.size_bytes, upload.part_bytes)
        for index, number in enumerate(numbers):
            if number > total:
                raise InputInvalid(f"There is no part {number}: the file has {total} parts.", field=f"numbers[{index}]")
        await self._uploads.touch(upload_id)
        seconds = self._settings.part_url_seconds
        expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
        signed = []
        for number in dict.fromkeys(numbers):
            size = size_of_part(number, upload.size_bytes, upload.part_bytes)
            url = await self._objects.part_url(
                upload.key, upload.multipart_id, number, size_bytes=size, seconds=seconds
            )
            signed.append((number, url, size))
        return signed, expires_at

    async def add_sidecar(self, caller: Caller, upload_id: str, sidecar: SidecarIn) -> SidecarOut:
        """Store a subtitle file beside the film, in the place of one of the same language, label and kind.

        Raises `MediaTypeRefused`, `SubtitlesRefused`, `UploadStateConflict` past `MAX_SIDECARS`, `UploadUnknown`, `NotPermitted`.
        """
        upload = await self._open_one(caller, upload_id)
        received = await asyncio.to_thread(receive_sidecar, upload_id, sidecar, len(upload.sidecars))
        stored = received.stored
        await self._objects.put(stored.key, received.body, content_type="text/plain")
        replaced = await self._uploads.add_sidecar(upload_id, stored, max_sidecars=MAX_SIDECARS)
        # The replaced object stays until the upload's end: the same file may be on its way again.
        return msgspec.structs.replace(received.answer, replaced=replaced.file_name if replaced else None)

    async def complete(self, caller: Caller, upload_id: str, parts: list[SentPart]) -> UploadStatus:
        """Verify all parts and finish the upload; the chain starts then. Repeating it is harmless.

        Raises `PartsMismatch`, `UploadStateConflict`, `UploadUnknown`, `NotPermitted`.
        """
        await self._permitted(caller, upload_id)
        sent = [StoredPart(part.number, part.size_bytes, part.checksum) for part in parts]
        await complete_upload(self._uploads, self._objects, upload_id, sent)
        return await self.status(upload_id)

    async def abort(self, caller: Caller, upload_id: str) -> None:
        """End an open upload and remove everything that it stored.

        Raises `UploadStateConflict`, `UploadUnknown`, `NotPermitted`.
        """
        await self._permitted(caller, upload_id)
        await end_upload(self._uploads, self._objects, upload_id, "aborted")

    async def status(self, upload_id: str) -> UploadStatus:
        """The upload and its version's progress in the chain. Raises `UploadUnknown`."""
        upload = await self._uploads.get(upload_id)
        ended = ended_early(upload.state)
        try:
            version = await self._versions.of_upload(upload_id)
        except (UploadUnknown, TitleUnknown):
            version = None
        return UploadStatus(
            upload_id=upload.upload_id,
            movie_id=upload.movie_id,
            version=upload.version,
            file_name=upload.file_name,
            size_bytes=upload.size_bytes,
            upload_state=upload.state,
            state=ended or (version.state if version else "aborted"),
            stage=version.stage if version else "upload",
            percent=version.percent if version else 0.0,
            speed=version.speed if version else None,
            reason=_reason(upload, version),
            notes=notes_out(version.notes if version else ()),
            playable=version is not None and await self._plays(upload.movie_id, upload.version),
        )

    async def _plays(self, movie_id: str, version: int) -> bool:
        try:
            title = await self._titles.get(movie_id)
        except TitleUnknown:
            return False
        return title.state == PLAYABLE and title.active_version == version

    async def _permitted(self, caller: Caller, upload_id: str) -> Upload:
        upload = await self._uploads.get(upload_id)
        if upload.account_id != caller.account_id and not may(caller.role, "touch_uploads_of_others"):
            raise NotPermitted("This upload belongs to another account.")
        return upload

    async def _open_one(self, caller: Caller, upload_id: str) -> Upload:
        upload = await self._permitted(caller, upload_id)
        if upload.state not in PART_UPLOADS:
            raise UploadStateConflict(f"The upload is {upload.state}: it takes no more parts and no subtitle files.")
        return upload
