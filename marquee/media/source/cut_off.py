"""Finds out whether a file is cut off, by the sizes that its own container states: "cut off" is a better reason than "damaged".

Of containers that state their size (MP4, Matroska, AVI, ASF, MXF) the statement
is compared with the file. Of those made of packets (transport streams, FLV, Ogg) the last packet must be whole.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

_MAX_PACKETS: Final = 200_000
_TAIL_BYTES: Final = 70_000
"""More than the largest page of Ogg (65,307 bytes)."""
_TS_PACKETS: Final = (188, 192, 204)
_ASF_HEADER: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_METADATA_BOXES: Final = {b"udta", b"meta", b"free", b"skip", b"wide"}
"""Boxes behind the tracks of an index that hold nothing of the film."""
_MXF_PARTITION: Final = bytes.fromhex("060e2b34020501010d01020101")
_HEAD_BYTES: Final = 64 * 1024
_MIN_FILM_BYTES: Final = 512
_SIGNATURES: Final = (b"FLV\1", b"OggS", b"\0\0\1\xba", b"RIFF", b"\x1aE\xdf\xa3", _ASF_HEADER[:8], _MXF_PARTITION[:8])
"""How films begin. A file shorter than `_MIN_FILM_BYTES` that begins so is the beginning of a film."""


def why_cut_off(path: Path) -> str | None:
    """The refusal of a file that ends before its own container says so; None if nothing says that it is cut off."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        stated = _stated_bytes(file, head, size)
        if stated is not None and stated > size:
            return (
                f"The film is cut off: it should have {stated} bytes, and only {size} of them are here. Copy it again, "
                "or upload it again."
            )
        if size < _MIN_FILM_BYTES and head.startswith(_SIGNATURES):
            return f"The film is cut off: only {size} bytes of it are here. Copy it again, or upload it again."
        if stated is None and _ends_in_a_packet(file, head, size):
            return "The film is cut off: it ends in the middle of a packet. Copy it again, or upload it again."
    return None


def why_index_cut_off(path: Path) -> str | None:
    """The refusal of an MP4 whose index (`moov`) ends in the middle of a track; None for every other file.

    ffmpeg reads what is left of such an index: of a picture and a sound track, the picture alone. A cut in the metadata behind
    the tracks loses nothing of the film.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        for kind, start, end in _boxes(file, 0, size):
            if kind != b"moov" or end <= size:
                continue
            last = list(_boxes(file, start, size))[-1:]
            if last and last[0][0] in _METADATA_BOXES:
                return None
            return (
                f"The film is cut off: the last {end - size} bytes of its index (moov) are missing. Copy it again, or upload "
                "it again."
            )
    return None


def _boxes(file: BinaryIO, at: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, start of the content, end) of the boxes from `at` on. The last may end behind `size`."""
    for _ in range(_MAX_PACKETS):
        file.seek(at)
        header = file.read(16)
        if len(header) < 8:
            return
        length, content = int.from_bytes(header[:4], "big"), at + 8
        if length == 0:
            length = size - at
        elif length == 1 and len(header) == 16:
            length, content = int.from_bytes(header[8:16], "big"), at + 16
        if length < 8 or not header[4:8].isascii():
            return
        yield header[4:8], content, at + length
        at += length
        if at >= size:
            return


def _stated_bytes(file: BinaryIO, head: bytes, size: int) -> int | None:
    """The bytes that the container says the file has; None for a container that does not say."""
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"}:
        return _end_of_boxes(file, size)
    if head[:4] == b"RIFF":
        return 8 + int.from_bytes(head[4:8], "little") if len(head) >= 8 else None
    if head[:4] == b"\x1aE\xdf\xa3":
        return _end_of_segment(head)
    if head[:16] == _ASF_HEADER:
        return _asf_bytes(head)
    if head[: len(_MXF_PARTITION)] == _MXF_PARTITION:
        return _mxf_footer(head)
    return None


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """Where the last box of an MP4 ends."""
    at = 0
    for _ in range(_MAX_PACKETS):
        file.seek(at)
        header = file.read(16)
        if len(header) < 8:
            return at if not header else at + 8
        length = int.from_bytes(header[:4], "big")
        if length == 0:
            return size
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8 or not header[4:8].isascii():
            return at
        at += length
        if at >= size:
            break
    return at


def _number(data: bytes, at: int, *, keep_marker: bool = False) -> tuple[int | None, int]:
    """(an EBML number at `at`, its bytes). None for an unknown size and behind the end of `data`."""
    if at >= len(data) or data[at] == 0:
        return None, 0
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    if keep_marker:
        return value, length
    mask = (1 << (7 * length)) - 1
    return (None if value & mask == mask else value & mask), length


def _end_of_segment(head: bytes) -> int | None:
    """Where Matroska's segment ends, or its header where the file has no segment."""
    at = 0
    for _ in range(8):
        identity, length = _number(head, at, keep_marker=True)
        if not length:
            return None
        size, sized = _number(head, at + length)
        if size is None:
            return None
        at += length + sized + size
        if identity == 0x18538067 or at >= len(head):
            return at
    return None


def _asf_bytes(head: bytes) -> int | None:
    at = head.find(_ASF_FILE_PROPERTIES)
    if at < 0 or len(head) < at + 48:
        return int.from_bytes(head[16:24], "little") or None
    return int.from_bytes(head[at + 40 : at + 48], "little") or None


def asf_seconds(path: Path) -> float | None:
    """The length in seconds that an ASF's header states, which stays right if the file is cut off; None for other files."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    at = head.find(_ASF_FILE_PROPERTIES)
    if head[:16] != _ASF_HEADER or at < 0 or len(head) < at + 88:
        return None
    played = int.from_bytes(head[at + 64 : at + 72], "little") / 1e7
    preroll = int.from_bytes(head[at + 80 : at + 88], "little") / 1e3
    return played - preroll if played > preroll else None


def _mxf_footer(head: bytes) -> int | None:
    """Where the footer partition begins; a file that is written yet has 0."""
    length = head[16]
    body = 17 + (length & 0x7F if length & 0x80 else 0)
    footer = int.from_bytes(head[body + 24 : body + 32], "big")
    return footer + 17 if footer else None


def _ends_in_a_packet(file: BinaryIO, head: bytes, size: int) -> bool:
    if head[:3] == b"FLV":
        return _flv_ends_in_a_tag(file, size)
    if head[:4] == b"OggS":
        return _ogg_ends_in_a_page(file, size)
    if head[:4] == b"\0\0\1\xba":
        return _pes_is_cut(file, size)
    if head[:1] == b"G" and (size < _TS_PACKETS[0] or any(head[one : one + 1] == b"G" for one in _TS_PACKETS)):
        length = next((one for one in _TS_PACKETS if head[one : one + 1] == b"G"), _TS_PACKETS[0])
        return size % length != 0
    return False


def _flv_ends_in_a_tag(file: BinaryIO, size: int) -> bool:
    """Whether the size of the last tag, which stands behind it, is not there."""
    file.seek(max(0, size - 4))
    last = int.from_bytes(file.read(4), "big")
    if last < 11 or last + 4 > size:
        return True
    file.seek(size - 4 - last)
    header = file.read(4)
    return header[0] & 0x1F not in {8, 9, 18} or int.from_bytes(header[1:4], "big") + 11 != last


def _pes_is_cut(file: BinaryIO, size: int) -> bool:
    """Whether the last packet of a programme stream is not whole."""
    start = max(0, size - _TAIL_BYTES)
    file.seek(start)
    tail = file.read(_TAIL_BYTES)
    at = max(tail.rfind(b"\0\0\1" + bytes([kind])) for kind in (0xE0, 0xC0, 0xBD, 0xBE))
    return at >= 0 and (len(tail) < at + 6 or at + 6 + int.from_bytes(tail[at + 4 : at + 6], "big") > len(tail))


def _ogg_ends_in_a_page(file: BinaryIO, size: int) -> bool:
    """Whether the last page is not whole, or is not marked as the last."""
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + 27:
        return True
    segments = tail[at + 26]
    lacing = tail[at + 27 : at + 27 + segments]
    end = at + 27 + segments + sum(lacing)
    return len(lacing) < segments or end > len(tail) or not tail[at + 5] & 4
