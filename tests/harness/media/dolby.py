"""Dolby Vision by script: configuration records in MP4, descriptors in transport streams, metadata (RPU) in HEVC.

Formats: Dolby Vision Streams Within the ISO Base Media File Format 2.4; ... Within MPEG-2 Transport Streams 1.2; ETSI TS 103 572
(metadata). The pictures are ordinary: only what the file says of them is made here.
"""

from typing import Final

_CONTAINERS: Final = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
_START: Final = b"\x00\x00\x00\x01"


def record(profile: int, compatibility: int, *, has_base: bool = True, has_enhancement: bool = False) -> bytes:
    """The 24 bytes of a configuration record, level 1."""
    flags = (profile << 9) | (1 << 3) | (1 << 2) | (has_enhancement << 1) | has_base
    return bytes((1, 0)) + flags.to_bytes(2, "big") + bytes((compatibility << 4,)) + bytes(19)


def with_box(mp4: bytes, name: bytes | None, content: bytes = b"", *, entry: bytes | None = None) -> bytes:
    """An MP4 (index behind the samples) whose first sample entry gets the box `name` and the four letters `entry`."""
    addition = b"" if name is None else (8 + len(content)).to_bytes(4, "big") + name + content
    at, end, sizes = 0, len(mp4), []
    wanted = iter((*_CONTAINERS, b"stsd"))
    want = next(wanted)
    while True:
        length = int.from_bytes(mp4[at : at + 4], "big")
        if mp4[at + 4 : at + 8] != want:
            at += length
            assert at < end, f"no {want!r}"
            continue
        sizes.append(at)
        if want == b"stsd":
            at += 16
            sizes.append(at)
            break
        at, want = at + 8, next(wanted)
    found = bytearray(mp4)
    if entry is not None:
        found[at + 4 : at + 8] = entry
    close = at + int.from_bytes(mp4[at : at + 4], "big")
    for one in sizes:
        found[one : one + 4] = (int.from_bytes(found[one : one + 4], "big") + len(addition)).to_bytes(4, "big")
    return bytes(found[:close]) + addition + bytes(found[close:])


def _crc(data: bytes) -> bytes:
    """MPEG-2's CRC-32: not reflected."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = ((crc << 1) ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc.to_bytes(4, "big")


def with_descriptor(ts: bytes, profile: int, compatibility: int) -> bytes:
    """A transport stream of one picture stream whose programme map gets descriptor 0xB0 (and the registration `DOVI`)."""
    content = record(profile, compatibility)[:5]
    descriptors = b"\x05\x04DOVI\xb0" + bytes((len(content),)) + content
    packets = [bytearray(ts[at : at + 188]) for at in range(0, len(ts), 188)]
    for packet in packets:
        section = packet[5:]
        if packet[1] & 0x40 and packet[3] & 0x30 == 0x10 and packet[4] == 0 and section[0] == 2:
            length = int.from_bytes(section[1:3], "big") & 0xFFF
            body = bytearray(section[: 3 + length - 4])
            stream = 12 + (int.from_bytes(body[10:12], "big") & 0xFFF)
            known = int.from_bytes(body[stream + 3 : stream + 5], "big") & 0xFFF
            body[stream + 3 : stream + 5] = (0xF000 | (known + len(descriptors))).to_bytes(2, "big")
            body += descriptors
            body[1:3] = (0xB000 | (length + len(descriptors))).to_bytes(2, "big")
            packet[5:] = (bytes(body) + _crc(bytes(body))).ljust(183, b"\xff")
    return b"".join(packets)


class _Bits:
    def __init__(self) -> None:
        self.text = ""

    def fixed(self, value: int, bits: int) -> None:
        self.text += format(value, f"0{bits}b")

    def golomb(self, value: int) -> None:
        digits = format(value + 1, "b")
        self.text += "0" * (len(digits) - 1) + digits


def rpu(profile: int, *, full_range: bool) -> bytes:
    """A metadata NAL unit with identity curves. `profile` is the metadata's own: 0 for profile 5, 1 for profile 8."""
    bits = _Bits()
    bits.fixed(2, 6)  # rpu_type
    bits.fixed(18, 11)  # rpu_format
    bits.fixed(profile, 4)
    bits.fixed(0, 4)  # level
    bits.fixed(1, 1)  # the sequence's values follow
    bits.fixed(0, 1)  # chroma resampling
    bits.fixed(0, 2)  # coefficients as fixed point
    bits.golomb(23)  # their denominator: 2^23
    bits.fixed(1, 2)  # normalised
    bits.fixed(full_range, 1)
    for depth in (10, 10, 12):
        bits.golomb(depth - 8)
    bits.fixed(0, 1)  # spatial resampling
    bits.fixed(0, 3)
    bits.fixed(0, 1)  # the enhancement's resampling
    bits.fixed(1, 1)  # no residual
    bits.fixed(0, 1)  # no display management
    bits.fixed(0, 1)  # not as before
    bits.golomb(0)  # identifier
    bits.golomb(0)  # mapping's colours
    bits.golomb(0)  # mapping's chroma
    for _ in range(3):
        bits.golomb(0)  # two pivots
        bits.fixed(0, 10)
        bits.fixed(1023, 10)
    bits.golomb(0)  # one partition
    bits.golomb(0)
    for _ in range(3):
        bits.golomb(0)  # polynomial
        bits.golomb(0)  # of order 1
        bits.fixed(0, 1)  # not linear interpolation
        for whole in (0, 1):
            bits.golomb(0 if whole == 0 else 1)  # signed: 0 is 0, 1 is 1
            bits.fixed(0, 23)
    bits.text += "0" * (-len(bits.text) % 8)
    body = b"\x19" + int(bits.text, 2).to_bytes(len(bits.text) // 8, "big")
    return b"\x7c\x01" + _escaped(body + _crc(body[1:]) + b"\x80")


def _escaped(data: bytes) -> bytes:
    found, zeros = bytearray(), 0
    for byte in data:
        if zeros >= 2 and byte <= 3:
            found.append(3)
            zeros = 0
        found.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(found)


def with_metadata(hevc: bytes, unit: bytes) -> bytes:
    """A raw HEVC stream (one slice a picture) with `unit` after each picture."""
    found = bytearray()
    for one in hevc.split(b"\x00\x00\x01")[1:]:
        found += _START + one.rstrip(b"\x00")
        if (one[0] >> 1) & 0x3F < 32:
            found += _START + unit
    return bytes(found)
