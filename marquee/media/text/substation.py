r"""Reads SubStation files (ASS and SSA) as what they are: styles, places, drawings and signs. Pure: text in, cues out.

The library `pysubs2` reads styles and events; this module decides what WebVTT can say of them. Kept: italics, bold and
underline of styles and overrides, alignment (`\an`, `\a`, the style's) and positions (`\pos`, `\move`). Left out: comments,
drawings (`\p1`), karaoke times, fonts and colours. A sign that is drawn frame by frame becomes one cue. SubStation has no
entities: `&nbsp;` is text.
"""

import re
from typing import Final

import pysubs2

from marquee.media.text.cue_text import LEGACY_ALIGNMENTS, CueWriter
from marquee.media.text.cues import PLACES, Cue, NotSubtitles, Parsed

MAX_GAP_MILLISECONDS: Final = 50
"""A sign that is set anew for every frame is one cue. Between its events there is at most one frame at 20 fps."""
_SECTION: Final = re.compile(r"^[ \t]*\[(Script Info|V4\+? Styles|Events)\]", re.IGNORECASE | re.MULTILINE)
_BLOCKS: Final = re.compile(r"(?<!\\)\{([^{}]*)\}")
_FADE_IN: Final = re.compile(r"\\t\([^)]*\\alpha")
"""Text that is invisible at first, and is shown by an animation."""
_MIN_MARGIN: Final = 25.0
"""Per cent of the height. A line with a larger margin stands away from its edge on purpose."""
_USUAL_PLACE: Final = 75.0
"""A line that ends below this per cent of the height, in the middle, is dialogue where players show it anyway."""


def is_substation(text: str) -> bool:
    """Whether the text is an ASS or SSA file."""
    return _SECTION.search(text) is not None


def parse(text: str) -> Parsed:
    """The cues of a file. Raises `NotSubtitles` if it cannot be read."""
    kind = "ssa" if re.search(r"^[ \t]*\[V4 Styles\]", text, re.IGNORECASE | re.MULTILINE) else "ass"
    try:
        file = pysubs2.SSAFile.from_string(text, format_=kind)
    except Exception as error:  # the parser may raise any exception on hostile input
        raise NotSubtitles("cannot be read as subtitles") from error
    cues: list[tuple[int, int, str, str]] = []
    left_out = 0
    last: dict[tuple[str, str], int] = {}
    wraps = file.info.get("WrapStyle", "0").strip() != "2"
    for event in sorted((one for one in file if not one.is_comment), key=lambda one: (one.start, one.end)):
        style = file.styles.get(event.style) or file.styles.get("Default") or pysubs2.SSAStyle()
        words = cue_text(event.text, style, file.styles, wraps=wraps)
        if not words:
            continue
        if event.end <= event.start:
            left_out += 1
            continue
        place = _place(event.text, style, file.info, event.marginv or style.marginv)
        before = last.get((words, place))
        if before is not None and event.start <= cues[before][1] + MAX_GAP_MILLISECONDS:
            start, end, *_ = cues[before]
            cues[before] = (start, max(end, event.end), words, place)
            continue
        last[words, place] = len(cues)
        cues.append((event.start, event.end, words, place))
    return Parsed(cues=[Cue(start / 1000, end / 1000, *more) for start, end, *more in cues], left_out=left_out)


def cue_text(text: str, style: pysubs2.SSAStyle, styles: dict[str, pysubs2.SSAStyle], *, wraps: bool = True) -> str:
    r"""An event's text as WebVTT cue text. `wraps`: `\n` is a space, as in every WrapStyle but 2."""
    writer = CueWriter()
    _apply(writer, style)
    drawing, hidden = False, False
    fades_in = _FADE_IN.search(text) is not None
    for index, piece in enumerate(_BLOCKS.split(text)):
        if index % 2 == 0:
            if not drawing and (not hidden or fades_in):
                writer.text(_plain(piece, wraps=wraps))
            continue
        block = re.sub(r"\\t\([^()]*(?:\([^()]*\)[^()]*)*\)?", "", piece)
        for found in re.finditer(r"\\(?:(p)(\d+)|([ibu])(\d*)(?![a-z])|alpha([^\\}]*)|r([^\\}]*))", block):
            if found[1]:
                drawing = int(found[2]) > 0
            elif found[5] is not None:
                hidden = found[5].strip("&H \t").upper() == "FF"
            elif found[3]:
                _switch(writer, found[3], _wanted(found[3], found[4], style))
            else:
                hidden = False
                _apply(writer, styles.get((found[6] or "").strip()) or style)
    return writer.result()


def _plain(text: str, *, wraps: bool) -> str:
    for written, meant in (
        ("\\N", "\n"),
        ("\\n", " " if wraps else "\n"),
        ("\\h", "\u00a0"),
        ("\\{", "{"),
        ("\\}", "}"),
    ):
        text = text.replace(written, meant)
    return text


def _wanted(name: str, value: str, style: pysubs2.SSAStyle) -> bool:
    if not value:
        return bool({"i": style.italic, "b": style.bold, "u": style.underline}[name])
    weight = int(value)
    return weight == 1 or weight >= 600 if name == "b" else weight > 0


def _switch(writer: CueWriter, name: str, on: bool) -> None:
    if on:
        writer.open(name)
    else:
        writer.close(name)


def _apply(writer: CueWriter, style: pysubs2.SSAStyle) -> None:
    for name, on in (("i", style.italic), ("b", style.bold), ("u", style.underline)):
        _switch(writer, name, bool(on))


def _place(text: str, style: pysubs2.SSAStyle, info: dict[str, str], margin: int) -> str:
    """WebVTT settings of an event. Its first alignment and position count, as in renderers. `margin`: to the edge."""
    blocks = "".join(_BLOCKS.findall(text))
    modern, legacy = re.search(r"\\an([1-9])", blocks), re.search(r"\\a(\d+)", blocks)
    alignment = int(style.alignment)
    if modern:
        alignment = int(modern[1])
    elif legacy:
        alignment = LEGACY_ALIGNMENTS.get(int(legacy[1]), alignment)
    found = re.search(r"\\(?:pos|move)\(\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)", blocks)
    size = _play_size(info)
    if found is None or size is None:
        return _place_in_margin(alignment, 100 * margin / size[1] if size else 0.0)
    try:
        x, y = 100 * float(found[1]) / size[0], 100 * float(found[2]) / size[1]
    except ValueError:
        return PLACES.get(str(alignment), "")
    x, y = min(98.0, max(2.0, x)), min(98.0, max(2.0, y))
    column, row = (alignment - 1) % 3, (alignment - 1) // 3
    if row == 0 and y >= _USUAL_PLACE and column == 1 and 40 <= x <= 60:
        return ""
    line = f"line:{y:.0f}%" + (",end", ",center", "")[row]
    position = f"position:{x:.0f}%" + (",line-left", "", ",line-right")[column]
    return f"{line} {position}" + (" align:left", "", " align:right")[column]


def _place_in_margin(alignment: int, margin: float) -> str:
    """The place of an aligned line whose edge is `margin` per cent of the height away."""
    usual, row = PLACES.get(str(alignment), ""), (alignment - 1) // 3
    if not _MIN_MARGIN <= margin <= 100 - _MIN_MARGIN / 5 or row == 1:
        return usual
    line = f"line:{100 - margin:.0f}%,end" if row == 0 else f"line:{margin:.0f}%"
    return " ".join([line, *(one for one in usual.split() if not one.startswith("line:"))])


def _play_size(info: dict[str, str]) -> tuple[float, float] | None:
    """The size of the script's coordinates: PlayResX and PlayResY. One alone is taken as 4:3."""

    def number(name: str) -> float:
        try:
            return max(0.0, float(info.get(name, 0)))
        except ValueError:
            return 0.0

    width, height = number("PlayResX"), number("PlayResY")
    if not width and not height:
        return 384.0, 288.0
    return width or height * 4 / 3, height or width * 3 / 4
