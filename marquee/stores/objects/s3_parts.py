"""A part of a file: its bytes, the MD5 that goes with them, and the ETag by which S3 knows an object made of parts.

No calls, and no more of the file in memory than one part.
"""

import base64
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from marquee.stores.objects.contract import StoredPart


def multipart_etag(parts: Sequence[StoredPart]) -> str:
    """The ETag of a completed multipart object: MD5 over the parts' MD5s, a dash, the number of parts."""
    joined = b"".join(bytes.fromhex(part.checksum) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"


def md5_base64(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def read_range(path: Path, start: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start, os.SEEK_SET)
        return file.read(size)
