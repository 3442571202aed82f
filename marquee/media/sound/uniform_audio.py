"""Sound whose layout or sampling rate changes midway, made even before anything else is done with it.

ffmpeg builds a filter graph anew where its input changes, and what counts (silence filled in, the cut to the picture's length)
begins at 0 again: the track comes out too long and out of step. So such streams are first decoded to plain samples at one rate
and in one layout, each with its own time, by filters that count nothing. A broadcast does this at every advertisement; other
sound is spared the second pass, as its result shows whether it needs one. Read by `audio`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import ffmpeg

from marquee.media.programs import binaries, process
from marquee.media.source.clock import Clock
from marquee.media.source.probe import untrusted_input

SAMPLE_RATE: Final = 48_000
_LAYOUTS: Final = {1: "mono", 2: "stereo", 6: "5.1"}


async def even_streams(
    source_path: Path,
    streams: Sequence[int],
    out: Path,
    *,
    channels: int,
    clock: Clock,
    timeout_seconds: float,
    memory_bytes: int | None,
) -> process.Finished:
    """Decode `streams` of a source to `out` (NUT, 16-bit samples), stream by stream in this order, on the picture's clock.

    What sounds before the first picture is left out. Its stderr has ffmpeg's counts of damage, as `audio` reads them. Raises
    `ProcessFailed`.
    """
    opened = ffmpeg.input(**untrusted_input(source_path), vn=None, sn=None, dn=None, **clock.options)
    placed = "N/SR/TB" if clock.counted else f"PTS-({clock.start_seconds:.9f})/TB"
    evened = [
        opened[str(index)]
        .filter("asetpts", placed)
        .filter("atrim", start=0)
        .filter("aformat", sample_fmts="s16", sample_rates=SAMPLE_RATE, channel_layouts=_LAYOUTS[channels])
        for index in streams
    ]
    written: list[str] = ffmpeg.output(*evened, str(out), format="nut", **{"c:a": "pcm_s16le"}).compile(
        cmd=str(binaries.ffmpeg())
    )
    options = ("-hide_banner", "-nostdin", "-y", "-v", "verbose", "-max_error_rate", "1")
    return await process.run(
        [written[0], *options, *written[1:]], timeout_seconds=timeout_seconds, memory_bytes=memory_bytes
    )
