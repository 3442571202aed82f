"""Decodes a film's whole picture once and notes every frame: what the file really holds, whatever its header claims.

One pass of ffmpeg with `showinfo` gives the frames, the damaged ones, the first frame's exact time, the real rate and
duration, the size, the fields and the colours. Cost: about 4 % of encoding the ladder. The loop filter is skipped: the
pictures are thrown away, errors and times are the same, and decoding is a fifth cheaper.
Reads ffmpeg's log line by line into a `Scan`, by which `judge` decides. `seeking` compares seeks with its checksums.
"""

import copy
import re
from array import array
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final, Literal

import ffmpeg

from marquee.documents.decoded_frames import DecodedFrames, packed
from marquee.errors import ProcessFailed, ProcessTimedOut
from marquee.media.programs import binaries, process
from marquee.media.source.checksums import checksummed, is_error, read_checksum
from marquee.media.source.dolby_vision import DolbyVision, of_metadata
from marquee.media.source.frame_kinds import FrameKind, FrameKinds
from marquee.media.source.probe import untrusted_input

FRAME_LINE: Final = re.compile(
    r"n:\s*\d+ pts:\s*(?P<pts>-?\d+|NOPTS) .*?duration:\s*(?P<duration>-?\d+) .*?fmt:(?P<format>\S+) .*?"
    r"sar:(?P<sar>\S+) s:(?P<size>\d+x\d+) i:(?P<fields>\S) iskey:(?P<key>\d)"
)
"""One frame in the log of `showinfo`. `pts` is in units of the time base."""
_TIME_BASE: Final = re.compile(r"config in time_base: (\d+)/(\d+)")
_COLOUR: Final = re.compile(r"color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)")
_TURN: Final = re.compile(r"displaymatrix: rotation of (-?\d+)\.")
_DOLBY_VISION: Final = re.compile(r"vdr_rpu_profile=(\d+);.*bl_video_full_range_flag=(\d+)")
_PACKETS: Final = re.compile(r"Input stream #0:\d+ \(video\): (\d+) packets read .*?\d+ frames decoded")
_CONTAINER_ERROR: Final = re.compile(
    r"\[(in#0/\S+|mov|matroska|ogg|mpegts|mpeg|flv|avi|asf|mxf)\S* @ \S+\] "
    r"(\[error\]|.*(CRC mismatch|corrupt|Continuity|invalid|Invalid))"
)
_MAX_LAST_FRAME_SECONDS: Final = Fraction(10)
"""A last frame may last this much longer than usual; longer only if the container's claimed length covers it."""
MAX_FEW_FRAMES: Final = 5
"""A film with no more frames stands still: see `stills`."""
_SINGLE_FRAME_SECONDS: Final = Fraction(1, 25)
_MAX_REORDER_SECONDS: Final = 1.0
"""Reordered frames are nearer to each other than this. A clock that goes back further was restarted."""
_MIN_TIMED_SHARE: Final = 0.9
_MAX_ERRORS_KEPT: Final = 10_000
_MAX_FRAMES: Final = 20_000_000
"""A whole day at 230 fps. A file with more frames is not a film."""


class Scan:
    """What decoding the whole picture found.

    - `times`: presentation times of the frames in units of `time_base`, in the order of presentation.
    - `pictures`: the kind of each frame. `fields`: how many frames have each order. `turns`: of the frames
      `key_frames`, see `source_streams.turns`.
    - `concealed_at`, `refused_at`, `complaints_at`: how many frames had been shown when the decoder concealed a frame, when it
      refused a packet, and when the demuxer reported damage. The programs of a scan run ahead of the frames that are shown: only
      `close_look` knows the exact frames. `error_line`: the error line that explains most.
    - `packets`: packets read. `packets_in_gaps`: see `close_look`.
    - `checksums`: one a frame, see `seeking`. `errors_at`: frames shown before each error line of any program.
    - `wrong_at_end`: frames at the end that are wrong. The title ends before them.
    - `shapes_by_time`: the shapes of pixels were read by `coded_aspects`. The decoder's frames do not tell them.
    - `gapless`: a broadcast stream, in which a gap in time means missing frames.
    - `clock`: where `times` come from; see `VideoStream.clock`.
    - `captioned`: frames that carry caption bytes, be it padding (CEA-608, CEA-708).
    - `dolby_vision`: what the metadata of the first picture with any says.
    - `held_seconds`: how much longer the last picture is shown than stored. `single`: it is the only one. See `stills`.
    """

    def __init__(
        self, *, stored_times: bool = True, gapless: bool = False, claimed_seconds: float | None = None
    ) -> None:
        self.gapless = gapless
        self.claimed_seconds = claimed_seconds
        self.clock: Literal["container", "mended", "counted"] = "container" if stored_times else "mended"
        self.time_base = Fraction(1, 1_000_000)
        self.times = array("q")
        self.last_duration = 0
        self.held_seconds = Fraction(0)
        self.single = False
        self.pictures = FrameKinds()
        self.shapes_by_time = False
        self.fields: Counter[str] = Counter()
        self.turns = array("h")
        self.key_frames = array("q")
        self.captioned = 0
        self.dolby_vision: DolbyVision | None = None
        self.concealed_at = array("q")
        self.refused_at = array("q")
        self.complaints_at = array("q")
        self.packets = 0
        self.packets_in_gaps: dict[int, int] | None = None
        self.wrong_at_end = 0
        self.truncated = False
        self.error_line = ""
        self.cpu_seconds = 0.0
        self.checksums = array("H")
        self.errors_at = array("q")

    @property
    def frames(self) -> int:
        return len(self.pictures)

    @property
    def timed_in_order(self) -> bool:
        """Whether every frame has a time, later than that of the frame before it."""
        return len(self.times) == self.frames and all(one < other for one, other in pairwise(self.times))

    @property
    def largest_gap_seconds(self) -> float:
        return float(max((abs(b - a) for a, b in pairwise(self.times)), default=0) * self.time_base)

    @property
    def is_unordered(self) -> bool:
        """Whether the clock restarts somewhere, or under 90 % of the frames have a time. It then gives no order of frames."""
        furthest = max((a - b for a, b in pairwise(self.times)), default=0) * self.time_base
        return furthest > _MAX_REORDER_SECONDS or len(self.times) < _MIN_TIMED_SHARE * self.frames

    def decoded_frames(self) -> DecodedFrames | None:
        """What later decodes are compared with; None where frames are not in order or the decode was not read to its end."""
        if not self.timed_in_order or len(self.checksums) != self.frames or len(self.errors_at) >= _MAX_ERRORS_KEPT:
            return None
        last = self.frames - 1
        return packed(self.time_base, self.times, self.checksums, [self.times[min(n, last)] for n in self.errors_at])

    def counted(self, rate: Fraction) -> "Scan":
        """A copy with counted times: frame n at n / `rate` seconds, whatever the container says."""
        found = copy.copy(self)
        found.clock = "counted"
        found.time_base = 1 / rate
        found.times = array("q", range(self.frames))
        found.last_duration = 1
        return found

    @property
    def step(self) -> int:
        """The median time from one frame to the next, in units of the time base; 0 for a single frame."""
        steps = [b - a for a, b in pairwise(self.times) if b > a]
        return int(median(steps)) if steps else 0

    @property
    def first_seconds(self) -> float:
        """The first frame's time in seconds, 0 without a timed frame."""
        return float(self.times[0] * self.time_base) if self.times else 0.0

    @property
    def duration_seconds(self) -> Fraction:
        """Seconds from the first frame's start to the last frame's end, `held_seconds` included."""
        if not self.times:
            return Fraction(0)
        kept = self.times[: len(self.times) - self.wrong_at_end]
        span, last = (max(kept) - min(kept)) * self.time_base, self.last_duration * self.time_base
        usual = self.step * self.time_base or _SINGLE_FRAME_SECONDS
        if last <= 0 or self.wrong_at_end:
            last = usual
        elif last - usual > _MAX_LAST_FRAME_SECONDS:
            # A film may end in a still picture. Its length is believed as far as the container's own claim covers it.
            claimed = Fraction(self.claimed_seconds) - span if self.claimed_seconds is not None else usual
            last = min(last, max(usual, claimed))
        return span + last + self.held_seconds

    @property
    def last_end_seconds(self) -> Fraction:
        """When the last picture ends, on the container's clock."""
        return min(self.times, default=0) * self.time_base + self.duration_seconds

    def _read_line(self, line: str) -> None:
        # ffmpeg's threads share one log: a message may stand at the end of an unfinished line of `showinfo` (5 of 80 runs).
        if "showinfo" in line:
            self._read_frame_line(line)
            self.captioned += "side data - ATSC A53" in line
        if is_error(line) and len(self.errors_at) < _MAX_ERRORS_KEPT:
            self.errors_at.append(self.frames)
        if "corrupt decoded frame" in line:
            self.concealed_at.append(self.frames)
        elif "Error submitting packet to decoder" in line:
            self.refused_at.append(self.frames)
            self.error_line = line
        elif "File ended prematurely" in line or "partial file" in line:
            self.truncated = True
        elif _CONTAINER_ERROR.match(line):
            self.complaints_at.append(self.frames)
        elif is_error(line) and not self.error_line:
            self.error_line = line
        elif found := _PACKETS.search(line):
            self.packets = int(found[1])

    def _read_frame_line(self, line: str) -> None:
        if found := FRAME_LINE.search(line):
            if found["pts"] != "NOPTS":
                self.times.append(int(found["pts"]))
                self.last_duration = int(found["duration"])
            self.pictures.add(FrameKind(found["size"], found["sar"], found["format"]))
            self.fields[found["fields"]] += 1
            if found["key"] == "1":
                self.turns.append(0)
                self.key_frames.append(self.frames - 1)
            if self.frames > _MAX_FRAMES:
                raise TooManyFrames
        elif found := _COLOUR.search(line):
            self.pictures.with_colours((found[1], found[2], found[3], found[4]))
        elif self.dolby_vision is None and (found := _DOLBY_VISION.search(line)):
            self.dolby_vision = of_metadata(int(found[1]), found[2] == "1")
        elif self.turns and (found := _TURN.search(line)):
            self.turns[-1:] = array("h", [-int(found[1]) % 360])
        elif (found := _TIME_BASE.search(line)) and not self.times:
            self.time_base = Fraction(int(found[1]), int(found[2]))


class TooManyFrames(Exception):
    """The file has more frames than `_MAX_FRAMES`; raised while ffmpeg's log is read, which stops ffmpeg."""


def scan_arguments(path: Path, stream_index: int, *, stored_times: bool, max_pixels: int) -> list[str]:
    """The command of a scan. `stored_times`: times as the container stores them; else ffmpeg removes the jumps."""
    clock = {"copyts": None} if stored_times else {}
    source = ffmpeg.input(
        **untrusted_input(path), skip_loop_filter="all", max_pixels=max_pixels, noautorotate=None, **clock
    )
    picture = source[str(stream_index)].filter("showinfo", checksum=0)
    # Frames without a time, or with that of another, have checksums too: here they are numbered.
    output = checksummed(picture.filter("setpts", expr="N"))
    argv: list[str] = output.global_args("-hide_banner", "-nostdin", "-loglevel", "level+repeat+verbose").compile(
        cmd=str(binaries.picture_ffmpeg())
    )
    return argv


async def scan(
    path: Path,
    stream_index: int,
    *,
    stored_times: bool = True,
    gapless: bool = False,
    claimed_seconds: float | None = None,
    timeout_seconds: float,
    memory_bytes: int | None = None,
    max_pixels: int,
    on_progress: Callable[[process.Progress], None] | None = None,
) -> Scan:
    """Decode one picture stream from start to end.

    A decoder that stops midway is not an error here: the frames found until then are returned, and `judge` decides.
    `claimed_seconds` is the film's claimed length; it bounds a very long last frame. Raises `ProcessTimedOut`, `ProcessLost`
    and `TooManyFrames`.
    """
    result = Scan(stored_times=stored_times, gapless=gapless, claimed_seconds=claimed_seconds)
    argv = scan_arguments(path, stream_index, stored_times=stored_times, max_pixels=max_pixels)
    try:
        finished = await process.run(
            argv,
            timeout_seconds=timeout_seconds,
            memory_bytes=memory_bytes,
            on_progress=on_progress,
            on_stderr_line=result._read_line,
            on_stdout_line=lambda line: result.checksums.extend(
                found.checksum for found in [read_checksum(line)] if found
            ),
        )
        result.cpu_seconds = finished.cpu_seconds
    except ProcessTimedOut:
        raise
    except ProcessFailed as error:
        result.error_line = result.error_line or error.detail
    return result
