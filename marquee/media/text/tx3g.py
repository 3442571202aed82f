"""Reads a sample of 3GPP timed text (`tx3g`, ffmpeg's `mov_text`), the subtitles of MP4. Pure: bytes in, text and styles out.

A sample is a length, the text in UTF-8 or in UTF-16 with its mark (3GPP TS 26.245, 5.17), then boxes; `styl` has the styles.
Many writers put text of another encoding there, so `split` leaves the bytes as they are and `embedded` decodes the whole
track. The text has no tags and no entities: `<i>` in it is text.
"""

import itertools
import struct
from typing import NamedTuple

from marquee.media.text.cue_text import CueWriter


class Run(NamedTuple):
    """A style from character `start` to `end`."""

    start: int
    end: int
    bold: bool
    italic: bool
    underline: bool


def split(sample: bytes) -> tuple[bytes, list[Run]]:
    """(the text's bytes, its styles) of a sample. Damaged boxes are ignored."""
    if len(sample) < 2:
        return b"", []
    length = int.from_bytes(sample[:2], "big")
    text, rest = sample[2 : 2 + length], sample[2 + length :]
    runs: list[Run] = []
    while len(rest) >= 8:
        size, name = struct.unpack(">I4s", rest[:8])
        if size < 8:
            break
        if name == b"styl" and len(rest) >= 10:
            count = int.from_bytes(rest[8:10], "big")
            for at in range(10, min(10 + 12 * count, len(rest) - 11), 12):
                start, end, _, face = struct.unpack(">HHHB", rest[at : at + 7])
                runs.append(Run(start, end, bool(face & 1), bool(face & 2), bool(face & 4)))
        rest = rest[size:]
    return text, runs


def cue_text(text: str, runs: list[Run]) -> str:
    """WebVTT cue text of a sample. Styles are counted in characters."""
    writer = CueWriter()
    edges = sorted({0, len(text), *(min(edge, len(text)) for run in runs for edge in (run.start, run.end))})
    for start, end in itertools.pairwise(edges):
        styles = [run for run in runs if run.start <= start and end <= run.end]
        wanted = {
            "b": any(run.bold for run in styles),
            "i": any(run.italic for run in styles),
            "u": any(run.underline for run in styles),
        }
        for name in reversed(wanted):
            if not wanted[name]:
                writer.close(name)
        for name in wanted:
            if wanted[name]:
                writer.open(name)
        writer.text(text[start:end].replace("\r\n", "\n").replace("\r", "\n"))
    return writer.result()
