"""The values that every reader of subtitles makes: cues, and what was read of a file. Pure."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

MAX_CUES: Final = 50_000
"""A day of dense captions has about 30,000 cues. A file with more than 50,000 is not a subtitle file."""


_MAX_GAP_SECONDS: Final = 0.001
"""Times of containers are rounded."""


class Cue(msgspec.Struct, frozen=True):
    """`text` is escaped WebVTT cue text. Times are seconds from the first picture. `settings`: WebVTT's, such as `line:5%`."""

    start: float
    end: float
    text: str
    settings: str = ""

    @property
    def top(self) -> bool:
        """Whether it is shown in the upper half of the picture."""
        found = re.search(r"\bline:(\d+(?:\.\d+)?)%", self.settings)
        return found is not None and float(found[1]) < 50


class NotSubtitles(ValueError):
    """The text is not a subtitle file. The message is the end of a sentence that starts with "it": "is not text"."""


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """The cues of a file in order of time. `left_out`: cues whose times are wrong."""

    cues: list[Cue]
    left_out: int = 0


def joined(cues: Sequence[Cue]) -> list[Cue]:
    """Cues with one text and place that follow each other without a gap, or overlap, are one. They are in order of time."""
    found: list[Cue] = []
    last: dict[tuple[str, str], int] = {}
    for cue in cues:
        at = last.get((cue.text, cue.settings))
        if at is not None and found[at].end >= cue.start - _MAX_GAP_SECONDS:
            found[at] = msgspec.structs.replace(found[at], end=max(found[at].end, cue.end))
        else:
            last[cue.text, cue.settings] = len(found)
            found.append(cue)
    return found


PLACES: Final = {
    "1": "position:5% align:left",
    "2": "",
    "3": "position:95% align:right",
    "4": "line:50% position:5% align:left",
    "5": "line:50%",
    "6": "line:50% position:95% align:right",
    "7": "line:5% position:5% align:left",
    "8": "line:5%",
    "9": "line:5% position:95% align:right",
}
r"""WebVTT settings by SubStation's alignment (`\an`): the keys of a number pad."""
