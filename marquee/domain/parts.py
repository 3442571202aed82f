"""How a file is cut into the parts of an upload: their number and sizes, in bytes. Parts are numbered from 1."""

from typing import Final

MAX_PARTS: Final = 10_000
"""S3's own bound on the parts of one object."""
_MEBIBYTE: Final = 1024 * 1024


def part_bytes_of(size_bytes: int, configured: int) -> int:
    """The size of a part: as configured, larger where the file would have more than `MAX_PARTS`; whole mebibytes then."""
    needed = -(-size_bytes // MAX_PARTS)
    return max(configured, -(-needed // _MEBIBYTE) * _MEBIBYTE)


def parts_total(size_bytes: int, part_bytes: int) -> int:
    """At least one part, also for an empty file: S3 completes no upload without one."""
    return max(1, -(-size_bytes // part_bytes))


def size_of_part(number: int, size_bytes: int, part_bytes: int) -> int:
    """The last part is what remains."""
    return min(part_bytes, size_bytes - (number - 1) * part_bytes)
