"""Popularity: how much a title's votes weigh in rows and search."""

import math


def popularity_of(votes: int | None) -> float:
    """`log1p(votes)`: tenfold votes add the same step everywhere, so that search may use it as a mild prior."""
    return math.log1p(max(votes or 0, 0))
