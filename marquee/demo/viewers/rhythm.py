"""When people watch: the shares of the day's hours and of the week's days, and moments that are drawn by them.

Hours are UTC, as the lake's partitions are. The evening has four times the morning, the weekend a third more than a working
day: about what services publish of their viewers.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Final

HOUR_WEIGHTS: Final = (3, 2, 1, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 6, 6, 6, 7, 9, 12, 16, 18, 17, 12, 6)
"""Of the hours from 0 to 23."""
WEEKDAY_WEIGHTS: Final = (9, 9, 9, 10, 12, 13, 13)
"""Of Monday to Sunday."""
HOUR_MS: Final = 3_600_000
SPAN_MS: Final = (7 * 24 - 2) * HOUR_MS
"""A week, without the two hours whose events would be older than a week when they are sent: the lake's check distrusts those."""


def moments(random: Random, count: int, *, until_ms: int, span_ms: int = SPAN_MS) -> Sequence[int]:
    """`count` moments in order (Unix ms) of the time `span_ms` before `until_ms`."""
    begin_ms = until_ms - span_ms
    hours = range(begin_ms - begin_ms % HOUR_MS, until_ms, HOUR_MS)
    drawn: list[int] = []
    while len(drawn) < count:
        chosen = random.choices(hours, [weight_of(hour) for hour in hours], k=count - len(drawn))
        inside = (hour + random.randrange(HOUR_MS) for hour in chosen)
        # The first and the last hour lie only partly inside.
        drawn += [moment for moment in inside if begin_ms <= moment < until_ms]
    return sorted(drawn)


def weight_of(hour_ms: int) -> int:
    """How much is watched in the hour that begins at `hour_ms`, against other hours."""
    hour = datetime.fromtimestamp(hour_ms / 1000, UTC)
    return HOUR_WEIGHTS[hour.hour] * WEEKDAY_WEIGHTS[hour.weekday()]
