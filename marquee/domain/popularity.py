"""Popularity: how much a title's votes and what viewers watch of it weigh in the order of genre rows and in search."""

import math
from typing import Final

PER_WATCHED: Final = 0.5
"""An hour watched weighs half as much as a vote, on the logarithmic scale: watch hours have no bound, and the prior has one."""
MIN_STEP: Final = 0.25
"""A change below this moves no title: each move is a new document, which both search engines index again."""
WATCH_DAYS: Final = 28
"""Days of watching that count, up to the end of the accepted batch of popularity."""
MAX_MOVED: Final = 500
"""Titles that one batch moves, the largest changes first. The next batch moves the others."""


def popularity_of(votes: int | None) -> float:
    """`log1p(votes)`.

    Ten times the votes add the same step at any size, so search can use popularity as a mild prior.
    """
    return math.log1p(max(votes or 0, 0))


def watched_popularity(watch_seconds: float) -> float:
    """What watching adds to `popularity_of`: `PER_WATCHED x log1p(hours)`; 0 for what is no number above zero."""
    if not 0 < watch_seconds < math.inf:
        return 0.0
    return PER_WATCHED * math.log1p(watch_seconds / 3600)
