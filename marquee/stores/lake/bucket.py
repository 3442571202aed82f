"""The lake's files in a bucket of their own, by the object store's client. A put is whole or does not happen, as S3 promises."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from marquee.stores.lake.contract import StoredFile
from marquee.stores.objects.contract import Objects

CONTENT_TYPE: Final = "application/vnd.apache.parquet"


class BucketFiles:
    """See `LakeFiles`."""

    def __init__(self, objects: Objects, bucket: str) -> None:
        self._objects = objects
        self._bucket = bucket

    async def ensure(self) -> None:
        await self._objects.ensure_bucket()

    async def put(self, path: str, body: memoryview) -> None:
        await self._objects.put(path, bytes(body), content_type=CONTENT_TYPE)

    async def put_file(self, path: str, local: Path) -> None:
        await self._objects.put_file(path, local, content_type=CONTENT_TYPE)

    async def get_file(self, path: str, local: Path) -> None:
        await self._objects.get_file(path, local)

    async def delete(self, paths: Sequence[str]) -> None:
        await self._objects.delete(paths)

    async def list(self) -> AsyncIterator[StoredFile]:
        async for info in self._objects.list(""):
            yield StoredFile(info.key, info.size_bytes, info.modified_at_ms)

    def uri(self, path: str) -> str:
        return f"s3://{self._bucket}/{path}"

    async def ping(self) -> None:
        await self._objects.ping()

    async def close(self) -> None:
        await self._objects.close()
