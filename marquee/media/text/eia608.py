"""Decodes CEA-608 captions: pairs of bytes with times become the cues of the channels CC1 to CC4. Pure.

A decoder has two memories of 15 rows: what is shown (`eia608_screen`), and what is being prepared (pop-on). Roll-up and
paint-on write straight into what is shown. Text services (T1 to T4) and XDS are no captions and are left out.
`caption_data` reads the pairs of a film; `subtitles` names the tracks. ADR 0027 says why ffmpeg's decoder is not used.
"""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from marquee.media.text.cues import Cue
from marquee.media.text.eia608_codes import BASIC, COLOURS, COLUMNS, EXTENDED, LAST_ROW, ROWS, SPECIAL
from marquee.media.text.eia608_screen import MID_ROW, Cells, Shown, Style

_CONTROLS: Final = (0x14, 0x15)
"""First byte of control codes: 0x15 in field 2. Some writers use 0x14 there too."""


class Pair(NamedTuple):
    """Two bytes of field 1 or 2, with parity bits, at a time in seconds."""

    seconds: float
    field: int
    first: int
    second: int


def decode(pairs: Iterable[Pair], end_seconds: float) -> dict[str, list[Cue]]:
    """Channel (`CC1` to `CC4`) -> its cues. A channel without text is missing. `pairs` are in order of time.

    What is still shown at the end stays until `end_seconds`, but not longer than receivers would show it.
    """
    found = list(pairs)
    channels = {name: _Channel() for name in ("CC1", "CC2", "CC3", "CC4")}
    for number in (1, 2):
        one_field = [pair for pair in found if pair.field == number]
        names = ("CC1", "CC2") if number == 1 else ("CC3", "CC4")
        _Field((channels[names[0]], channels[names[1]])).read(one_field)
    cues = {name: channel.shown.finish(end_seconds) for name, channel in channels.items()}
    return {name: told for name, told in cues.items() if told}


def _has_odd_parity(byte: int) -> bool:
    return byte.bit_count() % 2 == 1


class _Field:
    """Separates one field's pairs: control codes sent twice, XDS, and the two channels."""

    def __init__(self, channels: tuple["_Channel", "_Channel"]) -> None:
        self._channels = channels
        self._current: _Channel | None = None
        self._last: tuple[int, int] | None = None
        self._in_xds = False

    def read(self, pairs: list[Pair]) -> None:
        """Decode all pairs. Pairs with wrong parity are damaged, unless most are: then the writer set no parity."""
        filled = [pair for pair in pairs if pair.first & 0x7F or pair.second & 0x7F]
        right = [_has_odd_parity(pair.first) and _has_odd_parity(pair.second) for pair in filled]
        with_parity = 2 * sum(right) >= len(filled)
        for pair, holds in zip(filled, right, strict=True):
            if holds or not with_parity:
                self._take(pair.seconds, pair.first & 0x7F, pair.second & 0x7F)
            elif _has_odd_parity(pair.first) and pair.first & 0x7F >= 0x20:
                self._take(pair.seconds, pair.first & 0x7F, 0)

    def _take(self, seconds: float, first: int, second: int) -> None:
        if 0x10 <= first < 0x20:
            repeated = self._last == (first, second)
            self._last = None if repeated else (first, second)
            self._in_xds = False
            if not repeated:
                self._current = self._channels[bool(first & 0x08)]
                self._current.control(seconds, first & 0xF7, second)
            return
        self._last = None
        if first and first < 0x10:
            self._in_xds = first != 0x0F
        elif not self._in_xds and self._current is not None:
            for code in (first, second):
                if code >= 0x20:
                    self._current.write(seconds, BASIC.get(code, chr(code)))


class _Channel:
    """One channel's memories and cursor."""

    def __init__(self) -> None:
        self.shown = Shown()
        self._prepared: Cells = {}
        self._mode: Literal["none", "pop-on", "roll-up", "paint-on", "text"] = "none"
        self._depth = 2
        self._row, self._column = LAST_ROW, 0
        self._style = Style()

    def _memory(self) -> Cells | None:
        """The memory that is written to; None if no caption is being written."""
        if self._mode in {"none", "text"}:
            return None
        return self._prepared if self._mode == "pop-on" else self.shown.cells

    def write(self, seconds: float, character: str) -> None:
        """Write at the cursor. At the last column characters replace each other."""
        memory = self._memory()
        if memory is None:
            return
        memory.setdefault(self._row, {})[self._column] = (character, self._style)
        self._column = min(COLUMNS - 1, self._column + 1)
        self._changed(seconds)

    def _changed(self, seconds: float) -> None:
        if self._mode != "pop-on":
            self.shown.changed(seconds)

    def control(self, seconds: float, first: int, second: int) -> None:
        """Carry out one control code; `first` without its channel bit."""
        self.shown.touched(seconds)
        if second >= 0x40:
            self._address(seconds, first, second)
        elif first in _CONTROLS and 0x20 <= second < 0x30:
            self._command(seconds, second)
        elif first == 0x11 and 0x20 <= second < 0x30:
            self._mid_row(seconds, second)
        elif first == 0x11 and second >= 0x30:
            self.write(seconds, SPECIAL[second - 0x30])
        elif first in EXTENDED and second >= 0x20:
            self._column = max(0, self._column - 1)
            self.write(seconds, EXTENDED[first][second - 0x20])
        elif first == 0x17 and 0x21 <= second <= 0x23:
            self._column = min(COLUMNS - 1, self._column + second - 0x20)

    def _address(self, seconds: float, first: int, second: int) -> None:
        """A preamble address code: row, and either indent or colour."""
        if self._memory() is None:
            return
        row = ROWS[first][bool(second & 0x20)]
        if self._mode == "roll-up":
            # The window never leaves the screen (47 CFR 15.119 (f)): its base row is moved down.
            row = max(row, self._depth)
            self._move_window(seconds, row)
        self._row, number, underline = row, second >> 1 & 7, bool(second & 1)
        self._column = 4 * number if second & 0x10 else 0
        indented = bool(second & 0x10)
        self._style = Style(
            colour="" if indented or number == 7 else COLOURS[number],
            italic=not indented and number == 7,
            underline=underline,
        )

    def _move_window(self, seconds: float, row: int) -> None:
        """Roll-up: the rows on the screen follow their base row."""
        if row != self._row and self.shown.cells:
            moved = {at + row - self._row: cells for at, cells in self.shown.cells.items()}
            self.shown.cells = {at: cells for at, cells in moved.items() if 1 <= at <= LAST_ROW}
            self._changed(seconds)

    def _mid_row(self, seconds: float, second: int) -> None:
        """A change of style. It takes one column, which is shown as a space."""
        number, underline = second >> 1 & 7, bool(second & 1)
        if number == 7:
            self._style = Style(self._style.colour, italic=True, underline=underline)
        else:
            self._style = Style(COLOURS[number], italic=False, underline=underline)
        self.write(seconds, MID_ROW)

    def _command(self, seconds: float, code: int) -> None:
        if code == 0x20:  # RCL: resume caption loading
            self._mode = "pop-on"
        elif code in {0x25, 0x26, 0x27}:  # RU2 to RU4: roll-up captions
            self._roll_up(seconds, code - 0x23)
        elif code == 0x29:  # RDC: resume direct captioning
            self._mode = "paint-on"
        elif code in {0x2A, 0x2B}:  # TR, RTD: text, no captions
            self._mode = "text"
        elif code == 0x2C:  # EDM: erase displayed memory
            self.shown.erase(seconds)
        elif code == 0x2D:  # CR: carriage return
            self._carriage_return(seconds)
        elif code == 0x2E:  # ENM: erase non-displayed memory
            self._prepared = {}
        elif code == 0x2F:  # EOC: end of caption
            self._mode = "pop-on"
            self._prepared, self.shown.cells = self.shown.cells, self._prepared
            self.shown.changed(seconds)
        elif code in {0x21, 0x24}:  # BS, DER: backspace, delete to end of row
            self._delete(seconds, to_end=code == 0x24)
        elif code == 0x28:  # FON: flash on; takes a column
            self.write(seconds, " ")

    def _delete(self, seconds: float, *, to_end: bool) -> None:
        memory = self._memory()
        if memory is None:
            return
        if not to_end:
            self._column = max(0, self._column - 1)
        row = memory.get(self._row, {})
        for column in [at for at in row if at == self._column or (to_end and at > self._column)]:
            del row[column]
        self._changed(seconds)

    def _roll_up(self, seconds: float, depth: int) -> None:
        if self._mode != "roll-up":
            self._prepared = {}
            self.shown.erase(seconds)
            self._row, self._column, self._style = LAST_ROW, 0, Style()
        self._move_window(seconds, max(self._row, depth))
        self._mode, self._depth, self._row = "roll-up", depth, max(self._row, depth)
        self._keep_window(seconds)

    def _keep_window(self, seconds: float) -> None:
        kept = {at: cells for at, cells in self.shown.cells.items() if self._row - self._depth < at <= self._row}
        if len(kept) != len(self.shown.cells):
            self.shown.cells = kept
            self._changed(seconds)

    def _carriage_return(self, seconds: float) -> None:
        if self._mode != "roll-up":
            return
        self.shown.cells = {at - 1: cells for at, cells in self.shown.cells.items()}
        self._column, self._style = 0, Style()
        self._changed(seconds)
        self._keep_window(seconds)
