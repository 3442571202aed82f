"""Writes an MP4 of one track with two sample descriptions out of two MP4 films without B-frames (ISO/IEC 14496-12, 8.5.2)."""

import struct
from collections.abc import Iterator
from pathlib import Path


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full(kind: bytes, *content: bytes) -> bytes:
    return box(kind, bytes(4), *content)


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size = struct.unpack_from(">I", data, at)[0]
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def inside(data: bytes, *path: bytes) -> bytes:
    for kind in path:
        data = next(content for name, content in boxes(data) if name == kind)
    return data


def table(data: bytes, *path: bytes) -> list[int]:
    """The 32-bit values of a table's box, without version, flags and count."""
    content = inside(data, *path)
    return list(struct.unpack(f">{len(content) // 4}I", content))[2:]


STBL = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def two_descriptions(first: Path, second: Path) -> bytes:
    """Both films one behind the other: each keeps its own sample description, in one chunk of samples each."""
    entries, samples, sizes, keys = [], [], [], []
    for path in (first, second):
        data = path.read_bytes()
        entries.append(inside(data, *STBL, b"stsd")[8:])
        lengths = table(data, *STBL, b"stsz")[1:]
        keys += [len(sizes) + one for one in table(data, *STBL, b"stss")]
        sizes += lengths
        samples.append(b"".join(_samples(data, lengths)))
        tick = table(data, *STBL, b"stts")[1]
        scale = struct.unpack_from(">I", inside(data, b"moov", b"trak", b"mdia", b"mdhd"), 12)[0]
    half, total = len(sizes) // 2, len(sizes)
    head = box(b"ftyp", b"isom", bytes(4), b"isomavc1")
    begins = len(head) + 8
    media = box(b"mdat", *samples)
    tables = box(
        b"stbl",
        full(b"stsd", struct.pack(">I", 2), *entries),
        full(b"stts", struct.pack(">III", 1, total, tick)),
        full(b"stss", struct.pack(f">{len(keys) + 1}I", len(keys), *keys)),
        full(b"stsc", struct.pack(">7I", 2, 1, half, 1, 2, total - half, 2)),
        full(b"stsz", struct.pack(f">{total + 2}I", 0, total, *sizes)),
        full(b"stco", struct.pack(">III", 2, begins, begins + len(samples[0]))),
    )
    data = first.read_bytes()
    track = inside(data, b"moov", b"trak")
    size = inside(track, b"tkhd")[-8:]
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    lasts = total * tick
    minf = box(
        b"minf",
        box(b"vmhd", b"\0\0\0\1" + bytes(8)),
        box(b"dinf", inside(track, b"mdia", b"minf", b"dinf")),
        tables,
    )
    media_header = full(b"mdhd", struct.pack(">IIIIHH", 0, 0, scale, lasts, 0x55C4, 0))
    track_header = box(b"tkhd", b"\0\0\0\3", struct.pack(">IIIII", 0, 0, 1, 0, lasts), bytes(16), matrix, size)
    movie_header = full(
        b"mvhd", struct.pack(">IIIII", 0, 0, scale, lasts, 0x10000), b"\1\0" + bytes(10), matrix, bytes(24), b"\0\0\0\2"
    )
    handler = full(b"hdlr", bytes(4), b"vide", bytes(12), b"\0")
    movie = box(b"moov", movie_header, box(b"trak", track_header, box(b"mdia", media_header, handler, minf)))
    return head + media + movie


def _samples(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The samples of a film, found by its tables of chunks."""
    offsets, runs = table(data, *STBL, b"stco"), table(data, *STBL, b"stsc")
    groups = list(zip(runs[0::3], runs[1::3], strict=False))
    rest = iter(sizes)
    for number, offset in enumerate(offsets, 1):
        count = next(each for begins, each in reversed(groups) if begins <= number)
        at = offset
        for _ in range(count):
            size = next(rest)
            yield data[at : at + size]
            at += size
