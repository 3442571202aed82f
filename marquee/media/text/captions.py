"""The cues of a track: read from a subtitle file's text, moved to the picture's clock, written as WebVTT.

Pure: text in, cues and text out. `timed_text` reads SubRip and WebVTT, `substation` reads ASS and SSA, `ttml` TTML; a file in
another format is refused by its name. Every cue keeps its words and its place in the picture as far as WebVTT can say it.
`subtitles` calls this for every track.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from marquee.media.text import substation, timed_text, ttml
from marquee.media.text.cues import MAX_CUES, Cue, NotSubtitles, Parsed

__all__ = [
    "MAX_CUES",
    "Cue",
    "NotSubtitles",
    "Parsed",
    "checked",
    "on_picture_clock",
    "other_format",
    "parse",
    "parse_file",
    "webvtt",
]

_TTML: Final = re.compile(r"<(\w+:)?tt\b[^>]*xmlns", re.IGNORECASE)
_CUE_TIMES: Final = re.compile(
    r"\d\s*(?:[-\u2010-\u2015\u2212]{1,3}[>\uff1e]|[\u2192\u27f6])\s*-?\d|^Dialogue:", re.MULTILINE
)
_LINE_ENDS: Final = re.compile(r"(?<!\r)\r+\n|\r")
"""CR CR LF is one line's end: a file with CR LF, written once more as text by Windows. A run of CRs is looked through once."""
_MARKS: Final = re.compile(r"^\ufeff+", re.MULTILINE)
"""Byte order marks. Files that were joined from several have them in the middle too."""
_OTHER_FORMATS: Final = (
    (re.compile(r"<sami\b", re.IGNORECASE), "SAMI"),
    (re.compile(r"\A\s*\{\d+\}\{\d*\}"), "MicroDVD"),
    (re.compile(r"\A\s*\[\d+\]\[\d*\]"), "MPL2"),
    (re.compile(r"\A#? ?VobSub index file|\A# VobSub"), "VobSub"),
    (re.compile(r"\AScenarist_SCC"), "Scenarist (SCC)"),
    (re.compile(r"\A\s*<window\b", re.IGNORECASE), "RealText"),
    (re.compile(r"\[INFORMATION\].*\[SUBTITLE\]|\*{4,} START SCRIPT", re.IGNORECASE | re.DOTALL), "SubViewer"),
    (re.compile(r"\A\s*\d+:\d\d:\d\d\.\d{3},\d+:\d\d:\d\d\.\d{3}\s*$", re.MULTILINE), "YouTube (SBV)"),
    (re.compile(r"^\[\d+:\d\d(?:[.:]\d+)?\]", re.MULTILINE), "LRC (lyrics)"),
    (re.compile(r"\A.{3}STL\d\d\.\d\d", re.DOTALL), "EBU STL"),
    (re.compile(r"^\d\d:\d\d:\d\d[:;]\d\d\s*,\s*\d\d:\d\d:\d\d[:;]\d\d\s*,", re.MULTILINE), "Spruce (STL)"),
    (re.compile(r"<USFSubtitles\b", re.IGNORECASE), "USF"),
    (re.compile(r"<timedtext\b|<transcript\b", re.IGNORECASE), "YouTube (XML)"),
    (re.compile(r"^\d+:\d\d:\d\d\.\d\d \d+:\d\d:\d\d\.\d\d ", re.MULTILINE), "JACOsub"),
    (re.compile(r"\A\s*\d\d?:\d\d:\d\d[:=]\S.*$", re.MULTILINE), "TMPlayer"),
    (re.compile(r"\A\s*<(!doctype )?html\b", re.IGNORECASE), "HTML"),
)


def other_format(text: str) -> str | None:
    """The name of a subtitle format that is not read here; None for all other text."""
    if _CUE_TIMES.search(text):
        return None
    return next((name for pattern, name in _OTHER_FORMATS if pattern.search(text[:4096])), None)


def parse_file(text: str) -> Parsed:
    """The cues of a subtitle file. Raises `NotSubtitles` if no cue can be read, or if there are too many."""
    if text.lstrip("\ufeff \t\r\n").startswith("<") and _TTML.search(text[:4096]):
        return checked(ttml.parse(text))
    if (name := other_format(text)) is not None:
        raise NotSubtitles(
            f"is in the format {name}, which is not read here: convert it to SubRip (.srt) or WebVTT (.vtt)"
        )
    text = _MARKS.sub("", _LINE_ENDS.sub("\n", text))
    if text.lstrip().startswith("WEBVTT"):
        parsed = timed_text.parse_webvtt(text)
    elif substation.is_substation(text):
        parsed = substation.parse(text)
    else:
        parsed = timed_text.parse_subrip(text)
    return checked(parsed)


def checked(parsed: Parsed) -> Parsed:
    """The cues in order of time, each once. Raises `NotSubtitles` if there is none, or if there are too many."""
    if len(parsed.cues) > MAX_CUES:
        raise NotSubtitles(f"has more than {MAX_CUES} cues")
    once = dict.fromkeys(parsed.cues)
    if not once:
        raise NotSubtitles("has no cue that can be read")
    return Parsed(cues=sorted(once, key=lambda cue: (cue.start, cue.end)), left_out=parsed.left_out)


def parse(text: str) -> list[Cue]:
    """The cues of a subtitle file in order of time. Raises `NotSubtitles` if no cue can be read, or if there are too many."""
    return parse_file(text).cues


def on_picture_clock(cues: Sequence[Cue], *, offset_seconds: float, duration_seconds: float) -> list[Cue]:
    """The cues, moved to the picture's clock (`offset_seconds` is subtracted) and cut to its duration. Others are dropped."""
    moved = [
        msgspec.structs.replace(
            cue, start=max(0.0, cue.start - offset_seconds), end=min(duration_seconds, cue.end - offset_seconds)
        )
        for cue in cues
    ]
    return [cue for cue in moved if round(cue.end, 3) > round(cue.start, 3)]


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    return (
        f"{milliseconds // 3_600_000:02d}:{milliseconds // 60_000 % 60:02d}:"
        f"{milliseconds // 1000 % 60:02d}.{milliseconds % 1000:03d}"
    )


def webvtt(cues: Sequence[Cue]) -> str:
    """A WebVTT file. Its X-TIMESTAMP-MAP line says that cue time 0 is presentation time 0: HLS requires it (RFC 8216 3.5)."""
    blocks = ["WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"]
    for cue in cues:
        settings = f" {cue.settings}" if cue.settings else ""
        blocks.append(f"{_clock(cue.start)} --> {_clock(cue.end)}{settings}\n{cue.text}")
    return "\n\n".join(blocks) + "\n"
