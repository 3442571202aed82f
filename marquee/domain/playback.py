"""Rules of playing: where a viewer resumes, when a title counts as watched, which positions are credible.

A title is watched from 95 % of its duration on. It then starts at 0 again and leaves continue watching. A player's
clock may run a little past the end, so such positions count as the end; a position far past the end is a mistake and is
refused.
"""

import math
from typing import Final

from marquee.errors import InputInvalid

WATCHED_SHARE: Final = 0.95
"""Share of the duration from which a title is watched."""
OVERRUN_SECONDS: Final = 60.0
"""How far past the end a position still counts as the end: another version may be longer, and players round."""


def is_watched(position_seconds: float, duration_seconds: float) -> bool:
    """Whether the position is at or past 95 % of the duration."""
    return duration_seconds > 0 and position_seconds >= WATCHED_SHARE * duration_seconds


def resume_position(position_seconds: float | None, duration_seconds: float) -> float:
    """Seconds to start from: the position; 0 if there is none, or if the title is watched."""
    if position_seconds is None or position_seconds <= 0 or is_watched(position_seconds, duration_seconds):
        return 0.0
    return position_seconds


def watched_percent(position_seconds: float, duration_seconds: float) -> float:
    """Position / duration, from 0 to 100 with one decimal. 0 for a title without a duration."""
    if duration_seconds <= 0:
        return 0.0
    return round(min(100.0, max(0.0, 100.0 * position_seconds / duration_seconds)), 1)


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
