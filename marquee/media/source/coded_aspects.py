"""Reads the shape of pixels from the headers of the coded stream itself: broadcasts change it midway by a flag alone.

ffmpeg's decoder gives every frame the first shape that it finds, so `scan` does not see the change. Here ffmpeg copies the
stream, keeps the sequence headers alone (MPEG-2) or the sequence parameter sets (H.264, HEVC) and prints them. Nothing is
decoded. A header that cannot be read tells nothing: the shape before it then lasts on.
`judge` calls `with_coded_aspects`.
"""

import contextlib
import copy
import re
from fractions import Fraction
from pathlib import Path
from typing import Final

import ffmpeg

from marquee.errors import ProcessFailed
from marquee.media.programs import binaries, process
from marquee.media.source.claims import Candidate
from marquee.media.source.frame_kinds import CodedAspect
from marquee.media.source.probe import untrusted_input
from marquee.media.source.scan import Scan

_HEADER_UNITS: Final = {"mpeg2video": 0xB3, "h264": 7, "hevc": 33}
"""Type of the unit with the shape: sequence header (ISO/IEC 13818-2, 6.2.2.1), sequence parameter set."""
_PACKET: Final = re.compile(r"Packet: .* pts (-?\d+|NOPTS), dts (-?\d+|NOPTS)")
_FIELD: Final = re.compile(
    r"\[info\] \d+\s+(?P<name>aspect_ratio_information|aspect_ratio_info_present_flag|aspect_ratio_idc|sar_width|sar_height)\s"
    r".* = (?P<value>\d+)"
)
_PICTURE_ASPECTS: Final = {2: Fraction(4, 3), 3: Fraction(16, 9), 4: Fraction(221, 100)}
"""ISO/IEC 13818-2, table 6-3. 1 is a square pixel."""
_PIXEL_ASPECTS: Final = {
    1: (1, 1), 2: (12, 11), 3: (10, 11), 4: (16, 11), 5: (40, 33), 6: (24, 11), 7: (20, 11), 8: (32, 11), 9: (80, 33),
    10: (18, 11), 11: (15, 11), 12: (64, 33), 13: (160, 99), 14: (4, 3), 15: (3, 2), 16: (2, 1),
}  # fmt: skip
"""ITU-T H.264, table E-1; 255 means that width and height follow."""
_EXPLICIT: Final = 255
_DESCRIBED_CONTAINERS: Final = ("mov", "matroska")
"""Their headers say all that a copy needs. ffmpeg need not decode the first pictures to find it: 0.2 s of cpu for a 4K film."""


class _Headers:
    """The aspects that ffmpeg prints. Those before the first packet (of the container's own header) are left out."""

    def __init__(self) -> None:
        self.found: list[CodedAspect] = []
        self._ticks: int | None = None
        self._in_packet = 0
        self._width = 0

    def read_line(self, line: str) -> None:
        if packet := _PACKET.search(line):
            ticks = packet[1] if packet[1] != "NOPTS" else packet[2]
            self._ticks = int(ticks) if ticks != "NOPTS" else None
            self._in_packet = 0
        elif (field := _FIELD.search(line)) and self._ticks is not None:
            self._read_field(field["name"], int(field["value"]), self._ticks)

    def _read_field(self, name: str, value: int, ticks: int) -> None:
        if name == "aspect_ratio_information":
            aspect = _PICTURE_ASPECTS.get(value, Fraction(1) if value == 1 else None)
            # Two headers in one packet: two films laid end to end. The second is that of the next picture.
            self.found.append(CodedAspect(ticks + self._in_packet, aspect, picture=value in _PICTURE_ASPECTS))
            self._in_packet += 1
        elif name == "sar_width":
            self._width = value
        elif name == "sar_height":
            self._add_pixel(ticks, Fraction(self._width, value) if self._width and value else None)
        elif name == "aspect_ratio_idc" and value != _EXPLICIT:
            self._add_pixel(ticks, Fraction(*_PIXEL_ASPECTS[value]) if value in _PIXEL_ASPECTS else None)
        elif name == "aspect_ratio_info_present_flag" and not value:
            self._add_pixel(ticks, None)

    def _add_pixel(self, ticks: int, aspect: Fraction | None) -> None:
        # A packet may hold several parameter sets. Which of them its slices use is not known: the first counts.
        if not self._in_packet:
            self.found.append(CodedAspect(ticks, aspect))
            self._in_packet = 1


def coded_aspects_arguments(
    path: Path, stream_index: int, codec: str, *, stored_times: bool, is_described: bool = False
) -> list[str]:
    """The command that prints the headers of one picture stream. `is_described`: the container's header says all of it."""
    clock = {"copyts": None} if stored_times else {}
    known = {"nofind_stream_info": None} if is_described else {}
    source = ffmpeg.input(**untrusted_input(path), **clock, **known)
    options = {"c": "copy", "bsf:v": f"filter_units=pass_types={_HEADER_UNITS[codec]},trace_headers"}
    output = ffmpeg.output(source[str(stream_index)], "-", format="null", **options)
    argv: list[str] = output.global_args("-hide_banner", "-nostdin", "-loglevel", "level+repeat+info").compile(
        cmd=str(binaries.picture_ffmpeg())
    )
    return argv


async def coded_aspects(
    path: Path,
    stream_index: int,
    codec: str,
    *,
    stored_times: bool,
    is_described: bool = False,
    memory_bytes: int | None = None,
) -> list[CodedAspect]:
    """The aspect of every header of the stream, in order of decoding; empty for a codec whose headers have none."""
    if codec not in _HEADER_UNITS:
        return []
    headers = _Headers()
    with contextlib.suppress(ProcessFailed):
        await process.run(
            coded_aspects_arguments(path, stream_index, codec, stored_times=stored_times, is_described=is_described),
            timeout_seconds=300 + path.stat().st_size / 5e6,
            memory_bytes=memory_bytes,
            on_stderr_line=headers.read_line,
        )
    return headers.found


_MAX_SEARCHED_BYTES: Final = 4 * 1024**2
"""A larger file is copied through ffmpeg: its share of the scan's cost is small by then, and its bytes are many."""
_PARAMETER_SET_INSIDE: Final = re.compile(
    rb"\x00\x00[\x00\x01].[\x07\x27\x47\x67][\x2c\x42\x4d\x53\x56\x58\x64\x6e\x76\x7a\x80\xf4]", re.DOTALL
)
"""The length of an H.264 unit in MP4, in four bytes, the header of a sequence parameter set, and a profile (H.264, annex A)."""
_SAMPLE_ENTRY: Final = re.compile(rb"avc1.{78}....avcC.{4}(.)", re.DOTALL)


def has_one_parameter_set(path: Path, size_bytes: int) -> bool:
    """Whether a short MP4 surely holds no parameter set but the one in its index: then no header can change anything midway.

    Bytes that only look like one give False, which costs the reading by ffmpeg: 30 ms, a fifth of a short film's scan.
    """
    if size_bytes > _MAX_SEARCHED_BYTES:
        return False
    content = path.read_bytes()
    entries = _SAMPLE_ENTRY.findall(content)
    return (
        content[4:8] == b"ftyp"
        and content.count(b"avcC") == len(entries) == 1
        and entries[0][0] & 3 == 3
        and not any(kind in content for kind in (b"hvcC", b"mp4v", b"avc3", b"moof"))
        and _PARAMETER_SET_INSIDE.search(content) is None
    )


async def with_coded_aspects(candidate: Candidate, scanned: Scan) -> Scan:
    """The scan with the shapes of pixels that the stream's own headers state, if they change midway."""
    picture = candidate.picture
    if scanned.clock == "counted" or scanned.single or has_one_parameter_set(candidate.path, candidate.size_bytes):
        return scanned
    coded = await coded_aspects(
        candidate.path,
        picture.index,
        picture.codec,
        stored_times=scanned.clock == "container",
        is_described=candidate.probed.container.startswith(_DESCRIBED_CONTAINERS),
        memory_bytes=candidate.limits.memory_bytes,
    )
    pictures = scanned.pictures.with_coded_aspects(coded, scanned.times)
    if pictures is scanned.pictures:
        return scanned
    found = copy.copy(scanned)
    found.pictures, found.shapes_by_time = pictures, True
    return found
