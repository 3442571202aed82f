"""Reads the packet times that ffmpeg's muxer `framecrc` writes. `embedded` and `closed_captions` copy packets beside them.

Program streams time only some pictures. A packet without a time of presentation gets the next time of decoding at which no
other packet is presented: pictures that are shown later than decoded take the places that are left.
"""

from pathlib import Path
from typing import Final, NamedTuple

_NO_TIME: Final = -(2**63)


class PacketTimes(NamedTuple):
    """Seconds, and the packet's size in bytes. A duration that is unknown is 0."""

    start: float
    duration: float
    size: int


def packet_times(path: Path) -> list[PacketTimes]:
    """The packets in the order of the file."""
    scale = 1.0
    rows: list[tuple[int, int, int, int]] = []
    for line in path.read_text("ascii", "replace").splitlines() if path.is_file() else []:
        if line.startswith("#tb"):
            above, _, below = line.rpartition(" ")[2].partition("/")
            scale = int(above) / int(below)
        elif not line.startswith("#"):
            _, decoded, presented, duration, size, *_ = (field.strip() for field in line.split(","))
            rows.append((int(decoded), int(presented), int(duration), int(size)))
    starts = _with_missing([row[0] for row in rows], [row[1] for row in rows])
    return [
        PacketTimes(start * scale, max(0.0, row[2] * scale), row[3]) for start, row in zip(starts, rows, strict=True)
    ]


def _with_missing(decoded: list[int], presented: list[int]) -> list[int]:
    """The times of presentation, the missing ones filled in."""
    if _NO_TIME not in presented:
        return presented
    taken = set(presented)
    free = sorted({one for one in decoded if one != _NO_TIME} - taken)
    starts, at = [], 0
    for decoding, presenting in zip(decoded, presented, strict=True):
        if presenting != _NO_TIME:
            starts.append(presenting)
            continue
        while at < len(free) and free[at] < decoding:
            at += 1
        starts.append(free[at] if at < len(free) else max(decoding, starts[-1] if starts else 0))
        at += 1
    return starts
