"""When an upload is complete: the one rule, followed by the API and by the reconciler that finishes what a kill left.

While the upload is open, the parts in S3 are compared with the file's size and the client's checksums. Then the upload is
`completing`, and any process may finish it without the client: join the parts, compare the size, and in one transaction mark
the upload completed and put its message into the outbox. Every step may be repeated. An upload is completed once, and its message
is published, whichever process is killed at whatever moment.
"""

import contextlib
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from marquee.domain.lifecycle import ended_early
from marquee.domain.parts import parts_total, size_of_part
from marquee.errors import ObjectMissing, PartsMismatch, TitleUnknown, UploadStateConflict
from marquee.events import TRANSCODING_JOBS, UploadCompleted
from marquee.ingest.removal import remove_upload
from marquee.stores.catalogue.contract import Uploads
from marquee.stores.catalogue.values import Upload
from marquee.stores.objects.contract import Objects, StoredPart

MAX_NAMED_PARTS: Final = 10
"""Missing parts that an error names; it counts the others."""


async def complete_upload(uploads: Uploads, objects: Objects, upload_id: str, parts: Sequence[StoredPart]) -> Upload:
    """Verify the parts that the client sent and complete the upload; completing it again is harmless.

    Raises `PartsMismatch` naming the part at fault (the upload stays open: send that part again; it is ended where nothing
    of it is stored any more), `UploadUnknown`, `TitleUnknown`, `UploadStateConflict` for an upload that was ended.
    """
    upload = await uploads.get(upload_id)
    if upload.state == "open":
        held = await _held_parts(uploads, objects, upload)
        if held is not None:
            verify_parts(upload, parts, held)
            upload = await uploads.begin_completion(upload_id)
        else:
            upload = await uploads.get(upload_id)
    elif upload.state == "completing":
        # Another request is at it, or was killed. It verified its own list: a wrong one of this request changes nothing there.
        with contextlib.suppress(ObjectMissing):
            verify_parts(upload, parts, await objects.list_parts(upload.key, upload.multipart_id))
    if upload.state == "completed":
        return upload
    if upload.state != "completing":
        raise UploadStateConflict(f"The upload is {upload.state}: start it again.", field="upload_id")
    await finish_upload(uploads, objects, upload, parts=parts)
    return await uploads.get(upload_id)


async def finish_upload(
    uploads: Uploads, objects: Objects, upload: Upload, *, parts: Sequence[StoredPart] | None = None
) -> None:
    """Finish an upload that is `completing`, from wherever it stands; `parts`: what was verified, where it is known.

    Raises `PartsMismatch` where S3 does not hold the whole file; the upload is open again then.
    Raises `UploadStateConflict` where another request completed it with other parts, or ended it.
    Raises `TitleUnknown` where the title was deleted meanwhile; the upload is ended and its bytes are removed.
    """
    try:
        held = await objects.list_parts(upload.key, upload.multipart_id)
    except ObjectMissing:
        # Joined before: by whoever was killed before it could say so.
        stored = await objects.head(upload.key)
    else:
        try:
            verified = verify_parts(upload, parts if parts is not None else held, held)
            stored = await objects.complete_multipart(upload.key, upload.multipart_id, verified)
        except PartsMismatch:
            await uploads.reopen(upload.upload_id)
            raise
        except ObjectMissing as error:
            raise UploadStateConflict(
                "Another request completed this upload with other parts, or ended it, at the same time: ask for its state.",
                field="upload_id",
            ) from error
    if stored is None or stored.size_bytes != upload.size_bytes:
        await uploads.reopen(upload.upload_id)
        found = "nothing" if stored is None else f"{stored.size_bytes} bytes"
        raise PartsMismatch(
            f"{found} of the file's {upload.size_bytes} bytes are stored: send it again.", field="parts"
        )
    try:
        await uploads.finish_completion(upload.upload_id, topic=TRANSCODING_JOBS, value=message_of(upload))
    except TitleUnknown:
        # Deleted while its film was on the way: nobody would ever finish this upload, nor remove its bytes.
        await remove_upload(objects, upload)
        await uploads.end(upload.upload_id, "abandoned")
        raise
    except UploadStateConflict:
        # Ended while its parts were joined: the file may have come after the removal of what was stored.
        if ended_early((await uploads.get(upload.upload_id)).state):
            await remove_upload(objects, upload)
        raise


def message_of(upload: Upload) -> bytes:
    """What `transcoding-jobs` is told of a completed upload."""
    message = UploadCompleted(
        upload_id=upload.upload_id,
        movie_id=upload.movie_id,
        version=upload.version,
        hot=upload.hot,
        completed_at_ms=int(time.time() * 1000),
    )
    return msgspec.json.encode(message)


def verify_parts(upload: Upload, sent: Sequence[StoredPart], held: Sequence[StoredPart]) -> list[StoredPart]:
    """Every part of the file, once, of its exact size, stored with the checksum that the client states; in order.

    Raises `PartsMismatch` naming the first part that is not so.
    """
    indices = _index_by_number(sent, parts_total(upload.size_bytes, upload.part_bytes))
    chosen = []
    for number, index in sorted(indices.items()):
        part, size = sent[index], size_of_part(number, upload.size_bytes, upload.part_bytes)
        if part.size_bytes != size:
            raise PartsMismatch(
                f"Part {number} must have {size} bytes, but the list says {part.size_bytes}: correct the list.",
                field=f"parts[{index}].size_bytes",
            )
        there = {one.checksum.lower(): one for one in held if one.number == number}
        if not there:
            raise PartsMismatch(f"Part {number} was not stored: send it again.", field=f"parts[{index}]")
        match = there.get(part.checksum.lower())
        if match is None:
            raise PartsMismatch(
                f"Part {number} is stored with the MD5 {', '.join(there)}, not {part.checksum}: send it again.",
                field=f"parts[{index}].checksum",
            )
        if match.size_bytes != size:
            raise PartsMismatch(
                f"Part {number} must have {size} bytes, but {match.size_bytes} are stored: send it again.",
                field=f"parts[{index}].size_bytes",
            )
        chosen.append(match)
    return chosen


def _index_by_number(sent: Sequence[StoredPart], total: int) -> dict[int, int]:
    """Where each part stands in the client's list. Raises `PartsMismatch` unless each part stands in it once."""
    indices: dict[int, int] = {}
    for index, part in enumerate(sent):
        if part.number > total:
            raise PartsMismatch(
                f"There is no part {part.number}: the file has {total} parts.", field=f"parts[{index}].number"
            )
        indices.setdefault(part.number, index)
    missing = [number for number in range(1, total + 1) if number not in indices]
    shown = ", ".join(map(str, missing[:MAX_NAMED_PARTS])) + (" ..." if len(missing) > MAX_NAMED_PARTS else "")
    lacks = (
        f"Part{'s' * (len(missing) > 1)} {shown} {'are' if len(missing) > 1 else 'is'} missing from the list"
        if missing
        else ""
    )
    for index, part in enumerate(sent):
        if indices[part.number] != index:
            raise PartsMismatch(
                f"Part {part.number} stands twice in the list. {lacks + '. ' if lacks else ''}Name each part once.",
                field=f"parts[{index}].number",
            )
    if missing:
        raise PartsMismatch(f"{lacks}: the file has {total} parts. Name each once.", field="parts")
    return indices


async def _held_parts(uploads: Uploads, objects: Objects, upload: Upload) -> Sequence[StoredPart] | None:
    """The stored parts of an upload that was open a moment ago. None if another request has joined them meanwhile."""
    try:
        return await objects.list_parts(upload.key, upload.multipart_id)
    except ObjectMissing as error:
        if (await uploads.get(upload.upload_id)).state != "open":
            return None
        await uploads.end(upload.upload_id, "abandoned")
        raise PartsMismatch("Nothing of this upload is stored any more: start it again.", field="parts") from error
