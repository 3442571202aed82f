"""Removing what is stored: everything below a prefix, of an upload, of a failed version, of a deleted title."""

import itertools
from datetime import UTC, datetime, timedelta

from marquee.documents import STAGES, keys
from marquee.domain.lifecycle import UNFINISHED_UPLOADS
from marquee.errors import UploadUnknown
from marquee.logs import get_logger
from marquee.stores.catalogue.contract import Titles, Uploads, Versions
from marquee.stores.catalogue.values import Upload
from marquee.stores.objects.contract import Objects

log = get_logger()


async def remove_below(objects: Objects, prefix: str, *, keep: frozenset[str] = frozenset()) -> int:
    """Remove every object under a prefix, except those to `keep`. Returns how many went."""
    # Listed whole before anything is deleted: a listing does not bear deletions under its hands.
    found = [stored.key async for stored in objects.list(prefix) if stored.key not in keep]
    await objects.delete(found)
    return len(found)


async def remove_published(objects: Objects, published: Objects, movie_id: str, version: int) -> int:
    """A failed version's streams and images, and the stage documents that tell of them; returns how many objects went.

    Its chunks and the documents before `streams` stay for a while: a new run may go on from `streams`. Idempotent.
    """
    stages = STAGES[STAGES.index("streams") :]
    await objects.delete([keys.stage_key(movie_id, version, stage) for stage in stages])
    stored = keys.prefixes_of_version(movie_id, version)
    return sum([await remove_below(published, prefix) for prefix in stored.published])


async def remove_failed_versions(
    versions: Versions, objects: Objects, published: Objects, *, older_than_seconds: float, newer_than_seconds: float
) -> int:
    """Remove what is published of versions that failed in this span of time. Returns how many objects went.

    The chain removes it when a version fails. Some is left where the store was down at that moment, or the run was killed.
    """
    now, removed = datetime.now(UTC), 0
    oldest, newest = now - timedelta(seconds=newer_than_seconds), now - timedelta(seconds=older_than_seconds)
    for ended in await versions.failed_between(oldest, newest):
        movie_id, version = ended.movie_id, ended.version
        if gone := await remove_published(objects, published, movie_id, version):
            log.info("objects of a failed version removed", movie_id=movie_id, version=version, objects=gone)
            removed += gone
    return removed


async def remove_upload(objects: Objects, upload: Upload) -> int:
    """Everything that an upload has in the store: its parts, the film, its subtitles, also those that no row names."""
    await objects.abort_multipart(upload.key, upload.multipart_id)
    return await remove_below(objects, keys.upload_prefix(upload.upload_id))


async def remove_title(uploads: Uploads, objects: Objects, published: Objects, movie_id: str) -> int:
    """A deleted title's streams, images, stage documents and masters, of every version; returns how many objects went.

    Uploads on their way are ended. Idempotent. Its chunks go by the sweep of chunks.
    """
    stored = keys.prefixes_of_title(movie_id)
    removed = sum([await remove_below(published, prefix) for prefix in stored.published])
    removed += await remove_below(objects, stored.ingest)
    for version in itertools.count(1):
        try:
            upload = await uploads.of_version(movie_id, version)
        except UploadUnknown:
            return removed
        removed += await remove_upload(objects, upload)
        if upload.state in UNFINISHED_UPLOADS:
            # Its client is told at its next part, and its account may open another upload at once.
            await uploads.end(upload.upload_id, "aborted")
    raise AssertionError("the count has no end")


async def remove_deleted_titles(
    titles: Titles, uploads: Uploads, objects: Objects, published: Objects, *, older_than_seconds: float
) -> int:
    """Remove what is still stored of titles that were deleted so long ago. Returns how many titles were looked after.

    The API removes a title's objects when it deletes the title. Some are left where the API was killed meanwhile, or where a
    stage under way stored more before it saw, within a second, that its title is gone.
    """
    moment = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
    looked_after = 0
    while movie_ids := await titles.deleted_before(moment):
        for movie_id in movie_ids:
            if removed := await remove_title(uploads, objects, published, movie_id):
                log.info("objects of a deleted title removed", movie_id=movie_id, objects=removed)
            await titles.mark_removed(movie_id)
        looked_after += len(movie_ids)
    return looked_after
