"""Uploads: what may be uploaded, where each part goes, and the state of an upload until its title plays.

The bytes go straight to S3 by presigned URLs; the API only opens the multipart upload, signs, and completes. Nothing is
kept for resuming but what S3 holds: an open upload of the same file by the same account is found again, and its parts'
checksums say what need not be sent twice.
"""

import hashlib
import mimetypes
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, Final

from msgspec import UNSET

from api.auth.tokens import Caller
from api.uploads.schemas import NewUpload, SentPart, SidecarIn, UploadStatus
from marquee.documents import keys
from marquee.domain import ids
from marquee.domain.file_names import title_of
from marquee.domain.lifecycle import FOLLOWED_SENTENCES, PART_UPLOADS, PLAYABLE, ended_early
from marquee.domain.parts import part_bytes_of, parts_total, size_of_part
from marquee.domain.roles import may
from marquee.domain.rows import canonical_genres
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
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Titles, Uploads, Versions
from marquee.stores.catalogue.values import Sidecar, TitleDetails, Upload, Version
from marquee.stores.objects.contract import Objects, StoredPart

MAX_SIDECARS: Final = 32
SIDECAR_SUFFIXES: Final = (".srt", ".vtt", ".ass", ".ssa")
UNDECIDED_TYPE: Final = "application/octet-stream"
NOT_FILMS: Final = ("text/", "image/", "font/", "model/", "message/")
"""Kinds of content that no film is of, where the client itself states them."""
MISTAKEN_TYPES: Final = frozenset(("text/vnd.trolltech.linguist",))
"""What some systems take an MPEG transport stream (.ts) for."""


def media_type_of(file_name: str, stated: str | None) -> str:
    """The type to store the master under. Raises `MediaTypeRefused` for what is no film by the client's own word.

    A name's ending decides nothing: what the file really is, the chain finds out by decoding it.
    """
    kind = (stated or mimetypes.guess_type(file_name)[0] or UNDECIDED_TYPE).lower()
    if not kind.startswith(NOT_FILMS):
        return kind
    if stated is None or kind in MISTAKEN_TYPES:
        return UNDECIDED_TYPE
    raise MediaTypeRefused(f"{file_name} is of the type {kind}: upload a film (video/...).", field="content_type")


def _reason(upload: Upload, version: Version | None) -> str | None:
    """Why the film of this upload does not play and will not; None where nothing speaks against it."""
    if ended := ended_early(upload.state):
        return FOLLOWED_SENTENCES[ended]
    if version is None:
        return "The title was deleted."
    if version.state == "superseded":
        return FOLLOWED_SENTENCES[version.state]
    return version.reason


def _given_details(wanted: NewUpload) -> dict[str, Any]:
    """What the request states of the title; a null title is none stated."""
    given = {
        name: value
        for name in ("title", "year", "description", "genres")
        if (value := getattr(wanted, name)) is not UNSET and (name != "title" or value)
    }
    if "genres" in given:
        given["genres"] = canonical_genres(given["genres"])
    return given


class UploadService:
    def __init__(
        self, uploads: Uploads, versions: Versions, titles: Titles, objects: Objects, settings: Settings
    ) -> None:
        self._uploads = uploads
        self._versions = versions
        self._titles = titles
        self._objects = objects
        self._settings = settings

    async def open(self, caller: Caller, wanted: NewUpload) -> tuple[Upload, bool]:
        """The upload and whether it is one that was open before.

        Raises `UploadTooLarge`, `SourceRefused` for an empty file, `MediaTypeRefused`, `TitleUnknown`, and
        `UploadStateConflict` where the open upload is completed or ended at this moment.
        """
        if wanted.size_bytes > self._settings.upload_max_bytes:
            raise UploadTooLarge(
                f"A file may have at most {self._settings.upload_max_bytes} bytes.", field="size_bytes"
            )
        if wanted.size_bytes == 0:
            raise SourceRefused(f"{wanted.file_name} is empty: it has no picture.", field="size_bytes")
        content_type = media_type_of(wanted.file_name, wanted.content_type)
        if wanted.resume:
            found = await self._uploads.find_resumable(
                caller.account_id, wanted.file_name, wanted.size_bytes, movie_id=wanted.movie_id
            )
            if found is not None:
                # A title that exists keeps its details; one that this upload made gets what is stated of it now.
                given = {} if wanted.movie_id else _given_details(wanted)
                hot = None if wanted.hot is UNSET else wanted.hot
                return await self._uploads.resume(found.upload_id, given, hot=hot), True
        if wanted.movie_id is not None:
            await self._titles.get(wanted.movie_id)
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
            return await self._uploads.open(upload, details)
        except BaseException:
            # No row names it, so nobody else would ever end it.
            await self._objects.abort_multipart(key, multipart_id)
            raise

    async def find_open(self, caller: Caller, file_name: str, size_bytes: int) -> list[Upload]:
        found = await self._uploads.find_open(caller.account_id, file_name, size_bytes)
        return [found] if found else []

    async def held_parts(self, caller: Caller, upload_id: str) -> list[StoredPart]:
        """What S3 holds of an open upload. Raises `UploadUnknown`, `UploadStateConflict`, `NotPermitted`."""
        upload = await self._open_one(caller, upload_id)
        return list(await self._objects.list_parts(upload.key, upload.multipart_id))

    async def part_urls(
        self, caller: Caller, upload_id: str, numbers: list[int]
    ) -> tuple[list[tuple[int, str, int]], datetime]:
        """(number, presigned URL, size) of each part asked for, and until when they hold. Counts as a sign of life."""
        upload = await self._open_one(caller, upload_id)
        total = parts_total(upload.size_bytes, upload.part_bytes)
        for index, number in enumerate(numbers):
            if number > total:
                raise InputInvalid(f"The file has {total} parts; {number} is none of them.", field=f"numbers[{index}]")
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

    async def add_sidecar(self, caller: Caller, upload_id: str, sidecar: SidecarIn) -> Sidecar:
        """Store a subtitle file beside the film; the same text twice is one. Raises `MediaTypeRefused`."""
        upload = await self._open_one(caller, upload_id)
        if PurePosixPath(sidecar.file_name).suffix.lower() not in SIDECAR_SUFFIXES:
            raise MediaTypeRefused(f"Subtitles are read from {', '.join(SIDECAR_SUFFIXES)} files.", field="file_name")
        body = sidecar.text.encode()
        name = hashlib.sha256(f"{sidecar.file_name}\0{sidecar.language}\0".encode() + body).hexdigest()[:16]
        stored = Sidecar(
            key=keys.sidecar_key(upload_id, name),
            file_name=sidecar.file_name,
            language=sidecar.language,
            label=sidecar.label or sidecar.language,
        )
        if any(one.key == stored.key for one in upload.sidecars):
            return stored
        if len(upload.sidecars) >= MAX_SIDECARS:
            raise UploadStateConflict(f"An upload has at most {MAX_SIDECARS} subtitle files.")
        await self._objects.put(stored.key, body, content_type="text/plain; charset=utf-8")
        await self._uploads.add_sidecar(upload_id, stored)
        return stored

    async def complete(self, caller: Caller, upload_id: str, parts: list[SentPart]) -> UploadStatus:
        """Verify and finish; doing it again is harmless. Raises `PartsMismatch`, `UploadStateConflict`."""
        await self._permitted(caller, upload_id)
        sent = [StoredPart(part.number, part.size_bytes, part.checksum) for part in parts]
        await complete_upload(self._uploads, self._objects, upload_id, sent)
        return await self.status(upload_id)

    async def abort(self, caller: Caller, upload_id: str) -> None:
        """End an open upload and remove what it stored; nothing half-made is left."""
        await self._permitted(caller, upload_id)
        await end_upload(self._uploads, self._objects, upload_id, "aborted")

    async def status(self, upload_id: str) -> UploadStatus:
        """Raises `UploadUnknown`."""
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
            raise UploadStateConflict(f"The upload is {upload.state}: it takes no more parts.")
        return upload
