r"""Reads SubRip and WebVTT as they are found, not only as they are specified. Pure: text in, cues out.

A cue begins at a line with two times and an arrow. SubRip is read tolerantly: cue numbers may be missing, milliseconds may
follow a dot or be missing, blank lines may stand inside a cue, and hours may have up to four digits. Times may have
full-width signs; the arrow may be written with dashes or be one character. A cue that ends before it begins is left out and
counted. `{\an8}` places a SubRip cue; a WebVTT cue keeps its settings. `captions` calls this.
"""

import re
from typing import Final

from marquee.media.text.cue_text import alignment, tagged, without_scripts
from marquee.media.text.cues import PLACES, Cue, Parsed

_COLON: Final = r"\s*[:\uff1a]\s*"
_TIME: Final = (
    rf"(-?)(?:(\d{{1,4}}){_COLON})?(\d{{1,2}}){_COLON}(\d{{1,2}})(?:\s*[.,:\uff0c\uff0e\uff1a]\s*(\d{{1,9}}))?"
)
_ARROW: Final = r"(?:[-\u2010-\u2015\u2212]{1,3}[>\uff1e]|[\u2192\u27f6])"
"""Word processors write dashes and arrow signs for `-->`."""
_ARROW_HEAD: Final = re.compile(r"[>\uff1e\u2192\u27f6]")
_TIMES: Final = re.compile(rf"^[ \t]*{_TIME}[ \t]*{_ARROW}[ \t]*{_TIME}(?:[ \t]+(.*)|[ \t]*)$")
_NUMBER: Final = re.compile(r"^[ \t]*\d{1,6}[ \t]*$")
_SETTING: Final = re.compile(
    r"line:(?:-?\d+|\d+(?:\.\d+)?%)(?:,(?:start|center|end))?|position:\d+(?:\.\d+)?%(?:,(?:line-left|center|line-right))?|"
    r"size:\d+(?:\.\d+)?%|align:(?:start|center|end|left|right)|vertical:(?:rl|lr)"
)


def _seconds(sign: str, hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction or 0}")
    return -whole if sign else whole


def _times(line: str) -> tuple[float, float, str] | None:
    """(start, end, what follows) of a line with two times; None for any other line. A time before 0 becomes 0."""
    found = _TIMES.match(line)
    if found is None:
        return None
    groups = found.groups()
    return max(0.0, _seconds(*groups[0:5])), max(0.0, _seconds(*groups[5:10])), groups[10] or ""


def _next_number(body: list[str], due: set[int]) -> int | None:
    """The next cue's number, if the last line is one. Without a blank line before it, only a number that is due is one."""
    if not body or not _NUMBER.match(body[-1]):
        return None
    number = int(body[-1])
    return number if len(body) == 1 or not body[-2].strip() or number in due else None


def parse_subrip(text: str) -> Parsed:
    """The cues of a SubRip file."""
    lines = without_scripts(text).split("\n")
    timed = [(at, found) for at, line in enumerate(lines) if _ARROW_HEAD.search(line) and (found := _times(line))]
    cues: list[Cue] = []
    left_out = number = 0
    for order, (at, (start, end, _)) in enumerate(timed):
        last = timed[order + 1][0] if order + 1 < len(timed) else len(lines)
        body = lines[at + 1 : last]
        following = _next_number(body, {order + 2, number + 1}) if order + 1 < len(timed) else None
        if following is not None:
            number, body = following, body[:-1]
        words = "\n".join(line for line in body if line.strip(" \t"))
        written = tagged(words)
        if written and end > start:
            cues.append(Cue(start, end, written, PLACES.get(alignment(words), "")))
        left_out += bool(written) and end <= start
    return Parsed(cues=cues, left_out=left_out)


def kept_settings(stated: str) -> str:
    """A cue's settings without those that WebVTT does not know."""
    return " ".join(one for one in stated.split() if _SETTING.fullmatch(one))


def parse_webvtt(text: str) -> Parsed:
    """The cues of a WebVTT file. Notes, styles and regions are no cues."""
    cues: list[Cue] = []
    left_out = 0
    for block in re.split(r"\n{2,}", text):
        lines = block.split("\n")
        if re.match(r"(NOTE|STYLE|REGION)([ \t]|$)", lines[0]):
            continue
        for at, line in enumerate(lines):
            if "-->" in line and (found := _times(line)) is not None:
                start, end, settings = found
                written = tagged(without_scripts("\n".join(lines[at + 1 :])), webvtt=True)
                kept = kept_settings(settings)
                if written and end > start:
                    cues.append(Cue(start, end, written, kept))
                left_out += bool(written) and end <= start
                break
    return Parsed(cues=cues, left_out=left_out)
