"""An upload of two parts, whole and stored, whose client has not said so yet; what it would state, and what was told of it."""

import hashlib
import os

import httpx
import msgspec

from marquee.events import UploadCompleted
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Upload
from marquee.stores.objects.contract import Objects, StoredPart

PART = 5 * 1024**2
BODIES = (os.urandom(PART), b"the tail")


async def put(objects: Objects, upload: Upload, number: int, body: bytes) -> None:
    url = await objects.part_url(upload.key, upload.multipart_id, number, size_bytes=len(body), seconds=60)
    async with httpx.AsyncClient(timeout=30) as client:
        (await client.put(url, content=body)).raise_for_status()


def stated() -> list[StoredPart]:
    return [StoredPart(number, len(body), hashlib.md5(body).hexdigest()) for number, body in enumerate(BODIES, 1)]


async def messages(catalogue: Catalogue, upload: Upload) -> list[UploadCompleted]:
    entries = await catalogue.outbox.oldest()
    return [msgspec.json.decode(entry.value, type=UploadCompleted) for entry in entries if entry.key == upload.movie_id]
