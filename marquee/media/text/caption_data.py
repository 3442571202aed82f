"""Reads the caption bytes that pictures carry: user data of H.264, HEVC, AV1 and MPEG-2, and the samples of caption tracks. Pure.

- ATSC A/53 (`GA94`): the usual one, also in SEI messages. It has CEA-608 and CEA-708 side by side.
- DVD (`CC`): the CEA-608 of a whole group of pictures before its first one.
- SCTE-20: CEA-608 of early cable streams, with its bits reversed.
- QuickTime `c608` and `c708` tracks.

Bytes become CEA-608 pairs with the time of their picture. Of CEA-708 only its presence is noted. `eia608` decodes the pairs.
"""

import re
from fractions import Fraction
from typing import Final

from marquee.media.text.eia608 import Pair

_ATSC: Final = b"\xb5\x00\x31GA94\x03"
_MPEG2_ATSC: Final = b"\x00\x00\x01\xb2GA94\x03"
_DVD: Final = b"\x00\x00\x01\xb2CC\x01\xf8"
_SCTE20: Final = re.compile(rb"\x00\x00\x01\xb2\x03[\x01\x81]", re.DOTALL)
_NTSC_FRAME_SECONDS: Final = float(Fraction(1001, 30000))
_HAS_CAPTIONS: Final = 0x40
_VALID: Final = 0x04
_MAX_CC_DATA_BYTES: Final = 2 + 3 * 31
_MAX_CEA708_PACKET_BYTES: Final = 128
MAX_PAIRS: Final = 2_000_000
"""Pairs of CEA-608 with content. Ten hours of speech without a pause have 400,000. A pair takes 150 bytes of memory."""
_MAX_CEA708_PARTS: Final = 200_000
"""Pairs of bytes of CEA-708 that are looked at: ten minutes of a full channel or more."""
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class CaptionsUnreadable(Exception):
    """Why captions are left out: the end of a sentence."""


class CaptionData:
    """The caption bytes of a film, collected picture by picture in order of decoding. Padding (0x80 0x80) is not kept.

    The methods that add raise `CaptionsUnreadable` past `MAX_PAIRS`.
    """

    def __init__(self) -> None:
        self._pairs: list[Pair] = []
        self._cea708: list[tuple[float, bool, bytes]] = []

    @property
    def pairs(self) -> list[Pair]:
        """The pairs of CEA-608 in order of presentation."""
        return sorted(self._pairs, key=lambda pair: pair.seconds)

    @property
    def has_cea708(self) -> bool:
        """Whether a service of CEA-708 has a byte: those services are not decoded here."""
        packet = b""
        for _, begins, data in sorted(self._cea708, key=lambda one: one[0]):
            packet = data if begins else (packet + data)[:_MAX_CEA708_PACKET_BYTES]
            size = 2 * (packet[0] & 0x3F) or _MAX_CEA708_PACKET_BYTES
            if len(packet) >= size and _has_service(packet[1:size]):
                return True
        return False

    def _keep(self, pair: Pair) -> None:
        if pair.first & 0x7F or pair.second & 0x7F:
            if len(self._pairs) >= MAX_PAIRS:
                raise CaptionsUnreadable(f"they have more than {MAX_PAIRS} pairs of bytes")
            self._pairs.append(pair)

    def add_picture(self, seconds: float, content: bytes) -> None:
        """Add the user data of one picture, as the stream stores them. Pictures are added in order of time."""
        mpeg2 = content.find(_MPEG2_ATSC) >= 0
        signature = _MPEG2_ATSC if mpeg2 else _ATSC
        # SEI messages have an emulation prevention byte after two zero bytes; MPEG-2 user data have none.
        plain = content if mpeg2 else content.replace(b"\x00\x00\x03", b"\x00\x00")
        at = plain.find(signature)
        while at >= 0:
            at += len(signature)
            self.add_a53(seconds, plain[at : at + _MAX_CC_DATA_BYTES])
            at = plain.find(signature, at)
        self._add_dvd(seconds, content)
        self._add_scte20(seconds, content)

    def add_a53(self, seconds: float, data: bytes) -> None:
        """Add `cc_data` of A/53: a byte with flags and a count, a filler, then three bytes for each pair."""
        if len(data) >= 2 and data[0] & _HAS_CAPTIONS:
            self.add_triplets(seconds, data[2 : 2 + 3 * (data[0] & 0x1F)])

    def add_triplets(self, seconds: float, data: bytes) -> None:
        """Add triplets: flags (marker, valid, type), then two bytes. Types 0 and 1 are the fields, 2 and 3 CEA-708."""
        for at in range(0, len(data) - 2, 3):
            flags, first, second = data[at : at + 3]
            if not flags & _VALID:
                continue
            if flags & 3 < 2:
                self._keep(Pair(seconds, 1 + (flags & 3), first, second))
            elif len(self._cea708) < _MAX_CEA708_PARTS:
                self._cea708.append((seconds, flags & 3 == 3, bytes((first, second))))

    def add_track_sample(self, seconds: float, content: bytes) -> None:
        """Add a sample of a caption track: atoms `cdat` and `cdt2` (pairs), `ccdp` (a CDP), or triplets, which ffmpeg makes."""
        if content[4:8] not in {b"cdat", b"cdt2", b"ccdp"}:
            self.add_triplets(seconds, content)
            return
        at = 0
        while at + 8 <= len(content):
            size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
            if size < 8:
                return
            body = content[at + 8 : at + size]
            if name == b"ccdp":
                self._add_cdp(seconds, body)
            elif name in {b"cdat", b"cdt2"}:
                field = 1 if name == b"cdat" else 2
                for one in range(0, len(body) - 1, 2):
                    self._keep(Pair(seconds, field, body[one], body[one + 1]))
            at += size

    def _add_cdp(self, seconds: float, packet: bytes) -> None:
        """A caption distribution packet (SMPTE 334-2): a header, perhaps a time code, then `cc_data`."""
        if len(packet) < 9 or packet[:2] != b"\x96\x69":
            return
        at = 7 + (5 if packet[4] & 0x80 else 0)
        if packet[at : at + 1] == b"\x72" and len(packet) > at + 1:
            self.add_triplets(seconds, packet[at + 2 : at + 2 + 3 * (packet[at + 1] & 0x1F)])

    def _add_dvd(self, seconds: float, content: bytes) -> None:
        """One block for each picture of a group: a byte that says the field, and the pair."""
        at = content.find(_DVD)
        if at < 0 or at + len(_DVD) >= len(content):
            return
        at += len(_DVD)
        flags, at = content[at], at + 1
        blocks = 2 * (flags >> 1 & 0x1F) + (flags & 1)
        for number in range(blocks):
            block = content[at + 3 * number : at + 3 * number + 3]
            if len(block) < 3 or block[0] & 0xFE != 0xFE:
                return
            when = seconds + number // 2 * _NTSC_FRAME_SECONDS
            self._keep(Pair(when, 1 if block[0] & 1 else 2, block[1], block[2]))

    def _add_scte20(self, seconds: float, content: bytes) -> None:
        """26 bits for each pair: priority, field, line, two bytes with their lowest bit first, and a marker."""
        if (found := _SCTE20.search(content)) is None:
            return
        data = content[found.end() : found.end() + 102]
        bits, left = int.from_bytes(data, "big"), 8 * len(data)

        def take(count: int) -> int:
            nonlocal left
            left -= count
            return bits >> left & ((1 << count) - 1)

        for _ in range(take(5) if left >= 5 else 0):
            if left < 26:
                return
            _, field, _ = take(2), take(2), take(5)
            first, second, _ = _REVERSED[take(8)], _REVERSED[take(8)], take(1)
            if field in {1, 2}:
                self._keep(Pair(seconds, field, first, second))


def _has_service(blocks: bytes) -> bool:
    """Whether a CEA-708 packet has a block with content: a header (service, size), then the bytes."""
    return bool(blocks) and blocks[0] >> 5 > 0 and blocks[0] & 0x1F > 0
