"""The outbox is published exactly as often as needed: in order, and then emptied."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from jobs.outbox import publish_outbox
from marquee.events import TRANSCODING_JOBS, UploadCompleted
from marquee.ingest.completion import complete_upload
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Upload
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog
from marquee.stores.objects.contract import Objects
from tests.harness.uploads import stated


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
