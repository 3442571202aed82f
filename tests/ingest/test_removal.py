"""What is still stored of a deleted title is removed, and nothing of another title."""

import functools

from marquee.domain import ids
from marquee.ingest.completion import complete_upload
from marquee.ingest.removal import remove_deleted_titles, remove_failed_versions
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Upload
from marquee.stores.objects.contract import Objects
from marquee.stores.opened import open_bucket
from tests.harness.uploads import stated


async def test_what_a_deletion_left_is_removed(
    catalogue: Catalogue, objects: Objects, upload: Upload, s3_server: Settings
) -> None:
    """The API was killed before it removed anything, or a stage under way wrote on after it had."""
    published = open_bucket(s3_server, s3_server.published)
    await published.ensure_bucket()
    await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    movie_id = upload.movie_id
    stays = f"{ids.new_movie_id()}/v1/master.m3u8"
    for key in (f"{movie_id}/v1/master.m3u8", f"images/{movie_id}/v1/poster.jpg", stays):
        await published.put(key, b"x", content_type="text/plain")
    await objects.put(f"titles/{movie_id}/v1/source.json", b"{}", content_type="application/json")
    remove = functools.partial(remove_deleted_titles, catalogue.titles, catalogue.uploads, objects, published)
    assert await remove(older_than_seconds=0) == 0, "no title is deleted"
    await catalogue.titles.delete(movie_id)
    assert await remove(older_than_seconds=3600) == 0, "the API is still at it"
    assert await remove(older_than_seconds=0) == 1
    for bucket, prefix in (
        (published, f"{movie_id}/"),
        (published, f"images/{movie_id}/"),
        (objects, f"titles/{movie_id}/"),
        (objects, f"uploads/{upload.upload_id}/"),
    ):
        assert [stored.key async for stored in bucket.list(prefix)] == [], "a deleted title left objects"
    assert await published.head(stays) is not None, "another title's objects were taken"
    assert await remove(older_than_seconds=0) == 0, "it is done for good"
    await published.close()


async def test_what_is_published_of_a_failed_version_is_removed(
    catalogue: Catalogue, objects: Objects, upload: Upload, s3_server: Settings
) -> None:
    """The store was down when the version failed. What a new run needs stays."""
    published = open_bucket(s3_server, s3_server.published)
    await published.ensure_bucket()
    await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    movie_id, versions = upload.movie_id, catalogue.versions
    for key in (f"{movie_id}/v1/video/360p/init.mp4", f"images/{movie_id}/v1/poster.jpg", f"{movie_id}/v2/master.m3u8"):
        await published.put(key, b"x", content_type="text/plain")
    for stage in ("source", "plan", "renditions", "streams", "images"):
        await objects.put(f"titles/{movie_id}/v1/{stage}.json", b"{}", content_type="application/json")
    remove = functools.partial(remove_failed_versions, versions, objects, published, newer_than_seconds=3600)
    assert await remove(older_than_seconds=0) == 0, "the version has not failed"
    await versions.fail(movie_id, 1, "The disk was full.")
    assert await remove(older_than_seconds=600) == 0, "the chain is still at it"
    assert await remove(older_than_seconds=0) == 2
    assert [stored.key async for stored in published.list(f"{movie_id}/")] == [f"{movie_id}/v2/master.m3u8"]
    kept = [stored.key.rpartition("/")[2] async for stored in objects.list(f"titles/{movie_id}/")]
    assert sorted(kept) == ["plan.json", "renditions.json", "source.json"]
    assert await remove(older_than_seconds=0) == 0
    await published.close()
