"""The files of the edges' logs: where they are, which have ended, how they are read in pieces, and how far they were read.

    STATE/edge-logs/{edge}/{ten seconds}-{pid}.jsonl    lines; written by one process of nginx, removed by the reader
    STATE/edge-logs/{edge}/dropped.json                 what the edge removed unread, in all (`edge_log.js`)
    STATE/edge-logs/{edge}/read.json                    `ReadSoFar`: how far each file was read; replaced as a whole
    STATE/edge-logs/lock                                locked by the one reader of this host

A lost or older `read.json` costs nothing but repeats: an event's id stands in its line. It is therefore never forced to disk.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from marquee.settings import Settings

PIECE_BYTES: Final = 256 * 1024
MAX_LINE_BYTES: Final = 16 * 1024
"""A line of an edge has at most 1 kB."""
SEGMENT_SECONDS: Final = 10
WRITTEN_SECONDS: Final = 15.0
"""After a file's ten seconds, and after its last line, nothing more is written to it."""

Kind = TypeVar("Kind")

_SEGMENT: Final = re.compile(r"(\d{9,12})-\d+\.jsonl")


class Dropped(msgspec.Struct, frozen=True):
    """What an edge removed unread since its log began."""

    files: int = 0
    bytes: int = 0


class ReadSoFar(msgspec.Struct, frozen=True):
    """`offsets`: file name -> bytes whose lines are published. `dropped`: what the operator was told of."""

    offsets: dict[str, int] = {}
    dropped: Dropped = Dropped()
    damaged_lines: int = 0


@dataclass(frozen=True)
class Piece:
    """Whole lines of a file, up to offset `end`. `damaged`: further lines that were too long or torn."""

    lines: list[bytes]
    end: int
    damaged: int = 0


def edge_logs_folder(settings: Settings) -> Path:
    """The folder with a folder for each edge of this host."""
    return settings.state / "edge-logs"


def edge_log_folder(settings: Settings, edge: str) -> Path:
    """The folder of one edge's log. `edge` is the program's name."""
    return edge_logs_folder(settings) / edge


def edge_log_folders(settings: Settings) -> list[Path]:
    """The folders of the edges that have logged on this host."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(each for each in edge_logs_folder(settings).iterdir() if each.is_dir())
    return []


def segments(folder: Path) -> list[Path]:
    """The files of a log, the oldest first."""
    return sorted(each for each in folder.iterdir() if _SEGMENT.fullmatch(each.name))


def has_ended(segment: Path, *, now: float) -> bool:
    """Whether nothing more is written to a file. `now`: Unix seconds. Raises FileNotFoundError if the edge has removed it."""
    named = _SEGMENT.fullmatch(segment.name)
    until = (int(named[1]) + 1) * SEGMENT_SECONDS if named else 0
    return max(until, segment.stat().st_mtime) + WRITTEN_SECONDS < now


def read_piece(segment: Path, offset: int, *, max_lines: int, has_ended: bool) -> Piece:
    """The next whole lines from `offset` on, at most `max_lines` and PIECE_BYTES. `end` equals `offset` if there is nothing more.

    A line without its end is left for later; in a file that has ended it is torn and counts as damaged, and so does a line longer
    than MAX_LINE_BYTES. Raises FileNotFoundError if the edge has removed the file.
    """
    with segment.open("rb") as file:
        file.seek(offset)
        piece = file.read(PIECE_BYTES)
    *lines, rest = piece.split(b"\n")
    if len(lines) > max_lines:
        lines, rest = lines[:max_lines], b""
    end = offset + sum(len(line) + 1 for line in lines)
    torn = 0
    if (len(rest) > MAX_LINE_BYTES and not lines) or (rest and has_ended and len(piece) < PIECE_BYTES):
        end, torn = end + len(rest), 1
    whole = [line for line in lines if 0 < len(line) <= MAX_LINE_BYTES]
    return Piece(whole, end, torn + sum(len(line) > MAX_LINE_BYTES for line in lines))


def waiting_bytes(folder: Path, so_far: ReadSoFar) -> int:
    """Bytes of a log that are not yet published."""
    waiting = 0
    for segment in segments(folder):
        with contextlib.suppress(FileNotFoundError):
            waiting += max(0, segment.stat().st_size - so_far.offsets.get(segment.name, 0))
    return waiting


def load_so_far(folder: Path) -> ReadSoFar:
    return _loaded(folder / "read.json", ReadSoFar) or ReadSoFar()


def save_so_far(folder: Path, so_far: ReadSoFar) -> None:
    new = folder / "read.json.new"
    new.write_bytes(msgspec.json.encode(so_far))
    new.replace(folder / "read.json")


def load_dropped(folder: Path) -> Dropped:
    return _loaded(folder / "dropped.json", Dropped) or Dropped()


def _loaded(path: Path, kind: type[Kind]) -> Kind | None:
    """None for a missing file, and for one that a power cut left incomplete."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def is_being_read(settings: Settings) -> bool:
    """Whether a process of this host reads the edges' logs."""
    with reader_lock(settings) as was_free:
        return not was_free


@contextlib.contextmanager
def reader_lock(settings: Settings) -> Iterator[bool]:
    """Holds the lock of this host's one reader for the block; False if another process holds it. A kill releases it."""
    folder = edge_logs_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
