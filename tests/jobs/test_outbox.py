"""Uploads end as completed or as nothing, whoever is killed when; the outbox is published exactly as often as needed."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import msgspec
import pytest

from jobs import outbox
from jobs.outbox import abandon_uploads, publish_outbox, reconcile_uploads, remove_deleted, tell_again
from marquee.domain import ids
from marquee.errors import (
    ObjectMissing,
    PartsMismatch,
    StoreUnavailable,
    TitleUnknown,
    UploadStateConflict,
    UploadUnknown,
)
from marquee.events import METADATA_CHANGES, TOPIC_GROUPS, TRANSCODING_JOBS, UploadCompleted
from marquee.ingest.completion import complete_upload
from marquee.ingest.ending import end_upload
from marquee.settings import Settings
from marquee.stores.catalogue import open_catalogue
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import TitleDetails, Upload
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog
from marquee.stores.migrate import migrate
from marquee.stores.objects.contract import Objects, StoredPart
from marquee.stores.opened import open_bucket

PART = 5 * 1024**2
BODIES = (os.urandom(PART), b"the tail")


@pytest.fixture
async def catalogue(empty_database: str) -> AsyncIterator[Catalogue]:
    migrate(empty_database)
    store = await open_catalogue(empty_database)
    yield store
    await store.close()


@pytest.fixture
async def objects(s3_server: Settings) -> AsyncIterator[Objects]:
    store = await open_bucket(s3_server, s3_server.objects)
    await store.ensure_bucket()
    yield store
    await store.close()


@pytest.fixture(params=["valkey_log_url", pytest.param("kafka_log_url", marks=pytest.mark.xdist_group("kafka"))])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def event_log(url: str) -> AsyncIterator[EventLog]:
    store = await open_event_log(url)
    yield store
    await store.close()


@pytest.fixture
async def upload(catalogue: Catalogue, objects: Objects) -> Upload:
    """Open, with both parts stored."""
    upload_id = ids.new_upload_id()
    key = f"uploads/{upload_id}/source"
    now = datetime.now(UTC)
    upload = await catalogue.open_upload(
        Upload(
            upload_id=upload_id,
            movie_id=ids.new_movie_id(),
            version=0,
            account_id=f"a_{secrets.token_hex(4)}",
            file_name="film.mp4",
            content_type="video/mp4",
            size_bytes=sum(map(len, BODIES)),
            part_bytes=PART,
            key=key,
            multipart_id=await objects.create_multipart(key, content_type="video/mp4"),
            state="open",
            hot=False,
            sidecars=(),
            created_at=now,
            touched_at=now,
        ),
        TitleDetails(title="Film"),
    )
    for number, body in enumerate(BODIES, 1):
        await put(objects, upload, number, body)
    return upload


async def put(objects: Objects, upload: Upload, number: int, body: bytes) -> None:
    url = await objects.part_url(upload.key, upload.multipart_id, number, size_bytes=len(body), seconds=60)
    async with httpx.AsyncClient(timeout=30) as client:
        (await client.put(url, content=body)).raise_for_status()


def stated() -> list[StoredPart]:
    return [StoredPart(number, len(body), hashlib.md5(body).hexdigest()) for number, body in enumerate(BODIES, 1)]


async def messages(catalogue: Catalogue, upload: Upload) -> list[UploadCompleted]:
    entries = await catalogue.outbox()
    return [msgspec.json.decode(entry.value, type=UploadCompleted) for entry in entries if entry.key == upload.movie_id]


async def test_a_complete_upload_is_stored_and_told_once(
    catalogue: Catalogue, objects: Objects, upload: Upload
) -> None:
    for _ in range(3):
        assert (await complete_upload(catalogue, objects, upload.upload_id, stated()[::-1])).state == "completed"
    assert await objects.get(upload.key) == b"".join(BODIES)
    [message] = await messages(catalogue, upload)
    assert (message.upload_id, message.movie_id, message.version) == (upload.upload_id, upload.movie_id, upload.version)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (stated()[:1], "has 2 parts"),
        ([*stated(), StoredPart(3, 1, "0" * 32)], "has 2 parts"),
        ([stated()[0], stated()[0]], "Part 2 is missing"),
        ([stated()[0], StoredPart(2, 8, "0" * 32)], "Part 2 is stored with the MD5"),
        ([stated()[0], StoredPart(2, 7, stated()[1].checksum)], "Part 2 must have 8 bytes"),
    ],
)
async def test_parts_that_are_not_the_file_leave_the_upload_open(
    catalogue: Catalogue, objects: Objects, upload: Upload, parts: list[StoredPart], words: str
) -> None:
    with pytest.raises(PartsMismatch, match=words):
        await complete_upload(catalogue, objects, upload.upload_id, parts)
    assert (await catalogue.upload(upload.upload_id)).state == "open"
    assert await messages(catalogue, upload) == []
    assert (await complete_upload(catalogue, objects, upload.upload_id, stated())).state == "completed"


async def test_a_part_sent_again_with_other_bytes_is_chosen_by_its_checksum(
    catalogue: Catalogue, objects: Objects, upload: Upload
) -> None:
    await put(objects, upload, 2, b"the liat")
    await complete_upload(catalogue, objects, upload.upload_id, stated())
    assert await objects.get(upload.key) == b"".join(BODIES)


@pytest.mark.parametrize("joined", [False, True], ids=["before the parts are joined", "after"])
async def test_a_completion_cut_short_is_finished_without_its_client(
    catalogue: Catalogue, objects: Objects, upload: Upload, joined: bool
) -> None:
    await catalogue.begin_completion(upload.upload_id)
    if joined:
        await objects.complete_multipart(upload.key, upload.multipart_id, stated())
    assert await reconcile_uploads(catalogue, objects, older_than_seconds=60) == 0, "a completion under way was touched"
    assert await reconcile_uploads(catalogue, objects, older_than_seconds=0) == 1
    assert await reconcile_uploads(catalogue, objects, older_than_seconds=0) == 0
    assert (await catalogue.upload(upload.upload_id)).state == "completed"
    assert await objects.get(upload.key) == b"".join(BODIES)
    assert len(await messages(catalogue, upload)) == 1
    assert (await complete_upload(catalogue, objects, upload.upload_id, stated())).state == "completed"


async def test_an_upload_whose_bytes_are_gone_ends(catalogue: Catalogue, objects: Objects, upload: Upload) -> None:
    await objects.abort_multipart(upload.key, upload.multipart_id)
    with pytest.raises(PartsMismatch, match="start it again"):
        await complete_upload(catalogue, objects, upload.upload_id, stated())
    assert (await catalogue.upload(upload.upload_id)).state == "abandoned"
    with pytest.raises(UploadStateConflict):
        await complete_upload(catalogue, objects, upload.upload_id, stated())


async def test_an_abandoned_upload_leaves_nothing(catalogue: Catalogue, objects: Objects, upload: Upload) -> None:
    assert await abandon_uploads(catalogue, objects, older_than_seconds=60) == 0
    assert await abandon_uploads(catalogue, objects, older_than_seconds=0) == 1
    assert (await catalogue.upload(upload.upload_id)).state == "abandoned"
    with pytest.raises(ObjectMissing):
        await objects.parts(upload.key, upload.multipart_id)
    with pytest.raises(UploadUnknown):
        await catalogue.version_of_upload(upload.upload_id)


@pytest.mark.parametrize("client_is_gone", [False, True])
async def test_an_upload_of_a_title_deleted_meanwhile_ends_and_leaves_nothing(
    catalogue: Catalogue, objects: Objects, upload: Upload, client_is_gone: bool
) -> None:
    await catalogue.delete(upload.movie_id)
    if client_is_gone:
        await catalogue.begin_completion(upload.upload_id)
        assert await reconcile_uploads(catalogue, objects, older_than_seconds=0) == 0
    else:
        with pytest.raises(TitleUnknown):
            await complete_upload(catalogue, objects, upload.upload_id, stated())
    assert (await catalogue.upload(upload.upload_id)).state == "abandoned", "it would be tried again for ever"
    assert [one.key async for one in objects.list(f"uploads/{upload.upload_id}/")] == [], "its film was left behind"


async def test_an_upload_whose_end_was_cut_short_is_ended_by_the_next_round(
    catalogue: Catalogue, objects: Objects, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten = f"uploads/{upload.upload_id}/sidecars/forgotten"
    await objects.put(forgotten, b"WEBVTT", content_type="text/plain")

    async def killed(*_: object) -> None:
        raise StoreUnavailable("killed here")

    with monkeypatch.context() as patched:
        patched.setattr(catalogue, "end_upload", killed)
        with pytest.raises(StoreUnavailable):
            await end_upload(catalogue, objects, upload.upload_id, "aborted")
    with pytest.raises(ObjectMissing):
        await objects.parts(upload.key, upload.multipart_id)
    assert await objects.head(forgotten) is None, "a subtitle that no row names was left behind"
    assert (await catalogue.upload(upload.upload_id)).state == "open", "nobody would look for what is left"
    assert await abandon_uploads(catalogue, objects, older_than_seconds=0) == 1


@pytest.mark.parametrize("told", [False, True], ids=["joined", "completed"])
async def test_a_film_that_is_whole_is_not_removed_by_ending_its_upload(
    catalogue: Catalogue, objects: Objects, upload: Upload, told: bool
) -> None:
    if told:
        await complete_upload(catalogue, objects, upload.upload_id, stated())
    else:
        await catalogue.begin_completion(upload.upload_id)
        await objects.complete_multipart(upload.key, upload.multipart_id, stated())
    with pytest.raises(UploadStateConflict):
        await end_upload(catalogue, objects, upload.upload_id, "aborted")
    assert await objects.get(upload.key) == b"".join(BODIES)


async def test_the_outbox_is_published_in_order_and_emptied(
    catalogue: Catalogue, objects: Objects, event_log: EventLog, upload: Upload
) -> None:
    await complete_upload(catalogue, objects, upload.upload_id, stated())
    assert await publish_outbox(catalogue, event_log) == 1
    assert await publish_outbox(catalogue, event_log) == 0
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
    await complete_upload(catalogue, objects, upload.upload_id, stated())
    await catalogue.mark_published([entry.entry_id for entry in await catalogue.outbox()])
    assert await tell_again(catalogue, older_than_seconds=3600) == 0, "it may be in Dagster's queue"
    assert await tell_again(catalogue, older_than_seconds=0) == 1
    [message] = await messages(catalogue, upload)
    assert (message.upload_id, message.movie_id, message.version) == (upload.upload_id, upload.movie_id, upload.version)
    assert await tell_again(catalogue, older_than_seconds=3600) == 0, "it was told a moment ago"
    await catalogue.report_progress(upload.movie_id, upload.version, stage="source", percent=1.0, run_id="a run")
    assert await tell_again(catalogue, older_than_seconds=0) == 0, "a run has it"


async def test_an_upload_that_ended_is_not_told_again(catalogue: Catalogue, objects: Objects, upload: Upload) -> None:
    assert await tell_again(catalogue, older_than_seconds=0) == 0, "it is not completed"
    await complete_upload(catalogue, objects, upload.upload_id, stated())
    await catalogue.delete(upload.movie_id)
    assert await tell_again(catalogue, older_than_seconds=0) == 0, "its title is gone"
    assert not await catalogue.tell_again(upload.upload_id, topic=TRANSCODING_JOBS, value=b"")


async def test_what_a_deletion_left_is_removed(
    catalogue: Catalogue, objects: Objects, upload: Upload, s3_server: Settings
) -> None:
    """The API was killed before it removed anything, or a stage under way wrote on after it had."""
    published = await open_bucket(s3_server, s3_server.published)
    await published.ensure_bucket()
    await complete_upload(catalogue, objects, upload.upload_id, stated())
    movie_id = upload.movie_id
    stays = f"{ids.new_movie_id()}/v1/master.m3u8"
    for key in (f"{movie_id}/v1/master.m3u8", f"images/{movie_id}/v1/poster.jpg", stays):
        await published.put(key, b"x", content_type="text/plain")
    await objects.put(f"titles/{movie_id}/v1/source.json", b"{}", content_type="application/json")
    assert await remove_deleted(catalogue, objects, published, older_than_seconds=0) == 0, "no title is deleted"
    await catalogue.delete(movie_id)
    assert await remove_deleted(catalogue, objects, published, older_than_seconds=3600) == 0, "the API is still at it"
    assert await remove_deleted(catalogue, objects, published, older_than_seconds=0) == 1
    for bucket, prefix in (
        (published, f"{movie_id}/"),
        (published, f"images/{movie_id}/"),
        (objects, f"titles/{movie_id}/"),
        (objects, f"uploads/{upload.upload_id}/"),
    ):
        assert [stored.key async for stored in bucket.list(prefix)] == [], "a deleted title left objects"
    assert await published.head(stays) is not None, "another title's objects were taken"
    assert await remove_deleted(catalogue, objects, published, older_than_seconds=0) == 0, "it is done for good"
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
