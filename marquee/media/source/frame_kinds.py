"""Which kinds of frames a film has, and for how long each is shown. Pure.

A film may change its size, the shape of its pixels, its format or its colours midway: programmes recorded one after the other,
advertisements, a camera that is turned. `scan` adds the kind of every decoded frame, in the order of presentation.
The title's frame is the shape (size and shape of pixels) that is shown longest; format and colours are likewise those that are
shown longest. `source_streams` writes them into the document, and `encode.fitting` fits all other frames into the title's frame.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Final, NamedTuple, TypeVar

Colours = tuple[str, str, str, str]
"""Range, matrix, primaries and transfer, as ffmpeg prints them."""
UNKNOWN_COLOURS: Final[Colours] = ("unknown", "unknown", "unknown", "unknown")
Value = TypeVar("Value", bound=Hashable)
MAX_ASPECT: Final = 10
"""A pixel wider or narrower than 10:1 is a wrong tag: such pixels count as square."""


class FrameKind(NamedTuple):
    """What is equal in all frames of a kind. `size` is "720x576", `aspect` the shape of a pixel: "16/15", "0/1" if unknown."""

    size: str
    aspect: str
    format: str
    colours: Colours = UNKNOWN_COLOURS

    @property
    def pixels(self) -> tuple[int, int]:
        """(width, height), as stored."""
        width, _, height = self.size.partition("x")
        return int(width), int(height)

    @property
    def claimed_aspect(self) -> Fraction:
        """Width by height of a pixel; 1 if the frame claims none."""
        above, _, below = self.aspect.partition("/")
        return Fraction(int(above), int(below)) if int(above) > 0 and int(below) > 0 else Fraction(1)

    @property
    def pixel_aspect(self) -> Fraction:
        """Width by height of a pixel, as shown: 1 in place of an incredible claim."""
        claimed = self.claimed_aspect
        return claimed if is_credible_aspect(claimed) else Fraction(1)


class CodedAspect(NamedTuple):
    """An aspect in a stream's own header, from the time `ticks` on.

    `picture`: `aspect` is that of the whole picture (MPEG-2), else that of a pixel. None: the header states none.
    """

    ticks: int
    aspect: Fraction | None
    picture: bool = False

    def of_pixel(self, kind: FrameKind) -> str:
        """The shape of a pixel of `kind`, in the notation of `FrameKind.aspect`."""
        if self.aspect is None:
            return "0/1"
        width, height = kind.pixels
        found = self.aspect * height / width if self.picture else self.aspect
        return f"{found.numerator}/{found.denominator}"


class FrameKinds:
    """The kind of every frame, in the order of presentation."""

    def __init__(self) -> None:
        self._known: list[FrameKind] = []
        self._numbers: dict[FrameKind, int] = {}
        self._sequence = array("L")

    def add(self, kind: FrameKind) -> None:
        number = self._numbers.setdefault(kind, len(self._known))
        if number == len(self._known):
            self._known.append(kind)
        self._sequence.append(number)

    def __len__(self) -> int:
        return len(self._sequence)

    def __iter__(self) -> Iterator[FrameKind]:
        return (self._known[number] for number in self._sequence)

    @property
    def kinds(self) -> list[FrameKind]:
        """Every kind that a frame has, in the order of its first frame."""
        return [self._known[number] for number in dict.fromkeys(self._sequence)]

    def with_colours(self, colours: Colours) -> None:
        """Give the last frame its colours, which ffmpeg prints after the frame."""
        if self._sequence:
            last = self._known[self._sequence[-1]]
            if last.colours != colours:
                self._sequence.pop()
                self.add(last._replace(colours=colours))

    def with_coded_aspects(self, coded: Sequence[CodedAspect], times: Sequence[int]) -> "FrameKinds":
        """The same frames with the shapes that the stream's own headers state.

        ffmpeg gives every frame the first shape that it finds. So the headers count if one of them agrees with that shape. If
        none agrees with it, the container states another shape on purpose, which is kept.
        """
        if not coded or len(times) != len(self) or len({kind.aspect for kind in self.kinds}) > 1:
            return self
        found, starts = FrameKinds(), _first_frames(coded, times)
        for index, kind in enumerate(self):
            place = max(0, bisect_right(starts, index) - 1)
            found.add(kind._replace(aspect=coded[place].of_pixel(kind)))
        agrees = {kind.pixel_aspect for kind in self.kinds} & {kind.pixel_aspect for kind in found.kinds}
        return found if agrees else self

    def shown(self, times: Sequence[int], end_ticks: float) -> "Counter[FrameKind]":
        """For how many ticks each kind is shown in a film that ends at `end_ticks`.

        Every frame counts alike if the clock does not time them all.
        """
        found: Counter[FrameKind] = Counter()
        if len(times) != len(self):
            found.update(self)
            return found
        ends = [*times[1:], max(round(end_ticks), times[-1] + 1)] if times else []
        for kind, start, end in zip(self, times, ends, strict=True):
            found[kind] += max(0, end - start)
        return found

    def changes(self, times: Sequence[int], value: Callable[[FrameKind], Hashable]) -> list[tuple[int, FrameKind]]:
        """(time of the first frame in ticks, its kind) of each stretch of frames with one `value`. Every frame needs a time."""
        found: list[tuple[int, FrameKind]] = []
        index = 0
        for _, same in groupby(self, value):
            kinds = list(same)
            found.append((times[index], kinds[0]))
            index += len(kinds)
        return found

    def stretches(
        self, times: Sequence[int], value: Callable[[FrameKind], Hashable]
    ) -> list[tuple[float, float, FrameKind]]:
        """Stretches of frames with one `value`: (start, end, kind of the first frame), in ticks.

        A border lies halfway between two frames, so that no rounding puts a frame on the wrong side of it. Where the clock goes
        back (films laid end to end), the frame grid shows the new film from the old film's last frame on.
        """
        found: list[tuple[float, float, FrameKind]] = []
        start, index = float("-inf"), 0
        for _, same in groupby(self, value):
            frames = list(same)
            index += len(frames)
            end = float("inf")
            if index < len(times):
                last, first = times[index - 1], times[index]
                end = (last + first) / 2 if first > last else last - 0.5
            found.append((start, end, frames[0]))
            start = end
        return found


def _first_frames(coded: Sequence[CodedAspect], times: Sequence[int]) -> list[int]:
    """The number of the first frame of each header: the next one with its time, in order, because a clock may go back."""
    at: dict[int, list[int]] = defaultdict(list)
    for index, ticks in enumerate(times):
        at[ticks].append(index)
    found, last = [], 0
    for one in coded:
        same = at.get(one.ticks, [])
        exact = bisect_left(same, last)
        if exact < len(same):
            last = same[exact]
        else:
            # Its frame was not decoded, or the header stands at the end of a packet.
            last = next((index for index in range(last, len(times)) if times[index] >= one.ticks), len(times))
        found.append(last)
    return found


def longest(shown: "Counter[FrameKind]", value: Callable[[FrameKind], Value]) -> Value:
    """The value that is shown longest; of two that are shown equally long, the one that comes first."""
    found: Counter[Value] = Counter()
    for kind, ticks in shown.items():
        found[value(kind)] += ticks
    return found.most_common(1)[0][0]


def is_credible_aspect(aspect: Fraction) -> bool:
    """Whether pixels may have this aspect. Others are shown square."""
    return Fraction(1, MAX_ASPECT) <= aspect <= MAX_ASPECT
