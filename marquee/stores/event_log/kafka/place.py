"""How far a consumer group is in one partition: pure arithmetic over offsets, and how it is written down.

Kafka keeps one number a group and partition, and a string beside it of up to 4096 bytes. The number is `next`: every
record below it is acknowledged, so that no record that is not can be skipped. What the number cannot say is in the string,
as JSON: `a`, the ranges past `next` that are acknowledged too, and `g`, up to where records were given to a member and how
often. So nothing acknowledged comes again, and a record that kills whoever handles it is counted, though its member died.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

MAX_STORED_BYTES: Final = 3800
"""Of the 4096 that a broker takes by default."""
MAX_RUNS: Final = 16


class _Stored(msgspec.Struct, omit_defaults=True):
    """Offsets here are counted from `next`, which keeps them short."""

    a: list[tuple[int, int]] = []
    g: list[tuple[int, int]] = []


@dataclass(frozen=True)
class Place:
    """`next` is the lowest offset that is not acknowledged."""

    next: int
    beyond: tuple[tuple[int, int], ...] = ()
    """Half-open ranges past `next` that are acknowledged, ascending, with something between each two."""
    given: tuple[tuple[int, int], ...] = ()
    """Runs (end, times), ascending: the offsets up to `end`, from the run before or `next`, were given so many times."""
    position: int = -1
    """Where reading goes on; not written down. Beginning at `next`, so that a new owner is given what its predecessor was."""

    def __post_init__(self) -> None:
        if self.position < 0:
            object.__setattr__(self, "position", self.next)

    def is_acknowledged(self, offset: int) -> bool:
        return offset < self.next or any(start <= offset < end for start, end in self.beyond)

    def times_given(self, offset: int) -> int:
        return next((times for end, times in self.given if offset < end), 0)

    def behind(self, *, begin: int, end: int) -> int:
        """How many offsets of a partition that spans [begin, end) are not acknowledged."""
        start = max(begin, self.next)
        done = sum(max(0, min(until, end) - max(since, start)) for since, until in self.beyond)
        return max(0, end - start - done)

    def give(self, offsets: Sequence[int]) -> "Place":
        """After these offsets were read, in order, from `position` on.

        An offset that was passed over holds no record (it was trimmed, or is the log's own): it counts as acknowledged.
        Offsets from before `next` mean a log that is younger than this place: the place begins anew.
        """
        if not offsets:
            return self
        first, end = offsets[0], offsets[-1] + 1
        if first < self.next:
            return Place(first).give(offsets)
        start = min(first, self.position)
        counted = replace(self, given=_counted(self.given, self.next, start, end), position=end)
        return counted._without(_gaps(start, offsets))

    def acknowledge(self, offsets: Iterable[int]) -> "Place":
        return self._without([(offset, offset + 1) for offset in offsets if offset >= self.next])

    def _without(self, ranges: Sequence[tuple[int, int]]) -> "Place":
        if not ranges:
            return self
        beyond = _merged([*self.beyond, *ranges])
        following = self.next
        if beyond and beyond[0][0] <= following:
            following = beyond.pop(0)[1]
        given = tuple((end, times) for end, times in self.given if end > following)
        return Place(following, tuple(beyond), given, max(self.position, following))

    def rewound(self) -> "Place":
        """Reading goes on at the first offset that is not acknowledged."""
        return replace(self, position=self.next)

    def stored(self) -> str:
        """The string beside the number. Too long a one loses its farthest ranges: those come again after a takeover."""
        given = [(end - self.next, times) for end, times in self.given[:MAX_RUNS]]
        ranges = [(start - self.next, end - self.next) for start, end in self.beyond]
        if not given and not ranges:
            return ""
        text = msgspec.json.encode(_Stored(ranges, given))
        while len(text) > MAX_STORED_BYTES:
            ranges = ranges[: len(ranges) * 3 // 4]
            text = msgspec.json.encode(_Stored(ranges, given))
        return text.decode()

    def is_stored_as(self, other: "Place") -> bool:
        """Whether both are the same to whoever reads what is written down."""
        return (self.next, self.stored()) == (other.next, other.stored())

    @classmethod
    def restored(cls, following: int, text: str | None) -> "Place":
        """What was written down; a string of somebody else's, such as a tool that moved the group, says nothing."""
        try:
            stored = msgspec.json.decode(text or "{}", type=_Stored)
        except msgspec.MsgspecError:
            return cls(following)
        ranges = [(start, end) for start, end in stored.a if 0 < start < end]
        runs = sorted((end, times) for end, times in stored.g if end > 0 and times > 0)
        return cls(
            following,
            tuple((following + start, following + end) for start, end in _merged(ranges)),
            tuple((following + end, times) for end, times in runs),
        )


def _gaps(start: int, offsets: Sequence[int]) -> list[tuple[int, int]]:
    """The ranges of [start, the last offset) that are not in `offsets`, which ascend."""
    before = [start, *(offset + 1 for offset in offsets[:-1])]
    return [(since, until) for since, until in zip(before, offsets, strict=True) if since < until]


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending, with those that touch made one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _counted(runs: Sequence[tuple[int, int]], begin: int, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The runs, which begin at `begin`, with one time more for [start, end)."""
    edges = sorted({start, end, *(edge for edge, _ in runs)})
    counted: list[tuple[int, int]] = []
    since = begin
    for edge in edges:
        if edge <= since:
            continue
        times = next((times for until, times in runs if since < until), 0) + (1 if start <= since < end else 0)
        if counted and counted[-1][1] == times:
            counted[-1] = (edge, times)
        else:
            counted.append((edge, times))
        since = edge
    return tuple(counted)
