"""`/uploads`: opening, signing parts, subtitle files, completing, aborting and following, for content engineers.

The file's bytes go from the client to S3 by presigned URLs. The bodies are small, except for the two bounds below.
"""

from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from api.auth.tokens import Caller
from api.guards import BEARER, MANAGES_TITLES
from api.problems import documented
from api.request_deadline import LONG
from api.uploads.schemas import (
    FILE_NAME,
    Completion,
    HeldPart,
    HeldParts,
    NewUpload,
    OpenUpload,
    OpenUploads,
    PartNumbers,
    PartUrl,
    PartUrls,
    SidecarIn,
    SidecarOut,
    UploadOpened,
    UploadStatus,
)
from api.uploads.service import UploadService
from api.wire import UploadIdPath
from marquee.domain.parts import parts_total

SizeQuery = Annotated[int, QueryParameter(ge=0, le=2**53)]
FileNameQuery = Annotated[str, QueryParameter(min_length=1, max_length=255, pattern=FILE_NAME)]
MAX_COMPLETION_BYTES = 2 * 1024 * 1024
"""Body of a completion: 10,000 parts with their checksums are about 1 MB."""
MAX_SIDECAR_BYTES = 5 * 1024 * 1024
"""Body of a subtitle file: 2 MB of text, escaped as JSON, or 3.5 MB in base64."""


class UploadController(Controller):
    """Uploads of films."""

    path = "/uploads"
    tags = ("Uploads",)
    opt = MANAGES_TITLES
    security = BEARER

    @post("/", responses=documented(401, 403, 404, 409, 413, 415, 422))
    async def open_upload(
        self, data: JSONBody[NewUpload], caller: NamedDependency[Caller], uploads: NamedDependency[UploadService]
    ) -> UploadOpened:
        """Open an upload, or find the same file's open one again."""
        upload, resumed = await uploads.open(caller, data)
        return UploadOpened(
            upload_id=upload.upload_id,
            movie_id=upload.movie_id,
            version=upload.version,
            part_bytes=upload.part_bytes,
            parts_total=parts_total(upload.size_bytes, upload.part_bytes),
            resumed=resumed,
        )

    @get("/", responses=documented(401, 403))
    async def find_open(
        self,
        file_name: FileNameQuery,
        size_bytes: SizeQuery,
        caller: NamedDependency[Caller],
        uploads: NamedDependency[UploadService],
    ) -> OpenUploads:
        """The caller's open upload of this file, if there is one."""
        found = await uploads.find_open(caller, file_name, size_bytes)
        return OpenUploads(
            uploads=[
                OpenUpload(
                    upload_id=one.upload_id,
                    movie_id=one.movie_id,
                    version=one.version,
                    file_name=one.file_name,
                    size_bytes=one.size_bytes,
                    part_bytes=one.part_bytes,
                    parts_total=parts_total(one.size_bytes, one.part_bytes),
                    created_at=one.created_at,
                )
                for one in found
            ]
        )

    @get("/{upload_id:str}", responses=documented(401, 403, 404))
    async def status(self, upload_id: UploadIdPath, uploads: NamedDependency[UploadService]) -> UploadStatus:
        """Stage and per cent; why a film was refused."""
        return await uploads.status(upload_id)

    @delete("/{upload_id:str}", opt=LONG, responses=documented(401, 403, 404, 409))
    async def abort(
        self, upload_id: UploadIdPath, caller: NamedDependency[Caller], uploads: NamedDependency[UploadService]
    ) -> None:
        """End an open upload; what was stored of it is removed."""
        await uploads.abort(caller, upload_id)

    @get("/{upload_id:str}/parts", responses=documented(401, 403, 404, 409))
    async def held_parts(
        self, upload_id: UploadIdPath, caller: NamedDependency[Caller], uploads: NamedDependency[UploadService]
    ) -> HeldParts:
        """The parts that S3 holds already, with their checksums."""
        return HeldParts(
            parts=[
                HeldPart(number=one.number, size_bytes=one.size_bytes, checksum=one.checksum)
                for one in await uploads.held_parts(caller, upload_id)
            ]
        )

    @post("/{upload_id:str}/parts", status_code=200, responses=documented(401, 403, 404, 409, 413, 415))
    async def part_urls(
        self,
        upload_id: UploadIdPath,
        data: JSONBody[PartNumbers],
        caller: NamedDependency[Caller],
        uploads: NamedDependency[UploadService],
    ) -> PartUrls:
        """A presigned URL for each part asked for, 100 at most."""
        parts, expires_at = await uploads.part_urls(caller, upload_id, data.numbers)
        return PartUrls(
            parts=[PartUrl(number=number, url=url, size_bytes=size) for number, url, size in parts],
            expires_at=expires_at,
        )

    @post(
        "/{upload_id:str}/sidecars",
        opt=LONG,
        request_max_body_size=MAX_SIDECAR_BYTES,
        responses=documented(401, 403, 404, 409, 413, 415, 422),
    )
    async def add_sidecar(
        self,
        upload_id: UploadIdPath,
        data: JSONBody[SidecarIn],
        caller: NamedDependency[Caller],
        uploads: NamedDependency[UploadService],
    ) -> SidecarOut:
        """Add a subtitle file, before the upload is completed. A file that cannot be read is refused: send it before the film."""
        return await uploads.add_sidecar(caller, upload_id, data)

    @post(
        "/{upload_id:str}/complete",
        status_code=200,
        opt=LONG,
        request_max_body_size=MAX_COMPLETION_BYTES,
        responses=documented(401, 403, 404, 409, 413, 415, 422),
    )
    async def complete(
        self,
        upload_id: UploadIdPath,
        data: JSONBody[Completion],
        caller: NamedDependency[Caller],
        uploads: NamedDependency[UploadService],
    ) -> UploadStatus:
        """Verify sizes and checksums and hand the film to the chain. Repeating it does no harm."""
        return await uploads.complete(caller, upload_id, data.parts)
