"""A catalogue and a bucket for one test, and an upload in them."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from marquee.settings import Settings
from marquee.stores.catalogue import open_catalogue
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import TitleDetails, Upload
from marquee.stores.objects.contract import Objects
from marquee.stores.opened import open_bucket
from marquee.stores.schema.migrate import migrate
from tests.harness.uploads import BODIES, PART, new_upload, put


@pytest.fixture
async def catalogue(empty_database: str) -> AsyncIterator[Catalogue]:
    migrate(empty_database)
    store = open_catalogue(empty_database)
    yield store
    await store.close()


@pytest.fixture
async def objects(s3_server: Settings) -> AsyncIterator[Objects]:
    store = open_bucket(s3_server, s3_server.objects)
    await store.ensure_bucket()
    yield store
    await store.close()


@pytest.fixture
async def upload(catalogue: Catalogue, objects: Objects) -> Upload:
    """An open upload, of which both parts are stored."""
    asked = new_upload(size_bytes=sum(map(len, BODIES)), part_bytes=PART)
    multipart_id = await objects.create_multipart(asked.key, content_type=asked.content_type)
    upload = await catalogue.uploads.open(replace(asked, multipart_id=multipart_id), TitleDetails(title="Film"))
    for number, body in enumerate(BODIES, 1):
        await put(objects, upload, number, body)
    return upload
