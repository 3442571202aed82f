r"""Turns subtitle text of any format into clean WebVTT. Pure: text in, cues and text out.

Reads SubRip (also with dots for commas), WebVTT and SubStation. A cue keeps its words, line breaks, <i>, <b> and <u>, and
whether it stands at the top of the picture (`{\an8}`). Everything else is dropped: scripts, styles, drawings, karaoke times,
colours. The rest is escaped, so that no cue can put markup into a page. `subtitles` calls this for every track.
"""

import html
import re
from collections.abc import Sequence
from typing import Final

import msgspec
import pysubs2

MAX_CUES: Final = 50_000
"""A day of dense captions has about 30,000 cues. A file with more than 50,000 is not a subtitle file."""
_STYLES: Final = {"i": "i", "b": "b", "u": "u"}


class Cue(msgspec.Struct, frozen=True):
    """`text` is escaped WebVTT cue text. Times are seconds from the title's first picture. `top`: shown at the top."""

    start: float
    end: float
    text: str
    top: bool = False


class NotSubtitles(ValueError):
    """The text is not a subtitle file. The message is the end of a sentence that starts with "it": "is not text"."""


def decode(content: bytes) -> str:
    """The text of a subtitle file: UTF-8, UTF-16 with its mark, else Windows-1252, the encoding of old SubRip files.

    Raises `NotSubtitles` for binary content.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if b"\x00" in content:
        raise NotSubtitles("is not text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _kind(text: str) -> str:
    if text.lstrip().startswith("WEBVTT"):
        return "vtt"
    return "ass" if "[Script Info]" in text or "[Events]" in text else "srt"


def _timed_blocks(text: str) -> str:
    """WebVTT without notes, styles, regions and cue names: the parser would take them for words of a cue."""
    kept = []
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.split("\n")
        timed = next((index for index, line in enumerate(lines) if "-->" in line), None)
        if timed is not None:
            kept.append("\n".join(lines[timed:]))
    return "WEBVTT\n\n" + "\n\n".join(kept) + "\n"


def parse(text: str) -> list[Cue]:
    """The cues of a subtitle file in order of time. Raises `NotSubtitles` if no cue can be read, or if there are too many."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"<\s*(script|style)\b.*?(<\s*/\s*\1\s*>|\Z)", "", text, flags=re.IGNORECASE | re.DOTALL)
    kind = _kind(text)
    try:
        events = pysubs2.SSAFile.from_string(_timed_blocks(text) if kind == "vtt" else text, format_=kind)
    except Exception as error:  # the parser may raise any exception on hostile input
        raise NotSubtitles("cannot be read as subtitles") from error
    if len(events) > MAX_CUES:
        raise NotSubtitles(f"has more than {MAX_CUES} cues")
    cues: dict[Cue, None] = {}
    for event in events:
        words = "" if event.is_comment or re.search(r"\{[^}]*\\p[1-9]", event.text) else cue_text(event.text)
        if words and event.end > event.start:
            top = re.search(r"\\an[789]\b", event.text) is not None
            cues[Cue(event.start / 1000, event.end / 1000, words, top)] = None
    if not cues:
        raise NotSubtitles("has no cue that can be read")
    return sorted(cues, key=lambda cue: (cue.start, cue.end))


def cue_text(text: str) -> str:
    r"""SubStation text (`{\i1}`, `\N`) as WebVTT cue text: escaped, with balanced <i>, <b>, <u>, without empty lines."""
    text = text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    written: list[str] = []
    opened: list[str] = []
    for index, piece in enumerate(re.split(r"\{([^}]*)\}", text)):
        if index % 2 == 0:
            bare = re.sub(r"</?[A-Za-z][^>]*>|<[\d:.]+>", "", piece)
            bare = "".join(letter for letter in html.unescape(bare) if letter == "\n" or letter.isprintable())
            written.append(html.escape(bare, quote=False))
            continue
        for style, value in re.findall(r"\\([ibu])(\d+)(?![\d])", piece):
            tag = _STYLES[style]
            if value != "0" and tag not in opened:
                opened.append(tag)
                written.append(f"<{tag}>")
            elif value == "0" and tag in opened:
                # WebVTT's tags must nest: inner tags are closed first and opened again afterwards.
                inner = opened[opened.index(tag) + 1 :]
                written += [f"</{one}>" for one in reversed([tag, *inner])]
                written += [f"<{one}>" for one in inner]
                opened.remove(tag)
    written += [f"</{one}>" for one in reversed(opened)]
    lines = [line.strip() for line in "".join(written).split("\n")]
    whole = "\n".join(line for line in lines if line)
    return whole if re.sub(r"<[^>]*>", "", whole).strip() else ""


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
        settings = " line:5%" if cue.top else ""
        blocks.append(f"{_clock(cue.start)} --> {_clock(cue.end)}{settings}\n{cue.text}")
    return "\n\n".join(blocks) + "\n"
