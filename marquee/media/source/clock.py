"""Decides on which clock a source's sound and text are read, and when the first picture is on that clock.

`VideoStream.clock` says how the scan timed the picture. `container`: the stored times are used; the scan knows the first
picture's time. `mended`: the stored clock jumps, and ffmpeg removes the jumps while it reads from the start, as in the
transcode; that clock starts elsewhere, so one frame is decoded here to time the first picture on it. `counted`: stored times
are useless; sound follows by its samples. `sound` and `text` place their tracks by the result.
"""

from pathlib import Path
from typing import NamedTuple

import ffmpeg

from marquee.documents import SourceDocument
from marquee.errors import ProcessFailed
from marquee.media.programs import binaries, process
from marquee.media.source.probe import untrusted_input


class Clock(NamedTuple):
    """How to read a source: ffmpeg's input options, and the first picture's time in seconds under these options.

    `counted`: the source's times are useless. Its sound is placed by counting samples from the first picture on. `guessed`: the
    first picture could not be timed, so the container's own clock is used.
    """

    options: dict[str, None]
    start_seconds: float
    counted: bool = False
    guessed: bool = False


async def picture_clock(source: SourceDocument, path: Path, *, memory_bytes: int | None = None) -> Clock:
    """The clock for the sound and text of `source`. If the first frame cannot be timed, the container's own clock is returned."""
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
        times.clear()
    return Clock({}, times[0]) if times else own._replace(guessed=True)
