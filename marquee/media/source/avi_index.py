"""Reads from an AVI's index whether the picture has as many chunks as the header claims, with those that are empty.

An empty chunk says "show the last picture again". ffmpeg skips such chunks, so a film that ends in them looks as if its end were
missing. The index lists them: `idx1` behind the first gigabyte, `indx` (OpenDML) for the whole film.
"""

from pathlib import Path
from typing import BinaryIO, Final

_HEAD_BYTES: Final = 64 * 1024
_MAX_CHUNKS: Final = 64
"""Of the file's outermost level. There are three: header, film, index; recorders add a few."""
_ENTRY_BYTES: Final = 16
_MAX_INDEX_ENTRIES: Final = 8_000_000
"""Of `idx1`: two days of film with sound. The number in the file may lie."""


def is_wholly_indexed(path: Path) -> bool:
    """Whether the index lists a chunk for each frame that the header of an AVI's picture claims; False for other files."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        streams = head.find(b"strh")
        picture = head.find(b"vids", streams)
        if head[:4] != b"RIFF" or head[8:11] != b"AVI" or streams < 0 or picture < 0:
            return False
        claimed = _number(head, picture + 32)
        number = head.count(b"strh", streams, picture) - 1
        listed = max(_open_dml_frames(head, picture), _idx1_frames(file, number))
    return 0 < claimed <= listed


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _open_dml_frames(head: bytes, picture: int) -> int:
    """The frames that the super index of the picture's stream lists; 0 without one."""
    at, end = head.find(b"indx", picture), head.find(b"strh", picture)
    if at < 0 or 0 <= end < at or head[at + 11 : at + 12] != b"\0":
        return 0
    entries = min(_number(head, at + 12), (len(head) - at - 32) // _ENTRY_BYTES)
    return sum(_number(head, at + 32 + _ENTRY_BYTES * entry + 12) for entry in range(entries))


def _idx1_frames(file: BinaryIO, number: int) -> int:
    """The chunks of stream `number` in the old index; 0 without one."""
    file.seek(12)
    for _ in range(_MAX_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            return 0
        size = _number(header, 4)
        if header[:4] == b"idx1":
            kinds = tuple(b"%02d" % number + kind for kind in (b"dc", b"db"))
            listed = 0
            for _ in range(min(size // _ENTRY_BYTES, _MAX_INDEX_ENTRIES)):
                entry = file.read(_ENTRY_BYTES)
                if len(entry) < _ENTRY_BYTES:
                    break
                listed += entry[:4] in kinds
            return listed
        file.seek(size + size % 2, 1)
    return 0
