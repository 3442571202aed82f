"""How many rows are too few: a batch with half the volume is held back. Small numbers scatter, so they say nothing."""

import statistics
from collections.abc import Sequence
from typing import Final

SHARE: Final = 0.5
"""Below this share of what is usual a batch is held back."""
MIN_HOURS: Final = 3
"""So many hours of the past week must have events before they say what is usual."""
MIN_USUAL_ROWS: Final = 200
"""Less than this is an evening with few viewers."""
MIN_BATCH_ROWS: Final = 20


def fewest_events(past: Sequence[int]) -> int:
    """The fewest events that an hour may have. `past`: of the same hour on the days before. 0: nothing is known."""
    known = [rows for rows in past if rows]
    if len(known) < MIN_HOURS:
        return 0
    usual = statistics.median(known)
    return int(usual * SHARE) if usual >= MIN_USUAL_ROWS else 0


def fewest_rows(accepted: int, *, accept_smaller: bool = False) -> int:
    """The fewest rows of a batch that takes the place of one with `accepted` rows. `accept_smaller`: a person lets any pass."""
    return int(accepted * SHARE) if accepted >= MIN_BATCH_ROWS and not accept_smaller else 0
