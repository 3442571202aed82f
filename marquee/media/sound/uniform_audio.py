"""Decodes sound whose layout or sampling rate changes midway to plain samples of one layout and one rate.

Why: ffmpeg builds a new filter graph where its input changes. Filters that count (filling with silence, cutting to the picture's
length) then start at 0 again, and the track comes out too long and out of step. So such streams are first decoded here, by
filters that do not count, each sample with its own time. Broadcasts change like this at every advertisement. `audio` uses this
second pass only for a mix whose first result is incomplete, and reads the file written here.
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


async def decode_uniform(
    source_path: Path,
    streams: Sequence[int],
    out: Path,
    *,
    channels: int,
    clock: Clock,
    timeout_seconds: float,
    memory_bytes: int | None,
) -> process.Finished:
    """Decode `streams` of a source to `out` (NUT, 16-bit samples, 48 kHz, `channels` channels), on the picture's clock.

    The streams of `out` are in the order of `streams`. Sound before the first picture is left out. The returned stderr has
    ffmpeg's counts of damaged frames, which `audio` reads. Raises `ProcessFailed`.
    """
    opened = ffmpeg.input(**untrusted_input(source_path), vn=None, sn=None, dn=None, **clock.options)
    placed = "N/SR/TB" if clock.counted else f"PTS-({clock.start_seconds:.9f})/TB"
    uniform = [
        opened[str(index)]
        .filter("asetpts", placed)
        .filter("atrim", start=0)
        .filter("aformat", sample_fmts="s16", sample_rates=SAMPLE_RATE, channel_layouts=_LAYOUTS[channels])
        for index in streams
    ]
    written: list[str] = ffmpeg.output(*uniform, str(out), format="nut", **{"c:a": "pcm_s16le"}).compile(
        cmd=str(binaries.ffmpeg())
    )
    options = ("-hide_banner", "-nostdin", "-y", "-v", "verbose", "-max_error_rate", "1")
    return await process.run(
        [written[0], *options, *written[1:]], timeout_seconds=timeout_seconds, memory_bytes=memory_bytes
    )
