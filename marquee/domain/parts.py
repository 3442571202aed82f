"""How a file is cut into the parts of an upload: their number and sizes, in bytes. Parts are numbered from 1.

The API, the client and the completion check use the same functions, so they agree on each part's size.
"""

from typing import Final

MAX_PARTS: Final = 10_000
"""S3's bound on the parts of one object."""
_MEBIBYTE: Final = 1024 * 1024


def part_bytes_of(size_bytes: int, configured: int) -> int:
    """The size of a part:

    `configured`, or larger if the file would have more than `MAX_PARTS` parts; then whole mebibytes.
    """
    needed = -(-size_bytes // MAX_PARTS)
    return max(configured, -(-needed // _MEBIBYTE) * _MEBIBYTE)


def parts_total(size_bytes: int, part_bytes: int) -> int:
    """The number of parts. An empty file has one: S3 does not complete an upload without a part."""
    return max(1, -(-size_bytes // part_bytes))


def size_of_part(number: int, size_bytes: int, part_bytes: int) -> int:
    """The size of part `number`. The last part is the rest of the file."""
    return min(part_bytes, size_bytes - (number - 1) * part_bytes)
