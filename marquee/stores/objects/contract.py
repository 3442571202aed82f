"""The object store's contract: masters, chunks, stage documents (ingest bucket) and streams (published bucket)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ObjectInfo:
    key: str
    size_bytes: int
    etag: str
    modified_at_ms: int


@dataclass(frozen=True)
class StoredPart:
    """`checksum` is the part's MD5 in hex, as S3's ETag states it."""

    number: int
    size_bytes: int
    checksum: str


class Objects(Protocol):
    """One bucket."""

    async def ensure_bucket(self, *, allowed_origins: Sequence[str] = ()) -> None:
        """Create the bucket if missing and let browsers from these origins PUT parts and read ETag."""
        ...

    async def put(self, key: str, body: bytes, *, content_type: str, cache_control: str | None = None) -> None: ...

    async def put_file(
        self, key: str, path: Path, *, content_type: str, cache_control: str | None = None
    ) -> ObjectInfo:
        """Store a file (multipart when large) and verify its size."""
        ...

    async def get(self, key: str) -> bytes:
        """Raises `ObjectMissing`."""
        ...

    async def get_file(self, key: str, path: Path) -> None:
        """Into a file, complete or not at all. Raises `ObjectMissing`."""
        ...

    async def head(self, key: str) -> ObjectInfo | None: ...

    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]: ...

    async def delete(self, keys: Sequence[str]) -> None: ...

    async def create_multipart(self, key: str, *, content_type: str) -> str: ...

    async def part_url(self, key: str, multipart_id: str, number: int, *, size_bytes: int, seconds: int) -> str:
        """A presigned PUT for one part of exactly this size, signed for the public S3 address."""
        ...

    async def list_parts(self, key: str, multipart_id: str) -> Sequence[StoredPart]:
        """What is stored of it, by number. Raises `ObjectMissing` once it was completed or aborted.

        A part that was sent twice with different bytes may be listed twice (some S3s keep both until completion, which
        chooses by checksum).
        """
        ...

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[StoredPart]) -> ObjectInfo: ...

    async def abort_multipart(self, key: str, multipart_id: str) -> None: ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
