"""Looks again at a film in whose scan something may be damage: which frames exactly, and what lies in the gaps between frames.

The scan's messages name no frame, and its threads run ahead of the frames that they show. Here one thread decodes, as in the
encode, and ffmpeg (`debug_ts`) logs each decoded frame right behind its complaint. ffprobe then lists the packets of the gaps:
a packet in a gap that holds a picture and gave none is a lost frame; empty packets, tiny ones and those that an edit list
leaves out only say "repeat the last picture". Cost: one more decode, of films with such a sign alone.
Writes `concealed_at`, `refused_at` and `packets_in_gaps` of a `Scan`. Next: `picture_damage`.
"""

import contextlib
import copy
import re
from array import array
from bisect import bisect_right
from collections import Counter
from typing import Final

import ffmpeg

from marquee.errors import ProcessFailed
from marquee.logs import get_logger
from marquee.media.programs import binaries, process
from marquee.media.source.claims import Candidate
from marquee.media.source.picture_damage import Gap, gaps, is_suspect
from marquee.media.source.probe import ffprobe_arguments, untrusted_input
from marquee.media.source.scan import Scan

MAX_PLACEHOLDER_BYTES: Final = 16
"""Of a packet that holds no new picture: nothing (AVI, Theora), "not coded" (MPEG-4: 7 to 12 bytes), "skip the whole picture". If
such a packet is lost, the last picture stays, which is what it asks for."""
HIDING_CODECS: Final = ("vp8", "vp9", "av1", "vvc", "hevc")
"""Codecs with pictures that are never shown themselves. Their decoders report damage: a silent packet is no loss."""
_DECODED: Final = re.compile(r"\] decoder -> pts:")

log = get_logger()


async def look_closely(candidate: Candidate, scanned: Scan, *, timeout_seconds: float) -> Scan:
    """The scan with the exact places of damage; the same scan if nothing in it may be damage, or if it cannot be decoded again.

    Raises `ProcessTimedOut`.
    """
    if not is_suspect(scanned):
        return scanned
    found = copy.copy(scanned)
    if scanned.concealed_at or scanned.refused_at:
        await _decode_again(candidate, found, timeout_seconds)
    between = gaps(scanned)
    if between and scanned.packets > scanned.frames:
        found.packets_in_gaps = await _packets_in_gaps(candidate, found, between)
    return found


async def _decode_again(candidate: Candidate, found: Scan, timeout_seconds: float) -> None:
    decoded, concealed, refused = 0, array("q"), array("q")

    def take(line: str) -> None:
        nonlocal decoded
        if "corrupt decoded frame" in line:
            concealed.append(decoded)
        elif "Error submitting packet to decoder" in line:
            refused.append(decoded)
        decoded += bool(_DECODED.search(line))

    source = ffmpeg.input(
        **untrusted_input(candidate.path),
        threads=1,
        skip_loop_filter="all",
        max_pixels=candidate.limits.max_pixels,
        noautorotate=None,
        copyts=None,
    )
    output = ffmpeg.output(source[str(candidate.picture.index)], "-", format="null", fps_mode="passthrough")
    argv = output.global_args("-hide_banner", "-nostdin", "-loglevel", "repeat+info", "-debug_ts")
    try:
        await process.run(
            argv.compile(cmd=str(binaries.picture_ffmpeg())),
            timeout_seconds=timeout_seconds,
            memory_bytes=candidate.limits.memory_bytes,
            on_stderr_line=take,
        )
    except ProcessFailed as error:
        log.info("close look ended early", reason=str(error)[-300:])
    if decoded >= found.frames:
        found.concealed_at, found.refused_at = concealed, refused


async def _packets_in_gaps(candidate: Candidate, found: Scan, between: list[Gap]) -> dict[int, int] | None:
    """How many packets that hold a picture are timed inside each gap, by the gap's frame. None if they cannot all be listed."""
    if candidate.picture.codec in HIDING_CODECS:
        return {}
    starts, ends = [gap.start for gap in between], [gap.end for gap in between]
    held: Counter[int] = Counter()

    def take(line: str) -> None:
        presented, decoded, size, flags = [*line.split(","), "", "", ""][:4]
        with contextlib.suppress(ValueError):
            at = float(presented if presented != "N/A" else decoded) / float(found.time_base)
            gap = bisect_right(starts, at - 0.5) - 1
            if gap >= 0 and at + 0.5 < ends[gap] and int(size) > MAX_PLACEHOLDER_BYTES and "D" not in flags:
                held[between[gap].after] += 1

    entries = ["-select_streams", str(candidate.picture.index), "-show_entries", "packet=pts_time,dts_time,size,flags"]
    argv = ffprobe_arguments(candidate.path, *entries, "-print_format", "csv=p=0")
    try:
        await process.run(argv, timeout_seconds=300, memory_bytes=candidate.limits.memory_bytes, on_stdout_line=take)
    except ProcessFailed as error:
        log.info("packets in gaps not listed", reason=str(error)[-300:])
        return None
    return dict(held)
