"""Taking away what is stored: everything below a prefix, an upload's, a deleted title's."""

import itertools

from marquee.documents import keys
from marquee.errors import UploadUnknown
from marquee.stores.catalogue.contract import Uploads
from marquee.stores.catalogue.values import Upload
from marquee.stores.objects.contract import Objects


async def remove_below(objects: Objects, prefix: str, *, keep: frozenset[str] = frozenset()) -> int:
    """Remove every object under a prefix but those to `keep`; returns how many went."""
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
