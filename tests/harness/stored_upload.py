"""A catalogue and a bucket of a test's own, and an upload in them."""

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from marquee.domain import ids
from marquee.settings import Settings
from marquee.stores.catalogue import open_catalogue
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import TitleDetails, Upload
from marquee.stores.objects.contract import Objects
from marquee.stores.opened import open_bucket
from marquee.stores.schema.migrate import migrate
from tests.harness.uploads import BODIES, PART, put


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


@pytest.fixture
async def upload(catalogue: Catalogue, objects: Objects) -> Upload:
    """Open, with both parts stored."""
    upload_id = ids.new_upload_id()
    key = f"uploads/{upload_id}/source"
    now = datetime.now(UTC)
    upload = await catalogue.uploads.open(
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
