"""Which moment of a viewing event is believed: the hour of the lake that it belongs to follows from it.

A late event goes to its own hour. A moment that is years away from the publication is a broken clock or a forged record: it
would make an hour of its own, which no reader expects.
"""

from typing import Final

DAY_MS: Final = 24 * 3600 * 1000
HOUR_MS: Final = 3600 * 1000
MAX_LATE_MS: Final = 400 * DAY_MS
"""Thirteen months: a year of history may be filled in."""
MAX_EARLY_MS: Final = DAY_MS
"""The API never dates an event into the future. Another writer's clock may be wrong by a little."""


def fault_of_moment(at_ms: int, published_at_ms: int) -> str | None:
    """Why an event of this moment is not kept; None: it is. Both are Unix milliseconds."""
    if at_ms > published_at_ms + MAX_EARLY_MS:
        return f"at_ms is {at_ms}, more than a day after its publication ({published_at_ms})."
    if at_ms < published_at_ms - MAX_LATE_MS:
        return f"at_ms is {at_ms}, more than 400 days before its publication ({published_at_ms})."
    return None


def hour_number(at_ms: int) -> int:
    """Hours since 1970 (UTC)."""
    return at_ms // HOUR_MS
