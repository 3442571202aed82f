"""The outbox is published exactly as often as needed; what nobody took up is told again, what is over is removed."""

import asyncio
import functools
import secrets
from collections.abc import AsyncIterator

import msgspec
import pytest

from jobs import outbox
from jobs.outbox import publish_outbox, remove_deleted, republish_uploads
from marquee.domain import ids
from marquee.events import METADATA_CHANGES, TOPIC_GROUPS, TRANSCODING_JOBS, UploadCompleted
from marquee.ingest.completion import complete_upload
from marquee.settings import Settings
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Upload
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog
from marquee.stores.objects.contract import Objects
from marquee.stores.opened import open_bucket
from tests.harness.uploads import messages, stated


@pytest.fixture(params=["valkey_log_url", pytest.param("kafka_log_url", marks=pytest.mark.xdist_group("kafka"))])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def event_log(url: str) -> AsyncIterator[EventLog]:
    store = open_event_log(url)
    yield store
    await store.close()


async def test_the_outbox_is_published_in_order_and_emptied(
    catalogue: Catalogue, objects: Objects, event_log: EventLog, upload: Upload
) -> None:
    await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    assert await publish_outbox(catalogue.outbox, event_log) == 1
    assert await publish_outbox(catalogue.outbox, event_log) == 0
    cursor, found = None, []
    while True:
        records, cursor = await event_log.read(TRANSCODING_JOBS, cursor)
        if not records:
            break
        found += [record for record in records if record.key == upload.movie_id]
    assert [msgspec.json.decode(record.value, type=UploadCompleted).upload_id for record in found] == [upload.upload_id]


async def test_an_upload_that_no_run_took_up_is_told_again(
    catalogue: Catalogue, objects: Objects, upload: Upload
) -> None:
    """The topic has forgotten it: Dagster was away for longer than messages are kept."""
    await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    await catalogue.outbox.mark_published([entry.entry_id for entry in await catalogue.outbox.oldest()])
    assert await republish_uploads(catalogue.uploads, older_than_seconds=3600) == 0, "it may be in Dagster's queue"
    assert await republish_uploads(catalogue.uploads, older_than_seconds=0) == 1
    [message] = await messages(catalogue, upload)
    assert (message.upload_id, message.movie_id, message.version) == (upload.upload_id, upload.movie_id, upload.version)
    assert await republish_uploads(catalogue.uploads, older_than_seconds=3600) == 0, "it was told a moment ago"
    await catalogue.versions.report_progress(
        upload.movie_id, upload.version, stage="source", percent=1.0, run_id="a run"
    )
    assert await republish_uploads(catalogue.uploads, older_than_seconds=0) == 0, "a run has it"


async def test_an_upload_that_ended_is_not_told_again(catalogue: Catalogue, objects: Objects, upload: Upload) -> None:
    assert await republish_uploads(catalogue.uploads, older_than_seconds=0) == 0, "it is not completed"
    await complete_upload(catalogue.uploads, objects, upload.upload_id, stated())
    await catalogue.titles.delete(upload.movie_id)
    assert await republish_uploads(catalogue.uploads, older_than_seconds=0) == 0, "its title is gone"
    assert not await catalogue.uploads.republish(upload.upload_id, topic=TRANSCODING_JOBS, value=b"")


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
    remove = functools.partial(remove_deleted, catalogue.titles, catalogue.uploads, objects, published)
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


async def test_changes_are_kept_for_a_search_sync_that_has_not_begun(
    event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes, others = (f"test-{secrets.token_hex(6)}" for _ in range(2))
    monkeypatch.setattr(outbox, "TOPIC_STREAMS", {changes: 1, others: 1})
    monkeypatch.setattr(outbox, "TOPIC_GROUPS", {changes: TOPIC_GROUPS[METADATA_CHANGES]})
    monkeypatch.setattr(outbox, "RETENTION_MS", 0)
    for topic in (changes, others):
        await event_log.ensure_topic(topic, streams=1)
        for number in range(5):
            await event_log.publish(topic, "m", str(number).encode())
    async with asyncio.timeout(15):
        left = 5
        while left > 0:  # of this millisecond nothing is older than 0 ms
            await outbox.trim_topics(event_log)
            left = len((await event_log.read(others, None))[0])
    kept, _ = await event_log.read(changes, None)
    assert [record.value for record in kept] == [b"0", b"1", b"2", b"3", b"4"]


async def test_what_was_buried_goes_after_an_age_of_its_own(
    event_log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumed = f"test-{secrets.token_hex(6)}"
    await event_log.ensure_topic(consumed, streams=1)
    monkeypatch.setattr(outbox, "TOPIC_STREAMS", {consumed: 1})
    monkeypatch.setattr(outbox, "TOPIC_GROUPS", {consumed: ("g",)})
    monkeypatch.setattr(outbox, "RETENTION_MS", 0)
    await event_log.publish(consumed, "k", b"poison")
    consumer = await event_log.subscribe(consumed, "g")
    for record in await consumer.poll(timeout_seconds=15):
        await consumer.dead_letter(record, "it cannot be handled")
    await outbox.trim_topics(event_log)
    buried, _ = await event_log.read(f"{consumed}.dead", None)
    assert [record.value for record in buried] == [b"poison"]
    monkeypatch.setattr(outbox, "DEAD_RETENTION_MS", 0)
    async with asyncio.timeout(15):
        while (await event_log.read(f"{consumed}.dead", None))[0]:  # of this millisecond nothing is older than 0 ms
            await outbox.trim_topics(event_log)
    await consumer.close()
