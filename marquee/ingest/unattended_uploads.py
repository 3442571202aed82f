"""Uploads that nobody attends to any more: their completion was cut short, their client went away, or no run took them up.

Each function is one round over all such uploads and may be repeated. An upload that cannot be helped is logged and left for the
next round, so that it does not hold up the others.
"""

from datetime import UTC, datetime, timedelta

from marquee.errors import ObjectMissing, PartsMismatch, TitleUnknown, UploadStateConflict
from marquee.events import TRANSCODING_JOBS
from marquee.ingest.completion import finish_upload, message_of
from marquee.ingest.ending import end_upload
from marquee.logs import get_logger
from marquee.stores.catalogue.contract import Uploads
from marquee.stores.objects.contract import Objects

log = get_logger()


async def reconcile_uploads(uploads: Uploads, objects: Objects, *, older_than_seconds: float) -> int:
    """Finish uploads whose completion was cut short so long ago. Returns how many were finished."""
    finished = 0
    for upload in await uploads.untouched_since(_ago(older_than_seconds), state="completing"):
        try:
            await finish_upload(uploads, objects, upload)
        except (ObjectMissing, PartsMismatch, TitleUnknown, UploadStateConflict) as error:
            log.warning("upload not finished", upload_id=upload.upload_id, reason=error.detail)
            continue
        finished += 1
        log.info("upload finished for its client", upload_id=upload.upload_id)
    return finished


async def abandon_uploads(uploads: Uploads, objects: Objects, *, older_than_seconds: float) -> int:
    """End open uploads that no client has touched for so long, and remove what they stored. Returns how many were ended."""
    ended = 0
    for upload in await uploads.untouched_since(_ago(older_than_seconds), state="open"):
        try:
            await end_upload(uploads, objects, upload.upload_id, "abandoned")
        except UploadStateConflict as error:
            log.warning("upload not abandoned", upload_id=upload.upload_id, reason=error.detail)
            continue
        ended += 1
        log.info("upload abandoned", upload_id=upload.upload_id, file_name=upload.file_name)
    return ended


async def republish_uploads(uploads: Uploads, *, older_than_seconds: float) -> int:
    """Put completed uploads that no run has taken up for so long into the outbox once more. Returns how many.

    A topic forgets: what Dagster has not read within the topic's retention is gone from it. An upload that waits in Dagster's
    queue is known there by its id, so that nothing is done twice.
    """
    republished = 0
    for upload in await uploads.without_run(untouched_since=_ago(older_than_seconds)):
        if await uploads.republish(upload.upload_id, topic=TRANSCODING_JOBS, value=message_of(upload)):
            republished += 1
            log.warning("upload republished: no run took it up", upload_id=upload.upload_id)
    return republished


def _ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)
