"""Decodes the whole picture once, as fast as it goes, and notes every frame: what a file holds, whatever it claims.

One pass of ffmpeg with the loop filter left out (nobody sees these pictures; a fifth cheaper, errors and times are
the same) and `showinfo`: about 4 % of what encoding the ladder costs. From it come the frames and the damaged ones, the
first frame's exact time, the real frame rate and duration, the size, the fields and the colours.
"""

import contextlib
import copy
import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final, Literal, NamedTuple

import ffmpeg

from marquee.errors import ProcessFailed, ProcessTimedOut
from marquee.media.programs import binaries, process
from marquee.media.source.probe import ffprobe_arguments, untrusted_input

_FRAME: Final = re.compile(
    r"n:\s*\d+ pts:\s*(?P<pts>-?\d+|NOPTS) .*?duration:\s*(?P<duration>-?\d+) .*?fmt:(?P<format>\S+) .*?"
    r"sar:(?P<sar>\S+) s:(?P<size>\d+x\d+) i:(?P<fields>\S) iskey:(?P<key>\d)"
)
_TIME_BASE: Final = re.compile(r"config in time_base: (\d+)/(\d+)")
_COLOUR: Final = re.compile(r"color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)")
_PACKETS: Final = re.compile(
    r"Input stream #0:\d+ \(video\): (\d+) packets read .*?(\d+) frames decoded; (\d+) decode errors"
)
_CONTAINER_COMPLAINT: Final = re.compile(
    r"\[(in#0/\S+|mov|matroska|ogg|mpegts|mpeg|flv|avi|asf|mxf)\S* @ \S+\] "
    r"(\[error\]|.*(CRC mismatch|corrupt|Continuity|invalid|Invalid))"
)
_MAX_LAST_FRAME_SECONDS: Final = Fraction(10)
SEEK_MARGIN_SECONDS: Final = 1.0
"""An index by decoding time may land as much later than asked as frames are reordered; this is far more."""
_SINGLE_FRAME_SECONDS: Final = Fraction(1, 25)
_BACK_SECONDS: Final = 1.0
"""Frames that change places are nearer than this; a clock that goes back further has begun anew."""
_MIN_TIMED_SHARE: Final = 0.9
_NEVER_SOUGHT_SECONDS: Final = 6
"""A film of one segment is one chunk."""
_MAX_FRAMES: Final = 20_000_000
"""Frames of a whole day at 230 fps; more is not a film."""


class Scan:
    """What a decode of the whole picture found. Times are in units of `time_base`, in order of showing."""

    def __init__(self, *, own_clock: bool = True, gapless: bool = False, claimed_seconds: float | None = None) -> None:
        self.gapless = gapless
        self.claimed_seconds = claimed_seconds
        self.clock: Literal["container", "mended", "counted"] = "container" if own_clock else "mended"
        self.time_base = Fraction(1, 1_000_000)
        self.times = array("q")
        self.durations: Counter[int] = Counter()
        self.last_duration = 0
        self.sizes: Counter[str] = Counter()
        self.aspects: Counter[tuple[str, str]] = Counter()
        self.formats: Counter[str] = Counter()
        self.colours: Counter[tuple[str, str, str, str]] = Counter()
        self.fields: Counter[str] = Counter()
        self.corrupt = 0
        self.refused_packets = 0
        self.packets = 0
        self.container_complaints = 0
        self.truncated = False
        self.complaint = ""
        self.cpu_seconds = 0.0

    @property
    def frames(self) -> int:
        return sum(self.sizes.values())

    @property
    def timed_in_order(self) -> bool:
        """Every frame has a time, and each is later than the one before."""
        return len(self.times) == self.frames and all(one < other for one, other in pairwise(self.times))

    @property
    def largest_gap_seconds(self) -> float:
        return float(max((abs(b - a) for a, b in pairwise(self.times)), default=0) * self.time_base)

    @property
    def goes_back(self) -> bool:
        """Whether the clock begins anew somewhere, or is hardly there: no order of showing follows from it."""
        furthest = max((a - b for a, b in pairwise(self.times)), default=0) * self.time_base
        return furthest > _BACK_SECONDS or len(self.times) < _MIN_TIMED_SHARE * self.frames

    def counted(self, rate: Fraction) -> "Scan":
        """The same frames without the container's clock: they follow each other at an even `rate`."""
        found = copy.copy(self)
        found.clock = "counted"
        found.time_base = 1 / rate
        found.times = array("q", range(self.frames))
        found.last_duration = 1
        return found

    @property
    def step(self) -> int:
        """The usual time from one frame to the next, in units of the time base; 0 if there is but one frame."""
        steps = [b - a for a, b in pairwise(self.times) if b > a]
        return int(median(steps)) if steps else 0

    @property
    def first_seconds(self) -> float:
        return float(self.times[0] * self.time_base) if self.times else 0.0

    @property
    def duration_seconds(self) -> Fraction:
        """From the first frame's start to the last one's end."""
        if not self.times:
            return Fraction(0)
        span, last = (max(self.times) - min(self.times)) * self.time_base, self.last_duration * self.time_base
        usual = self.step * self.time_base or _SINGLE_FRAME_SECONDS
        if last <= 0:
            last = usual
        elif last - usual > _MAX_LAST_FRAME_SECONDS:
            # A still picture may end a film, as long as the container says that it is; no longer than that.
            claimed = Fraction(self.claimed_seconds) - span if self.claimed_seconds is not None else usual
            last = min(last, max(usual, claimed))
        return span + last

    @property
    def damaged(self) -> int:
        """Frames that a viewer would see broken or miss: concealed ones, and packets that gave none.

        A hole in time alone is no damage: in some films a frame lasts long. It counts as missing frames if a container that
        complains of its own damage goes with it, in a broadcast stream (`gapless`) also if one frame is broken, elsewhere if
        packets without a frame do: some codecs have packets that show nothing (VP8's hidden references).
        """
        step = self.step
        holes = sum(round((b - a) / step) - 1 for a, b in pairwise(self.times) if b - a > 1.5 * step) if step else 0
        lossy = self.container_complaints or (self.gapless and self.corrupt)
        missing = holes if lossy else min(holes, max(0, self.packets - self.frames))
        return self.corrupt + max(missing, self.refused_packets)

    def _take(self, line: str) -> None:
        if "showinfo" in line:
            self._take_frame(line)
        elif "corrupt decoded frame" in line:
            self.corrupt += 1
        elif "Error submitting packet to decoder" in line:
            self.refused_packets += 1
            self.complaint = line
        elif "File ended prematurely" in line or "partial file" in line:
            self.truncated = True
        elif _CONTAINER_COMPLAINT.match(line):
            self.container_complaints += 1
        elif "[error]" in line and "[null @" not in line and not self.complaint:
            self.complaint = line
        elif found := _PACKETS.search(line):
            self.packets = int(found[1])

    def _take_frame(self, line: str) -> None:
        if found := _FRAME.search(line):
            if found["pts"] != "NOPTS":
                self.times.append(int(found["pts"]))
                self.last_duration = int(found["duration"])
            self.sizes[found["size"]] += 1
            self.aspects[found["size"], found["sar"]] += 1
            self.formats[found["format"]] += 1
            self.fields[found["fields"]] += 1
            if self.frames > _MAX_FRAMES:
                raise TooManyFrames
        elif found := _COLOUR.search(line):
            self.colours[(found[1], found[2], found[3], found[4])] += 1
        elif (found := _TIME_BASE.search(line)) and not self.times:
            self.time_base = Fraction(int(found[1]), int(found[2]))


class TooManyFrames(Exception):
    """More frames than the longest film could have."""


def scan_arguments(path: Path, stream_index: int, *, own_clock: bool, max_pixels: int) -> list[str]:
    """The command of a scan. `own_clock`: times as the container has them, else with its jumps mended by ffmpeg."""
    clock = {"copyts": None} if own_clock else {}
    source = ffmpeg.input(
        **untrusted_input(path), skip_loop_filter="all", max_pixels=max_pixels, noautorotate=None, **clock
    )
    picture = source[str(stream_index)].filter("showinfo", checksum=0)
    output = ffmpeg.output(picture, "-", format="null", fps_mode="passthrough")
    argv: list[str] = output.global_args("-hide_banner", "-nostdin", "-loglevel", "level+repeat+verbose").compile(
        cmd=str(binaries.picture_ffmpeg())
    )
    return argv


async def scan(
    path: Path,
    stream_index: int,
    *,
    own_clock: bool = True,
    gapless: bool = False,
    claimed_seconds: float | None = None,
    timeout_seconds: float,
    memory_bytes: int | None = None,
    max_pixels: int,
    on_progress: Callable[[process.Progress], None] | None = None,
) -> Scan:
    """Decode one picture stream from end to end.

    A decoder that gives up midway is no error here: what was found until then is the answer. `claimed_seconds`: how long the
    film is said to be, which bounds a very long last frame. Raises `ProcessTimedOut`.
    """
    result = Scan(own_clock=own_clock, gapless=gapless, claimed_seconds=claimed_seconds)
    argv = scan_arguments(path, stream_index, own_clock=own_clock, max_pixels=max_pixels)
    try:
        finished = await process.run(
            argv,
            timeout_seconds=timeout_seconds,
            memory_bytes=memory_bytes,
            on_progress=on_progress,
            on_stderr_line=result._take,
        )
        result.cpu_seconds = finished.cpu_seconds
    except ProcessTimedOut:
        raise
    except ProcessFailed as error:
        result.complaint = result.complaint or error.detail
    return result


def sought_input(path: Path, at_seconds: float, **options: object) -> dict[str, object]:
    """Input options that start decoding at the keyframe before `at_seconds` of the container's own clock."""
    seek = {"ss": f"{at_seconds - SEEK_MARGIN_SECONDS:.6f}", "seek_timestamp": 1, "noaccurate_seek": None}
    return {**untrusted_input(path), **options, **seek, "copyts": None, "noautorotate": None, "display_rotation": 0}


async def seeks_exactly(
    path: Path, stream_index: int, scanned: Scan, *, memory_bytes: int | None = None, max_pixels: int
) -> bool:
    """Whether the container's index can be trusted: at three places of the film, seeking must give the very frames
    that the scan found there, from before the place that was asked for."""
    if scanned.duration_seconds < _NEVER_SOUGHT_SECONDS:
        return True
    first, last = scanned.times[0], scanned.times[-1]
    for share in (Fraction(1, 3), Fraction(2, 3), Fraction(19, 20)):
        at = first + int((last - first) * share)
        seen: list[int] = []

        def take(line: str, seen: list[int] = seen) -> None:
            if (found := _FRAME.search(line)) and found["pts"] != "NOPTS":
                seen.append(int(found["pts"]))

        source = ffmpeg.input(**sought_input(path, float(at * scanned.time_base), max_pixels=max_pixels))
        picture = source[str(stream_index)].filter("showinfo", checksum=0)
        output = ffmpeg.output(picture, "-", format="null", fps_mode="passthrough", **{"frames:v": 8})
        argv = output.global_args("-hide_banner", "-nostdin").compile(cmd=str(binaries.picture_ffmpeg()))
        try:
            await process.run(argv, timeout_seconds=120, memory_bytes=memory_bytes, on_stderr_line=take)
        except ProcessFailed:
            return False
        index = bisect_left(scanned.times, seen[0]) if seen else 0
        if not seen or seen[0] > at or list(scanned.times[index : index + len(seen)]) != seen:
            return False
    return True


class SoundTimes(NamedTuple):
    """When the last packet of sound ends, on the container's own clock (0 without sound), and the largest hole in it."""

    end_seconds: float
    largest_gap_seconds: float


async def sound_times(path: Path, *, memory_bytes: int | None = None) -> SoundTimes:
    """Reads every packet of sound, decodes nothing."""
    ends: dict[str, float] = {}
    end, gap = 0.0, 0.0

    def take(line: str) -> None:
        nonlocal end, gap
        stream, *times = line.split(",")[:3]
        with contextlib.suppress(ValueError):
            start, lasts = (float(value) for value in times)
            gap = max(gap, abs(start - ends.get(stream, start)))
            ends[stream] = start + lasts
            end = max(end, start + lasts)

    entries = ["-select_streams", "a", "-show_entries", "packet=stream_index,pts_time,duration_time"]
    argv = ffprobe_arguments(path, *entries, "-print_format", "csv=p=0")
    with contextlib.suppress(ProcessFailed):
        await process.run(argv, timeout_seconds=300, memory_bytes=memory_bytes, on_stdout_line=take)
    return SoundTimes(end, gap)
