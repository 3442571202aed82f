"""Finds the times at which a film's picture is wrong, by the scan: concealed frames, lost frames, and the decoder's refusals.

- A concealed frame is wrong for as long as it is shown.
- A gap in time is no damage: a frame may last long (slides, screen recordings, packets without content that repeat the last
  picture). It counts as lost frames if the demuxer complained near it, or a broadcast stream has concealed frames; else by
  the packets inside the gap that hold a picture and gave none (see `close_look`).
- A packet that the decoder refused is one lost frame, unless a gap beside it has been counted.
- What is wrong up to the last frame is no damage, but a missing end: `without_wrong_end` leaves it out, and the rule for cut
  films judges it.

The rule is in `marquee.domain.damage`. Pure. `judge` reads the result.
"""

import copy
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from marquee.domain.damage import Damage, Span, measured
from marquee.media.source.scan import Scan

GAP_STEPS: Final = 1.5
"""A step that is longer than this many usual steps is a gap."""
_MAX_LEAD_FRAMES: Final = 64
"""ffmpeg's demuxer and decoder run ahead of the frames that it shows: queues of 8 packets, up to 16 frames reordered and 16 in
threads, and another queue. A complaint concerns frames from there on, up to so many later."""


_MAX_LOST_BEFORE_LAST: Final = 5
"""After more lost frames, a single last frame is no picture of the film's end."""


class PictureDamage(NamedTuple):
    """Frames that a viewer would see broken or miss, and the times of that, in seconds from the film's first frame.

    `at_end`: packets behind the last good frame that the decoder refused. They are no damage, but a missing end.
    """

    frames: int
    spans: list[Span]
    at_end: int = 0

    @property
    def measured(self) -> Damage:
        """See `domain.damage`."""
        return measured(self.spans)


class Gap(NamedTuple):
    """The gap behind the frame `after`: `start` and `end` in units of the time base, and how many frames would fill it."""

    after: int
    start: int
    end: int
    frames: int


def gaps(scanned: Scan) -> list[Gap]:
    """All gaps in time, in order."""
    step = scanned.step
    if not step:
        return []
    return [
        Gap(index, a, b, round((b - a) / step) - 1)
        for index, (a, b) in enumerate(pairwise(scanned.times))
        if b - a > GAP_STEPS * step
    ]


def is_suspect(scanned: Scan) -> bool:
    """Whether anything in the scan may be damage. A film of which this is false needs no close look."""
    reported = scanned.concealed_at or scanned.refused_at or scanned.complaints_at
    return bool(scanned.frames and (reported or scanned.packets > scanned.frames))


def picture_damage(scanned: Scan) -> PictureDamage:
    """The damage of a whole scan, without what is wrong up to its end."""
    if not is_suspect(scanned) or not scanned.times:
        return PictureDamage(len(scanned.concealed_at) + len(scanned.refused_at), [])
    base, first, step = float(scanned.time_base), scanned.times[0], scanned.step
    silent = max(0, scanned.packets - scanned.frames)
    counted: list[int] = []
    lost, at_end, spans = 0, 0, []
    for gap in gaps(scanned):
        missing = _missing(scanned, gap, silent)
        if missing and gap.after >= len(scanned.times) - 1 - scanned.wrong_at_end:
            at_end += missing
            counted.append(gap.after)
        elif missing:
            silent = max(0, silent - missing)
            lost += missing
            counted.append(gap.after)
            spans.append(((gap.end - missing * step - first) * base, (gap.end - first) * base))
    refused = [at for at in scanned.refused_at if not _is_near(counted, at, behind=_MAX_LEAD_FRAMES)]
    # Times of a clock that was replaced are counted: a lost frame leaves no gap in them.
    from_end = scanned.frames - _MAX_LEAD_FRAMES if scanned.clock == "container" else scanned.frames
    inside = [at for at in refused if at < from_end]
    concealed = [at for at in scanned.concealed_at if at < scanned.frames - scanned.wrong_at_end]
    spans += [_shown(scanned, at) for at in [*concealed, *inside]]
    return PictureDamage(len(concealed) + lost + len(inside), spans, at_end + len(refused) - len(inside))


def _missing(scanned: Scan, gap: Gap, silent: int) -> int:
    """How many of the gap's frames are lost. The other frames of the gap never were: the frame before them lasts long."""
    if (scanned.gapless and scanned.concealed_at) or _is_near(scanned.complaints_at, gap.after + 1):
        return gap.frames
    if scanned.packets_in_gaps is None:
        return min(gap.frames, silent)
    return min(gap.frames, scanned.packets_in_gaps.get(gap.after, 0))


def _is_near(places: Sequence[int], at: int, behind: int = 1) -> bool:
    """Whether one of the ordered `places` is at most `_MAX_LEAD_FRAMES` before `at`, or `behind` after it."""
    found = bisect_left(places, at - _MAX_LEAD_FRAMES)
    return found < len(places) and places[found] <= at + behind


def _shown(scanned: Scan, at: int) -> Span:
    """When the frame `at` is shown, in seconds from the first frame. A frame before a gap counts for its usual time."""
    times, base = scanned.times, float(scanned.time_base)
    index = min(at, len(times) - 1)
    usual = scanned.step or scanned.last_duration or 1
    lasts = times[index + 1] - times[index] if index + 1 < len(times) else usual
    start = max(0, times[index] - times[0])
    return start * base, (start + (min(lasts, usual) if lasts > 0 else usual)) * base


def without_wrong_end(scanned: Scan) -> Scan:
    """The scan, of which the wrong frames at the very end are no part of the title. At least one frame is left.

    A single concealed one is shown and counts as damage: it is hardly seen, and the title keeps its length. A single frame behind
    lost ones is the decoder's last picture, with the time of the last packet.
    """
    between = gaps(scanned)
    if between and between[-1].after == len(scanned.times) - 2 and is_suspect(scanned):
        silent = max(0, scanned.packets - scanned.frames)
        if _missing(scanned, between[-1], silent) > _MAX_LOST_BEFORE_LAST:
            return _ending_before(scanned, 1)
    concealed, wrong = set(scanned.concealed_at), 0
    while wrong < len(scanned.times) - 1 and scanned.frames - 1 - wrong in concealed:
        wrong += 1
    if wrong <= 1:
        return scanned
    return _ending_before(scanned, wrong)


def _ending_before(scanned: Scan, wrong: int) -> Scan:
    found = copy.copy(scanned)
    found.wrong_at_end = wrong
    return found
