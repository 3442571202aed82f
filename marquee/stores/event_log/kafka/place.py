"""A consumer group's place in one partition: arithmetic over offsets, and how the place is stored.

For each group and partition Kafka stores a number and a string of up to 4096 bytes. The number is `next`: all records below it
are acknowledged. The string is JSON: `a` holds the acknowledged ranges past `next`; `g` says up to which offset records were
given to a member, and how often. So an acknowledged record does not come again, and a record that kills its handler is counted
although the member died.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

MAX_STORED_BYTES: Final = 3800
"""A broker takes 4096 by default."""
MAX_RUNS: Final = 16


class _Stored(msgspec.Struct, omit_defaults=True):
    """Offsets are relative to `next`, which keeps them short."""

    a: list[tuple[int, int]] = []
    g: list[tuple[int, int]] = []


@dataclass(frozen=True)
class Place:
    """`next` is the lowest offset that is not acknowledged."""

    next: int
    acknowledged_ranges: tuple[tuple[int, int], ...] = ()
    """Acknowledged half-open ranges past `next`, ascending, none touching the one before."""
    delivery_runs: tuple[tuple[int, int], ...] = ()
    """Runs (end, times), ascending: the offsets from the end of the run before (at first `next`) to `end` were given so often."""
    position: int = -1
    """The next offset to read; not stored. A new owner begins at `next`: what its predecessor left unacknowledged comes again."""

    def __post_init__(self) -> None:
        if self.position < 0:
            object.__setattr__(self, "position", self.next)

    def is_acknowledged(self, offset: int) -> bool:
        return offset < self.next or any(start <= offset < end for start, end in self.acknowledged_ranges)

    def times_given(self, offset: int) -> int:
        return next((times for end, times in self.delivery_runs if offset < end), 0)

    def count_unacknowledged(self, *, begin: int, end: int) -> int:
        """The number of unacknowledged offsets in a partition that spans [begin, end)."""
        start = max(begin, self.next)
        done = sum(max(0, min(until, end) - max(since, start)) for since, until in self.acknowledged_ranges)
        return max(0, end - start - done)

    def give(self, offsets: Sequence[int]) -> "Place":
        """The place after these offsets were read, in order, from `position` on.

        A skipped offset holds no record (it was trimmed, or Kafka uses it itself) and counts as acknowledged. An offset below
        `next` means that the log is younger than this place: it came back without its data. Then the place begins anew.
        """
        if not offsets:
            return self
        first, end = offsets[0], offsets[-1] + 1
        if first < self.next:
            return Place(first).give(offsets)
        start = min(first, self.position)
        counted = replace(self, delivery_runs=_count_once_more(self.delivery_runs, self.next, start, end), position=end)
        return counted._mark_acknowledged(_skipped_ranges(start, offsets))

    def acknowledge(self, offsets: Iterable[int]) -> "Place":
        return self._mark_acknowledged([(offset, offset + 1) for offset in offsets if offset >= self.next])

    def _mark_acknowledged(self, ranges: Sequence[tuple[int, int]]) -> "Place":
        if not ranges:
            return self
        acknowledged_ranges = _merged([*self.acknowledged_ranges, *ranges])
        following = self.next
        if acknowledged_ranges and acknowledged_ranges[0][0] <= following:
            following = acknowledged_ranges.pop(0)[1]
        delivery_runs = tuple((end, times) for end, times in self.delivery_runs if end > following)
        return Place(following, tuple(acknowledged_ranges), delivery_runs, max(self.position, following))

    def rewound(self) -> "Place":
        """The place with reading set back to the first unacknowledged offset."""
        return replace(self, position=self.next)

    def stored(self) -> str:
        """The string for Kafka. If it is too long, the farthest ranges are left out: they come again after a takeover."""
        delivery_runs = [(end - self.next, times) for end, times in self.delivery_runs[:MAX_RUNS]]
        ranges = [(start - self.next, end - self.next) for start, end in self.acknowledged_ranges]
        if not delivery_runs and not ranges:
            return ""
        text = msgspec.json.encode(_Stored(ranges, delivery_runs))
        while len(text) > MAX_STORED_BYTES:
            ranges = ranges[: len(ranges) * 3 // 4]
            text = msgspec.json.encode(_Stored(ranges, delivery_runs))
        return text.decode()

    def is_stored_as(self, other: "Place") -> bool:
        """Whether Kafka stores the same for both."""
        return (self.next, self.stored()) == (other.next, other.stored())

    @classmethod
    def restored(cls, following: int, text: str | None) -> "Place":
        """The place from what Kafka stored. A string that is not ours (a tool moved the group) is ignored."""
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


def _skipped_ranges(start: int, offsets: Sequence[int]) -> list[tuple[int, int]]:
    """The ranges of [start, last offset) that are missing in `offsets`, which ascend."""
    before = [start, *(offset + 1 for offset in offsets[:-1])]
    return [(since, until) for since, until in zip(before, offsets, strict=True) if since < until]


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending; ranges that touch or overlap become one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _count_once_more(runs: Sequence[tuple[int, int]], begin: int, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The runs, the first of which begins at `begin`, with one delivery more for [start, end)."""
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
