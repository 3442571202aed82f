"""Uploads for tests: their values, a completed upload, and an upload of two parts with the values that its client states."""

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from marquee.documents import keys
from marquee.domain import ids
from marquee.events import UploadCompleted
from marquee.stores.catalogue.contract import Catalogue, Uploads
from marquee.stores.catalogue.values import Upload
from marquee.stores.objects.contract import Objects, StoredPart

PART = 5 * 1024**2
BODIES = (os.urandom(PART), b"the tail")


def new_upload(**known: Any) -> Upload:
    """An upload as a client begins it, of a new title; `known`: fields of `Upload` that the test decides."""
    upload_id = known.get("upload_id") or ids.new_upload_id()
    now = datetime.now(UTC)
    upload = Upload(
        upload_id=upload_id,
        movie_id=ids.new_movie_id(),
        version=0,
        account_id=ids.new_account_id(),
        file_name="film.mp4",
        content_type="video/mp4",
        size_bytes=12_345_678_901,
        part_bytes=8 * 1024**2,
        key=keys.master_key(upload_id),
        multipart_id="multipart",
        state="open",
        hot=False,
        sidecars=(),
        created_at=now,
        touched_at=now,
    )
    return replace(upload, **known)


async def mark_completed(uploads: Uploads, upload: Upload, *, topic: str = "test-only", value: bytes = b"{}") -> Upload:
    """Mark an open upload as completed: its version is "ingesting". Its file need not be stored."""
    await uploads.begin_completion(upload.upload_id)
    await uploads.finish_completion(upload.upload_id, topic=topic, value=value)
    return await uploads.get(upload.upload_id)


async def put(objects: Objects, upload: Upload, number: int, body: bytes) -> None:
    url = await objects.part_url(upload.key, upload.multipart_id, number, size_bytes=len(body), seconds=60)
    async with httpx.AsyncClient(timeout=30) as client:
        (await client.put(url, content=body)).raise_for_status()


def stated() -> list[StoredPart]:
    return [StoredPart(number, len(body), hashlib.md5(body).hexdigest()) for number, body in enumerate(BODIES, 1)]


async def messages(catalogue: Catalogue, upload: Upload) -> list[UploadCompleted]:
    entries = await catalogue.outbox.oldest()
    return [msgspec.json.decode(entry.value, type=UploadCompleted) for entry in entries if entry.key == upload.movie_id]
