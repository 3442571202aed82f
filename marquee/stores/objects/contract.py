"""The object store's contract: reading, writing and listing the objects of one bucket, and multipart uploads by browsers.

The ingest bucket has masters, chunks and the stages' documents; the published bucket has the streams. Every call may raise
`StoreUnavailable`. A write is complete and checked when it returns.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ObjectInfo:
    """An object without its bytes. `modified_at_ms`: milliseconds since 1970, by the server's clock."""

    key: str
    size_bytes: int
    etag: str
    modified_at_ms: int


@dataclass(frozen=True)
class StoredPart:
    """One part of a multipart upload. `number` counts from 1; `checksum` is the part's MD5 in hex, which S3 returns as ETag."""

    number: int
    size_bytes: int
    checksum: str


class Objects(Protocol):
    """One bucket."""

    async def ensure_bucket(self, *, allowed_origins: Sequence[str] = ()) -> None:
        """Create the bucket if it is missing, and allow browsers of these origins to PUT parts and read their ETag (CORS)."""
        ...

    async def put(self, key: str, body: bytes, *, content_type: str, cache_control: str | None = None) -> None:
        """Store an object, replacing an earlier one of the key."""
        ...

    async def put_file(
        self, key: str, path: Path, *, content_type: str, cache_control: str | None = None
    ) -> ObjectInfo:
        """Store a file, as a multipart upload if it is large, and compare the stored size with the file's."""
        ...

    async def get(self, key: str) -> bytes:
        """The bytes of an object. Raises `ObjectMissing`."""
        ...

    async def get_file(self, key: str, path: Path) -> None:
        """Download into a file, which appears only when it is complete. Raises `ObjectMissing`."""
        ...

    async def head(self, key: str) -> ObjectInfo | None:
        """None if there is no such object."""
        ...

    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        """Every object whose key begins with `prefix`, in the order of the keys."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects. A missing object is no error."""
        ...

    async def create_multipart(self, key: str, *, content_type: str) -> str:
        """Begin a multipart upload. Returns its id (`multipart_id`)."""
        ...

    async def part_url(self, key: str, multipart_id: str, number: int, *, size_bytes: int, seconds: int) -> str:
        """A presigned URL to PUT one part of exactly `size_bytes`, valid for `seconds`, signed for the public S3 address."""
        ...

    async def list_parts(self, key: str, multipart_id: str) -> Sequence[StoredPart]:
        """The stored parts, ordered by number. Raises `ObjectMissing` after the upload was completed or aborted.

        A part that was sent twice with different bytes may be listed twice: some S3s keep both until completion, which
        then chooses by checksum.
        """
        ...

    async def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[StoredPart]) -> ObjectInfo:
        """Make the object out of these parts. May be called again. Raises `PartsMismatch` if S3 has other parts."""
        ...

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        """Delete the stored parts. An upload that is already gone is no error."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
