"""Measures when a film's sound ends and pauses, by the times of its packets: a container's claim is no evidence.

Nothing is decoded. `stills` holds a picture until the sound ends. `judge` and `completeness` ask whether sound goes on where the
picture does not.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from marquee.errors import ProcessFailed
from marquee.media.programs import process
from marquee.media.source.probe import Stream, ffprobe_arguments


class SoundTimes(NamedTuple):
    """The end of the last packet of sound, on the container's own clock (0 without sound), and the largest gap in a track."""

    end_seconds: float
    largest_gap_seconds: float


async def sound_times(path: Path, tracks: Sequence[Stream], *, memory_bytes: int | None = None) -> SoundTimes:
    """Read the times of every packet of `tracks`, without decoding. A file that cannot be read to its end gives what was read."""
    wanted = {str(one.index) for one in tracks}
    ends: dict[str, float] = {}
    end, gap = 0.0, 0.0

    def take(line: str) -> None:
        nonlocal end, gap
        stream, *times = line.split(",")[:3]
        if stream not in wanted:
            return
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
