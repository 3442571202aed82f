"""Removing what is stored: everything below a prefix, of an upload, of a deleted title."""

import itertools
from datetime import UTC, datetime, timedelta

from marquee.documents import keys
from marquee.errors import UploadUnknown
from marquee.logs import get_logger
from marquee.stores.catalogue.contract import Titles, Uploads
from marquee.stores.catalogue.values import Upload
from marquee.stores.objects.contract import Objects

log = get_logger()


async def remove_below(objects: Objects, prefix: str, *, keep: frozenset[str] = frozenset()) -> int:
    """Remove every object under a prefix, except those to `keep`. Returns how many went."""
    # Listed whole before anything is deleted: a listing does not bear deletions under its hands.
    found = [stored.key async for stored in objects.list(prefix) if stored.key not in keep]
    await objects.delete(found)
    return len(found)


async def remove_upload(objects: Objects, upload: Upload) -> int:
    """Everything that an upload has in the store: its parts, the film, its subtitles, also those that no row names."""
    await objects.abort_multipart(upload.key, upload.multipart_id)
    return await remove_below(objects, keys.upload_prefix(upload.upload_id))


async def remove_title(uploads: Uploads, objects: Objects, published: Objects, movie_id: str) -> int:
    """A deleted title's streams, images, stage documents and masters, of every version; returns how many objects went.

    Idempotent. Its chunks go by the sweep of chunks.
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
