"""Reads TTML: the samples of `stpp` tracks in MP4 (IMSC, EBU-TT-D, SMPTE-TT), and files (.ttml, .dfxp). Pure: text in, cues out.

Times may stand on every element, by the clock or as an offset, and count from the beginning of the element around it. A
paragraph whose parts have times of their own becomes a cue for each span of time. Kept: italic, bold, underlined, ruby, line
breaks, and the region's place. A document that holds pictures, or a DOCTYPE, is refused.
"""

import itertools
import re
import xml.etree.ElementTree as ET  # no DOCTYPE, so no entities: see `parse`
from typing import Final, NamedTuple

from marquee.media.text.cue_text import CueWriter
from marquee.media.text.cues import Cue, NotSubtitles, Parsed
from marquee.media.text.ttml_style import Styles, local_name, own

_FOREVER: Final = 1e9
_CLOCK: Final = re.compile(r"(\d{2,6}):(\d{2}):(\d{2})(?:(\.\d{1,20})|:(\d{2,6})(?:\.\d{1,20})?)?")
_OFFSET: Final = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)(h|ms|m|s|f|t)")
_MULTIPLIER: Final = re.compile(r"\s*(\d{1,9})(?:\s+|\s*:\s*)(\d{1,9})\s*")
_XML_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
_MAX_DEPTH: Final = 60
_MAX_RATE: Final = 1e12
"""Frames or ticks a second. Smooth Streaming has 10,000,000 ticks."""
_MAX_WORK: Final = 20_000_000
"""Runs that are compared and characters that are written, for a whole document. A paragraph of n timed spans takes n x n: a film
has a hundredth of this, and a hostile file would take hours."""
_WRITTEN_STYLES: Final = ("i", "b", "u")


class _Rates(NamedTuple):
    """Frames and ticks a second."""

    frames: float
    ticks: float


class _Run(NamedTuple):
    """Text with one style and its time. `ruby`: `ruby` for its base, `rt` for what stands above; else empty."""

    start: float
    end: float
    text: str
    styles: frozenset[str]
    ruby: str = ""


def parse(text: str) -> Parsed:
    """The cues of a document. Raises `NotSubtitles`."""
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise NotSubtitles("has a DOCTYPE, which is not read here")
    try:
        root = ET.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text.removeprefix("\ufeff")))  # noqa: S314 - no DOCTYPE
    except (ET.ParseError, ValueError, RecursionError) as error:
        raise NotSubtitles(f"is not well-formed XML ({error})") from error
    if local_name(root) != "tt":
        raise NotSubtitles("is not TTML")
    reader = _Reader(root)
    for body in root:
        if local_name(body) == "body":
            reader.read(body, 0.0, _FOREVER, {}, depth=0)
    if reader.pictures and not reader.cues:
        raise NotSubtitles("holds pictures, not text")
    return Parsed(cues=reader.cues, left_out=reader.left_out)


def _rates(root: ET.Element) -> _Rates:
    """Raises `ValueError` for a rate that is no positive number."""
    frames = _rate(own(root, "frameRate") or "30")
    multiplier = _MULTIPLIER.fullmatch(own(root, "frameRateMultiplier") or "1 1")
    if multiplier is None or not int(multiplier[1]) or not int(multiplier[2]):
        raise ValueError("frameRateMultiplier")
    frames *= int(multiplier[1]) / int(multiplier[2])
    stated = own(root, "tickRate")
    return _Rates(frames, _rate(stated) if stated else frames if own(root, "frameRate") else 1.0)


def _rate(text: str) -> float:
    rate = float(text)
    if not 1 / _MAX_RATE <= rate <= _MAX_RATE:
        raise ValueError(text[:40])
    return rate


class _Reader:
    """Walks a document and collects its cues."""

    def __init__(self, root: ET.Element) -> None:
        try:
            self._rates = _rates(root)
        except ValueError as error:
            raise NotSubtitles("has a frame rate or tick rate that is no positive number") from error
        self._styles = Styles(root)
        self._preserve = root.get(_XML_SPACE) == "preserve"
        self.cues: list[Cue] = []
        self.left_out = 0
        self.pictures = False
        self._work_left = _MAX_WORK

    def _seconds(self, text: str | None) -> float | None:
        """Seconds of a time expression; None without one, or for one that cannot be read."""
        if (found := _CLOCK.fullmatch((text or "").strip())) is not None:
            hours, minutes, seconds, fraction, frames = found.groups()
            whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
            return whole + float(fraction or 0) + int(frames or 0) / self._rates.frames
        if (found := _OFFSET.fullmatch((text or "").strip())) is not None:
            units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
            units |= {"f": 1 / self._rates.frames, "t": 1 / self._rates.ticks}
            return float(found[1]) * units[found[2]]
        return None

    def _times(self, element: ET.Element, start: float, end: float) -> tuple[float, float]:
        """When an element is shown, within the time of the element around it."""
        begins = start + (self._seconds(own(element, "begin")) or 0.0)
        ends = end
        if (stated := self._seconds(own(element, "end"))) is not None:
            ends = min(ends, start + stated)
        if (lasts := self._seconds(own(element, "dur"))) is not None:
            ends = min(ends, begins + lasts)
        return begins, ends

    def read(self, element: ET.Element, start: float, end: float, above: dict[str, str], *, depth: int) -> None:
        """Read `body`, `div` and `p`. `above`: the styles of the elements around."""
        start, end = self._times(element, start, end)
        styles = self._styles.of(element, above)
        self.pictures = self.pictures or own(element, "backgroundImage") is not None
        if styles.get("display") == "none":
            return
        if depth > _MAX_DEPTH:
            self.left_out += 1
            return
        if local_name(element) == "p":
            self._paragraph(element, start, end, styles)
            return
        in_turn = own(element, "timeContainer") == "seq"
        for child in element:
            if local_name(child) in {"div", "p"}:
                self.read(child, start, end, styles, depth=depth + 1)
                if in_turn:
                    start = min(end, self._times(child, start, end)[1])
            elif local_name(child) == "image":
                self.pictures = True

    def _paragraph(self, element: ET.Element, start: float, end: float, styles: dict[str, str]) -> None:
        runs: list[_Run] = []
        preserve = element.get(_XML_SPACE, "preserve" if self._preserve else "default") == "preserve"
        self._collect(element, start, end, styles, runs, preserve=preserve, depth=0)
        visible = [run for run in runs if run.text.strip()]
        if visible and (start >= end or all(run.start >= run.end for run in visible)):
            self.left_out += 1
            return
        settings = self._styles.settings(styles)
        edges = sorted({edge for run in visible for edge in (run.start, run.end) if run.start < run.end})
        for begins, ends in itertools.pairwise(edges):
            shown = [run for run in runs if run.start <= begins and ends <= run.end]
            self._count_work(len(runs) + sum(len(run.text) for run in shown))
            text = _written(shown, preserve=preserve)
            if text:
                # A paragraph without any time is shown as long as its sample, which cuts it.
                self.cues.append(Cue(begins, ends, text, settings))

    def _count_work(self, amount: int) -> None:
        self._work_left -= amount
        if self._work_left < 0:
            raise NotSubtitles("has too many times in its paragraphs")

    def _collect(
        self,
        element: ET.Element,
        start: float,
        end: float,
        styles: dict[str, str],
        runs: list[_Run],
        *,
        preserve: bool,
        depth: int,
        ruby: str = "",
    ) -> None:
        """The runs of text of a paragraph or span, in order."""

        def add(text: str | None) -> None:
            if text and styles.get("visibility") != "hidden":
                shown = text if preserve else re.sub(r"[ \t\r\n]+", " ", text)
                runs.append(_Run(start, end, shown, self._styles.tags(styles), ruby))

        add(element.text)
        for child in element:
            name = local_name(child)
            if name == "br":
                runs.append(_Run(start, end, "\n", frozenset()))
            elif name == "span" and depth >= _MAX_DEPTH:
                self.left_out += 1
            elif name == "span":
                below = self._styles.of(child, styles)
                begins, ends = self._times(child, start, end)
                kind = {"text": "rt", "base": "ruby"}.get(own(child, "ruby") or "", ruby)
                if below.get("display") != "none" and own(child, "ruby") != "delimiter":
                    self._collect(child, begins, ends, below, runs, preserve=preserve, depth=depth + 1, ruby=kind)
            add(child.tail)


def _written(runs: list[_Run], *, preserve: bool) -> str:
    writer = CueWriter()
    before = "\n"
    for run in runs:
        text = run.text
        if not preserve and before[-1:] in {"\n", " "}:
            text = text.lstrip(" ")
        if not text:
            continue
        for name, wanted in (("rt", run.ruby == "rt"), ("ruby", run.ruby != "")):
            if not wanted and writer.is_open(name):
                writer.close(name)
        for name in ("ruby", *(("rt",) if run.ruby == "rt" else ())):
            if run.ruby and not writer.is_open(name):
                writer.open(name)
        for name in reversed(_WRITTEN_STYLES):
            if name not in run.styles:
                writer.close(name)
        for name in _WRITTEN_STYLES:
            if name in run.styles:
                writer.open(name)
        writer.text(text)
        before = text
    return re.sub(r" +(\n|$)", r"\1", writer.result()) if not preserve else writer.result()
