"""What a CEA-608 channel shows, and the WebVTT cues made of it. Pure; `eia608` writes to it.

Text that grows without a pause is one cue, from its first character on: roll-up and paint-on write two characters a frame.
Every block of neighbouring rows is a cue of its own, so that two speakers keep their places.
"""

import itertools
from typing import Final, NamedTuple

from marquee.media.text.cue_text import CueWriter
from marquee.media.text.cues import Cue, joined
from marquee.media.text.eia608_codes import COLUMNS, LAST_ROW

MAX_PAUSE_SECONDS: Final = 0.5
"""Text that grows after a longer pause begins a cue of its own."""
MAX_SHOWN_SECONDS: Final = 16.0
"""Receivers erase captions 16 s after the last code (47 CFR 15.119 (j)). It bounds the last cue alone."""
MID_ROW: Final = "\x00"
"""The column that a change of style takes: a space, but not beside another one."""
_BLANK: Final = frozenset({" ", MID_ROW})
_SAFE_AREA: Final = 10.0
_ROW_PERCENT: Final = 80.0 / LAST_ROW
_COLUMN_PERCENT: Final = 80.0 / COLUMNS
_MAX_OFF_CENTRE: Final = 3
"""Columns. Lines nearer to the middle of the picture's width are centred there, as players do by themselves."""


class Style(NamedTuple):
    """`colour`: a WebVTT class; empty for white."""

    colour: str = ""
    italic: bool = False
    underline: bool = False


Line = dict[int, tuple[str, Style]]
"""Column (0 to 31) -> character and style."""
Cells = dict[int, Line]
"""Row (1 to 15) -> its line."""


class Shown:
    """What a channel shows, and the cues made of it so far."""

    def __init__(self) -> None:
        self.cells: Cells = {}
        self._cues: list[Cue] = []
        self._snapshot: Cells = {}
        self._since = self._changed_at = self._touched_at = 0.0

    def touched(self, seconds: float) -> None:
        """A code arrived: what is shown may stay."""
        self._touched_at = seconds

    def erase(self, seconds: float) -> None:
        """Clear the screen."""
        self.cells = {}
        self.changed(seconds)

    def changed(self, seconds: float) -> None:
        """Note what is shown from now on. A cue that only grows goes on, unless it paused."""
        self.touched(seconds)
        # Changes of one frame are one change, and a blank screen is no beginning that a cue could grow from.
        joins = _has_text(self._snapshot) and seconds - self._changed_at <= MAX_PAUSE_SECONDS
        if not (joins and _grew(self._snapshot, self.cells)) and seconds > self._since:
            self._close(seconds)
            self._since = seconds
        self._snapshot = {row: dict(cells) for row, cells in self.cells.items()}
        self._changed_at = seconds

    def _close(self, seconds: float) -> None:
        self._cues += _cues(self._snapshot, self._since, seconds)

    def finish(self, end_seconds: float) -> list[Cue]:
        """All cues. The last one ends at the end of the film, or when receivers would erase it."""
        self._close(max(self._since, min(end_seconds, self._touched_at + MAX_SHOWN_SECONDS)))
        self._snapshot = {}
        return joined(self._cues)


def _has_text(cells: Cells) -> bool:
    return any(character not in _BLANK for row in cells.values() for character, _ in row.values())


def _grew(before: Cells, after: Cells) -> bool:
    """Whether `after` has all of `before`, and perhaps more."""
    return all(after.get(row, {}).get(at) == cell for row, cells in before.items() for at, cell in cells.items())


def _cues(cells: Cells, start: float, end: float) -> list[Cue]:
    """One cue for each block of neighbouring rows."""
    filled = sorted(
        row for row, line in cells.items() if any(character not in _BLANK for character, _ in line.values())
    )
    blocks = itertools.groupby(enumerate(filled), key=lambda one: one[1] - one[0])
    found = []
    for _, members in blocks:
        rows = [row for _, row in members]
        text = _cue_text([cells[row] for row in rows])
        if text and end > start:
            found.append(Cue(start, end, text, _settings(rows, [cells[row] for row in rows])))
    return found


def _edges(line: Line) -> tuple[int, int]:
    """The first and the last column with a visible character."""
    visible = [column for column, (character, _) in line.items() if character not in _BLANK]
    return min(visible), max(visible)


def _settings(rows: list[int], lines: list[Line]) -> str:
    """WebVTT's place: none at the bottom, which is a player's own choice; none for lines in the middle of the picture's width."""
    settings = []
    if rows[-1] < LAST_ROW - 2:
        settings.append(f"line:{_SAFE_AREA + (rows[0] - 1) * _ROW_PERCENT:.1f}%")
    edges = [_edges(line) for line in lines]
    if any(abs(first + last + 1 - COLUMNS) > 2 * _MAX_OFF_CENTRE for first, last in edges):
        left = min(first for first, _ in edges)
        settings.append(f"position:{_SAFE_AREA + left * _COLUMN_PERCENT:.1f}% align:left")
    return " ".join(settings)


def _cue_text(lines: list[Line]) -> str:
    writer = CueWriter()
    current = Style()
    for number, line in enumerate(lines):
        if number:
            writer.text("\n")
        first, last = _edges(line)
        before = ""
        for column in range(first, last + 1):
            character, style = line.get(column, (" ", current))
            if character == MID_ROW:
                beside = {before, line.get(column + 1, (" ", current))[0]}
                character = "" if " " in beside else " "
            elif style != current and character != " ":
                _restyle(writer, current, style)
                current = style
            writer.text(character)
            before = character or before
    return writer.result()


def _restyle(writer: CueWriter, before: Style, after: Style) -> None:
    if before.underline:
        writer.close("u")
    if before.italic:
        writer.close("i")
    if before.colour:
        writer.close("c")
    if after.colour:
        writer.open("c", f".{after.colour}")
    if after.italic:
        writer.open("i")
    if after.underline:
        writer.open("u")
