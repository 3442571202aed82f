"""Films with CEA-608 captions, written by script: byte pairs of CTA-608, in cc_data (ATSC A/53), in SEI messages of H.264."""

import re
from pathlib import Path
from typing import Final

from tests.harness.media.packaging import ffmpeg

RCL, BS, DER, RU2, RU3, RDC = 0x20, 0x21, 0x24, 0x25, 0x26, 0x29
TEXT_RESTART, EDM, CR, ENM, EOC = 0x2A, 0x2C, 0x2D, 0x2E, 0x2F
RATE: Final = 30
Codes = str | int | tuple[int, int]
Triplet = tuple[int, int, int]


def with_parity(byte: int) -> int:
    """The byte with bit 7 set for an odd number of ones."""
    return byte | 0x80 if byte.bit_count() % 2 == 0 else byte


def pairs(*codes: Codes, channel: int = 1, once: bool = False) -> list[tuple[int, int]]:
    """Pairs with parity. A number is a command such as `RCL`; a tuple a control code of channel 1; text is basic characters.

    `channel` 2 sets the channel bit. Control codes are sent twice unless `once`.
    """
    found: list[tuple[int, int]] = []
    for code in codes:
        if isinstance(code, str):
            codes_of_text = [ord(one) for one in code] + [0] * (len(code) % 2)
            found += list(zip(codes_of_text[::2], codes_of_text[1::2], strict=True))
            continue
        first, second = (0x14, code) if isinstance(code, int) else code
        if 0x10 <= first < 0x20 and channel == 2:
            first |= 0x08
        found += [(first, second)] * (1 if once else 2)
    return [(with_parity(first), with_parity(second)) for first, second in found]


def row(number: int, *, indent: int = 0, style: int = 0) -> tuple[int, int]:
    """A preamble address code. `indent`: columns, a multiple of 4; `style`: a colour's number, 7 italics."""
    first, upper = {
        1: (0x11, 0),
        2: (0x11, 1),
        3: (0x12, 0),
        4: (0x12, 1),
        5: (0x15, 0),
        6: (0x15, 1),
        7: (0x16, 0),
        8: (0x16, 1),
        9: (0x17, 0),
        10: (0x17, 1),
        11: (0x10, 0),
        12: (0x13, 0),
        13: (0x13, 1),
        14: (0x14, 0),
        15: (0x14, 1),
    }[number]
    return first, 0x40 + 0x20 * upper + (0x10 + indent // 2 if indent or not style else 2 * style)


class Script:
    """The captions of a film: which pairs begin at which second, for each field. A frame takes one pair a field."""

    def __init__(self) -> None:
        self._queues: dict[int, list[tuple[int, tuple[int, int]]]] = {1: [], 2: []}

    def at(self, seconds: float, found: list[tuple[int, int]], *, field: int = 1) -> "Script":
        """Send `found` from `seconds` on, one pair a frame, after what was queued before."""
        queue = self._queues[field]
        start = max(round(seconds * RATE), queue[-1][0] + 1 if queue else 0)
        queue += [(start + number, pair) for number, pair in enumerate(found)]
        return self

    def triplets(self, frame: int) -> list[Triplet]:
        """The triplets of a frame: one of each field, padding where nothing is sent."""
        found: list[Triplet] = []
        for field, queue in self._queues.items():
            first, second = next((pair for at, pair in queue if at == frame), (0x80, 0x80))
            found.append((0xFC | (field - 1), first, second))
        return found


def a53(triplets: list[Triplet]) -> bytes:
    """`GA94` user data."""
    count = 0x40 | len(triplets)
    return b"GA94\x03" + bytes((count, 0xFF)) + b"".join(map(bytes, triplets)) + b"\xff"


def sei(user_data: bytes) -> bytes:
    """An SEI NAL unit (H.264 type 6) with registered user data, as Annex B."""
    payload = b"\xb5\x00\x31" + user_data
    message = bytes((4, len(payload))) + payload + b"\x80"
    escaped = re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", message)
    return b"\x00\x00\x00\x01\x06" + escaped


async def captioned_film(
    path: Path, script: Script, *options: str, seconds: int = 8, extra: list[Triplet] | None = None
) -> Path:
    """A small H.264 film with the script's captions. `options`: of the muxer. `extra`: triplets of every frame."""
    raw, with_captions = path.with_suffix(".raw.h264"), path.with_suffix(".cc.h264")
    await ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s=64x48:r={RATE}:d={seconds}", "-c:v", "libx264", "-bf", "0", "-g", "30"),
        *("-x264-params", "aud=1", "-f", "h264", str(raw)),
    )
    units = re.split(rb"(?=\x00\x00\x00\x01\x09)", raw.read_bytes())[1:]
    assert len(units) == seconds * RATE, "an access unit does not begin with its delimiter"
    delimiter = len(b"\x00\x00\x00\x01\x09\x10")
    written = b"".join(
        unit[:delimiter] + sei(a53(script.triplets(frame) + (extra or []))) + unit[delimiter:]
        for frame, unit in enumerate(units)
    )
    with_captions.write_bytes(written)
    await ffmpeg("-r", str(RATE), "-i", str(with_captions), "-c", "copy", *options, str(path))
    return path
