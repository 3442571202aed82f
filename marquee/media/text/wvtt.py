"""Reads the samples of WebVTT in MP4 (`wvtt`, ISO/IEC 14496-30), as adaptive streams carry it. Pure: bytes in, cues out.

A sample lasts as long as the same cues are shown. It has a box `vttc` for each of them, or `vtte` if there is none. A cue that
other cues begin or end beside is in several samples; `cues.joined` makes it one again.
"""

from marquee.media.text.cue_text import tagged, without_scripts
from marquee.media.text.cues import Cue
from marquee.media.text.timed_text import kept_settings


def boxes(content: bytes) -> list[tuple[bytes, bytes]]:
    """(name, body) of the boxes; those before a damaged one."""
    found, at = [], 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        if size < 8 or at + size > len(content):
            break
        found.append((content[at + 4 : at + 8], content[at + 8 : at + size]))
        at += size
    return found


def cues(content: bytes, start: float, end: float) -> list[Cue]:
    """The cues that a sample shows from `start` to `end`. They are UTF-8 by the standard; other bytes become U+FFFD."""
    found = []
    for name, body in boxes(content):
        if name == b"vttc":
            parts = {part: inner.decode("utf-8", "replace") for part, inner in boxes(body)}
            payload = parts.get(b"payl", "").replace("\r\n", "\n").replace("\r", "\n")
            written = tagged(without_scripts(payload), webvtt=True)
            if written and end > start:
                found.append(Cue(start, end, written, kept_settings(parts.get(b"sttg", ""))))
    return found
