"""Reads one part of a file, and computes the checksums that S3 uses for parts and for objects made of parts.

Calls no server. Only one part of the file is in memory at a time.
"""

import base64
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from marquee.stores.objects.contract import StoredPart


def multipart_etag(parts: Sequence[StoredPart]) -> str:
    """S3's ETag of an object made of parts: the MD5 (hex) of the parts' MD5 digests joined, a dash, the number of parts."""
    joined = b"".join(bytes.fromhex(part.checksum) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"


def md5_base64(body: bytes) -> str:
    """The value of the Content-MD5 header."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def read_range(path: Path, start: int, size: int) -> bytes:
    """`size` bytes from offset `start`; fewer at the end of the file."""
    with path.open("rb") as file:
        file.seek(start, os.SEEK_SET)
        return file.read(size)
