"""Which clock a source is read on, and when its first picture is on that clock: what sound and text are placed by.

A source is read on its container's own clock, on which the scan timed the first picture. Where that clock jumps, ffmpeg mends it
while reading from the start, as the transcode does; that clock starts elsewhere, so the first picture is timed on it here, by
decoding one frame. A source without a clock is counted.
"""

from pathlib import Path
from typing import NamedTuple

import ffmpeg

from marquee.documents import SourceDocument
from marquee.errors import ProcessFailed
from marquee.media.programs import binaries, process
from marquee.media.source.probe import untrusted_input


class Clock(NamedTuple):
    """`options` are ffmpeg's input options; `start_seconds` is the first picture's time under them. Where the source's times
    are `counted`, they say nothing: sound follows by its samples, from the first picture on."""

    options: dict[str, None]
    start_seconds: float
    counted: bool = False


async def picture_clock(source: SourceDocument, path: Path, *, memory_bytes: int | None = None) -> Clock:
    """The clock to read the sound and text of `source` on."""
    if source.video.clock == "counted":
        return Clock({}, 0.0, counted=True)
    own = Clock({"copyts": None}, source.video.start_seconds)
    if source.video.clock == "container":
        return own
    times: list[float] = []

    def take(line: str) -> None:
        if "Parsed_showinfo" in line and "pts_time:" in line:
            value = line.split("pts_time:", 1)[1].split(None, 1)[0]
            if value not in {"NOPTS", "nan"}:
                times.append(float(value))

    picture = ffmpeg.input(**untrusted_input(path), noautorotate=None)[str(source.video.index)].filter(
        "showinfo", checksum=0
    )
    shown = ffmpeg.output(picture, "-", format="null", fps_mode="passthrough", **{"frames:v": 1})
    argv = shown.global_args("-hide_banner", "-nostdin").compile(cmd=str(binaries.picture_ffmpeg()))
    try:
        await process.run(argv, timeout_seconds=120, memory_bytes=memory_bytes, on_stderr_line=take)
    except ProcessFailed:
        return own
    return Clock({}, times[0]) if times else own
