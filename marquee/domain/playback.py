"""Rules of playing: where a viewer resumes, when a title counts as watched, which positions are credible.

A title is watched from 95 % of its duration on: then it starts at 0 again and leaves continue watching. Positions come
from players whose clock may run a little past the end; what is far past it is a mistake and is refused.
"""

import math
from typing import Final

from marquee.errors import InputInvalid

WATCHED_SHARE: Final = 0.95
OVERRUN_SECONDS: Final = 60.0
"""How far past the end a position may lie and still mean the end (another version's length, a player's rounding)."""


def is_watched(position_seconds: float, duration_seconds: float) -> bool:
    """Whether the position lies at or past 95 % of the duration."""
    return duration_seconds > 0 and position_seconds >= WATCHED_SHARE * duration_seconds


def resume_position(position_seconds: float | None, duration_seconds: float) -> float:
    """Seconds to start from: the position, and 0 for none and for a watched title."""
    if position_seconds is None or position_seconds <= 0 or is_watched(position_seconds, duration_seconds):
        return 0.0
    return position_seconds


def watched_percent(position_seconds: float, duration_seconds: float) -> float:
    """0 to 100, one decimal."""
    if duration_seconds <= 0:
        return 0.0
    return round(min(100.0, max(0.0, 100.0 * position_seconds / duration_seconds)), 1)


def credible_position(position_seconds: float, duration_seconds: float) -> float:
    """The position to keep: at most the duration. Raises `InputInvalid` for what no player of this title can be at."""
    if not math.isfinite(position_seconds) or position_seconds < 0:
        raise InputInvalid("position_seconds has to be a number of seconds from 0 on.", field="position_seconds")
    if position_seconds > duration_seconds + OVERRUN_SECONDS:
        raise InputInvalid(
            f"position_seconds lies past the title's end: it lasts {duration_seconds:.1f} s.", field="position_seconds"
        )
    return min(position_seconds, duration_seconds)


def event_time_ms(now_ms: int, age_ms: int) -> int:
    """When the viewer was there, by the server's clock: never in the future, never before 1970."""
    return max(0, now_ms - max(0, age_ms))
