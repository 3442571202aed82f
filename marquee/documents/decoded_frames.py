"""Every picture of the master as the linear decode of `source` showed it: its time, a checksum, and where decoders complained.

With it, a later decode that starts midway is compared with the decode from the film's start. Packed, because a film has hundreds
of thousands of pictures: times as zlib of their differences (64 bits each), checksums with 16 bits each, both little-endian. A
wrong picture has the right checksum once in 65,536, and a wrong run of pictures never. About 2 bytes a picture at a constant
rate. A `ChunkJob` has only the pictures of its chunk (`between`).
"""

import sys
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Literal

import msgspec

_MARGIN_SECONDS = 3
"""`between` keeps this much on both sides: filters look at neighbours, and complaints are placed only roughly."""


class DecodedFrames(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The pictures of a master, in the order of presentation."""

    time_base: str
    """Seconds of one tick, as a fraction. Times are in ticks of the container's own clock."""
    packed_times: bytes
    packed_checksums: bytes
    complaints: list[int]
    """Times near which a program printed an error in the linear decode, ascending. Decoders run ahead by up to some pictures."""

    @cached_property
    def times(self) -> Sequence[int]:
        """Presentation times in ticks, ascending."""
        steps = _array("q", zlib.decompress(self.packed_times))
        for index in range(1, len(steps)):
            steps[index] += steps[index - 1]
        return steps

    @cached_property
    def checksums(self) -> Sequence[int]:
        """One checksum a picture: see `seeking.checksummed`."""
        return _array("H", self.packed_checksums)

    def pictures(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Time in ticks and checksum of the pictures with the numbers `begin` to `end`, the last one excluded."""
        return zip(self.times[begin:end], self.checksums[begin:end], strict=True)

    def ticks(self, seconds: float | Fraction) -> int:
        """`seconds` of the container's clock, in ticks."""
        return round(Fraction(seconds) / Fraction(self.time_base))

    def shown_at(self, seconds: float | Fraction) -> int:
        """The number of the picture that is shown at `seconds`; 0 before the first one."""
        return max(0, bisect_right(self.times, self.ticks(seconds)) - 1)

    def has_complaints(self, begin_seconds: float | Fraction, end_seconds: float | Fraction) -> bool:
        """Whether the linear decode complained somewhere between these two times, or near them."""
        low, high = self.ticks(begin_seconds - _MARGIN_SECONDS), self.ticks(end_seconds + _MARGIN_SECONDS)
        at = bisect_left(self.complaints, low)
        return at < len(self.complaints) and self.complaints[at] <= high

    def between(self, begin_seconds: float | Fraction, end_seconds: float | Fraction) -> "DecodedFrames":
        """The pictures that are shown between these two times, and three seconds more on both sides."""
        begin, end = self.shown_at(begin_seconds - _MARGIN_SECONDS), self.shown_at(end_seconds + _MARGIN_SECONDS) + 1
        low, high = self.times[begin], self.times[end - 1]
        return packed(
            Fraction(self.time_base),
            self.times[begin:end],
            self.checksums[begin:end],
            [time for time in self.complaints if low <= time <= high],
        )


def packed(
    time_base: Fraction, times: Sequence[int], checksums: Sequence[int], complaints: Sequence[int]
) -> DecodedFrames:
    """The document of these pictures. `times` and `checksums` have one value a picture."""
    if len(times) != len(checksums) or not times:
        raise ValueError(f"{len(times)} times and {len(checksums)} checksums: there must be one of each a picture")
    steps = array("q", [times[0], *(b - a for a, b in pairwise(times))])
    return DecodedFrames(
        time_base=f"{time_base.numerator}/{time_base.denominator}",
        packed_times=zlib.compress(_little_endian(steps)),
        packed_checksums=_little_endian(array("H", checksums)),
        complaints=sorted(set(complaints)),
    )


def _array(kind: Literal["q", "H"], data: bytes) -> "array[int]":
    found: array[int] = array(kind)
    found.frombytes(data)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def _little_endian(values: "array[int]") -> bytes:
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()
