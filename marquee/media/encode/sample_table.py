"""The sample-size table (`stsz`) of a one-track MP4 that our own encoders wrote: the number of its frames and their bytes."""

import struct
from pathlib import Path


def sample_sizes(path: Path) -> list[int]:
    """The bytes of each frame (or audio packet) in coded order; none without such a table."""
    data, at = _table(path)
    if at < 0:
        return []
    uniform, count = struct.unpack_from(">II", data, at)
    return [uniform] * count if uniform else list(struct.unpack_from(f">{count}I", data, at + 8))


def sample_count(path: Path) -> int:
    """How many frames (or audio packets) there are; 0 without such a table."""
    data, at = _table(path)
    return int.from_bytes(data[at + 4 : at + 8], "big") if at >= 0 else 0


def _table(path: Path) -> tuple[bytes, int]:
    """The file, and where its table's fields begin (the size that all samples share, their number, the sizes); -1 without one."""
    data = path.read_bytes()
    moov = data.rfind(b"moov")
    at = data.find(b"stsz", moov) if moov >= 0 else -1
    return data, at + 8 if at >= 0 else -1
