"""Decides whether chunks of a film may seek, and builds the ffmpeg options of a seek.

A chunk that seeks is decoded from shortly before its first frame; otherwise every chunk is decoded from the film's start. An
index may be wrong even in a file that plays well, so `seeks_exactly` seeks to three places of the film and compares the frames
with those of the `scan`. `judge` stores the answer as `SourceDocument.seekable`; `encode.transcode` seeks by `seek_input`.
"""

from bisect import bisect_left
from fractions import Fraction
from pathlib import Path
from typing import Final

import ffmpeg

from marquee.errors import ProcessFailed
from marquee.media.programs import binaries, process
from marquee.media.source.probe import untrusted_input
from marquee.media.source.scan import FRAME_LINE, Scan

SEEK_MARGIN_SECONDS: Final = 1.0
"""Seek this much before the wanted frame. An index by decoding time may land later than asked, by the reordering of frames;
one second is far more than that."""
_MAX_ONE_CHUNK_SECONDS: Final = 6
"""A film up to one segment long is one chunk, and nothing seeks in it."""


def seek_input(path: Path, at_seconds: float, **options: object) -> dict[str, object]:
    """ffmpeg input options that start decoding at a key frame before `at_seconds`, counted on the container's own clock."""
    seek = {"ss": f"{at_seconds - SEEK_MARGIN_SECONDS:.6f}", "seek_timestamp": 1, "noaccurate_seek": None}
    return {**untrusted_input(path), **options, **seek, "copyts": None, "noautorotate": None, "display_rotation": 0}


async def seeks_exactly(
    path: Path, stream_index: int, scanned: Scan, *, memory_bytes: int | None = None, max_pixels: int
) -> bool:
    """Whether chunks may seek in the file `path`.

    At 1/3, 2/3 and 19/20 of the film, a seek must land at or before the wanted time, and eight frames from there must have
    exactly the times that the scan found. A film up to one segment long always passes: nothing seeks in it.
    """
    if scanned.duration_seconds < _MAX_ONE_CHUNK_SECONDS:
        return True
    first, last = scanned.times[0], scanned.times[-1]
    for share in (Fraction(1, 3), Fraction(2, 3), Fraction(19, 20)):
        at = first + int((last - first) * share)
        seen: list[int] = []

        def take(line: str, seen: list[int] = seen) -> None:
            if (found := FRAME_LINE.search(line)) and found["pts"] != "NOPTS":
                seen.append(int(found["pts"]))

        source = ffmpeg.input(**seek_input(path, float(at * scanned.time_base), max_pixels=max_pixels))
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
