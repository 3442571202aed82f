"""Rules of playing: where a viewer resumes, when a title counts as watched, which positions are credible.

A title is watched from 95 % of its duration on: `position_ms >= floor(950 x duration_seconds)`. It then starts at 0 again
and leaves continue watching. The rule compares the stored milliseconds, in exact decimal arithmetic: 950 x 4.02 is 3819, and
3818.9999999999995 as a float. A player's clock may run a little past the end, so such positions count as the end; a position
far past the end is a mistake and is refused.
"""

import math
from decimal import Decimal
from typing import Final

from marquee.errors import InputInvalid

WATCHED_MS_PER_SECOND: Final = 950
"""A title is watched from this many milliseconds for each second of its duration: 95 %."""
OVERRUN_SECONDS: Final = 60.0
"""How far past the end a position still counts as the end: another version may be longer, and players round."""
_NS_PER_SECOND: Final = 1e9
_NS_PER_MS: Final = 1_000_000


def watched_from_ms(duration_seconds: float) -> int:
    """The first position, in milliseconds, at which a title of this duration is watched."""
    return int(Decimal(repr(duration_seconds)) * WATCHED_MS_PER_SECOND)


def is_watched(position_ms: int, duration_seconds: float) -> bool:
    """Whether the stored position is at or past 95 % of the duration. False for a title without a duration."""
    return duration_seconds > 0 and position_ms >= watched_from_ms(duration_seconds)


def position_ms(position_seconds: float) -> int:
    """Whole milliseconds of a position, rounded down: rounded up, a position just before 95 % would count as past it.

    First to the nearest nanosecond: a client's 0.95 x 4.02 is 3.8189999999999995, and means 3.819.
    """
    return round(position_seconds * _NS_PER_SECOND) // _NS_PER_MS


def resume_position(position_ms: int | None, duration_seconds: float) -> float:
    """Seconds to start from: the stored position; 0 if there is none, or if the title is watched."""
    if position_ms is None or position_ms <= 0 or is_watched(position_ms, duration_seconds):
        return 0.0
    return position_ms / 1000


def watched_percent(position_ms: int, duration_seconds: float) -> float:
    """Position / duration, from 0 to 100 with one decimal, rounded down: an unwatched title shows less than 95.

    0 for a title without a duration.
    """
    if duration_seconds <= 0:
        return 0.0
    return min(100.0, max(0, position_ms) // duration_seconds / 10)


def credible_position(position_seconds: float, duration_seconds: float) -> float:
    """The position to store, at most the duration. Raises `InputInvalid` if no player of this title can be there."""
    if not math.isfinite(position_seconds) or position_seconds < 0:
        raise InputInvalid(
            f"position_seconds is {position_seconds}: send a number of seconds, 0 or more.", field="position_seconds"
        )
    if position_seconds > duration_seconds + OVERRUN_SECONDS:
        raise InputInvalid(
            f"position_seconds is {position_seconds:.1f}, past the end of the title, which lasts {duration_seconds:.1f} s.",
            field="position_seconds",
        )
    return min(position_seconds, duration_seconds)


def event_time_ms(now_ms: int, age_ms: int) -> int:
    """When the viewer was there, by the server's clock, in Unix milliseconds: never in the future, never before 1970."""
    return max(0, now_ms - max(0, age_ms))
