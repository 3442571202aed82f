"""Popularity: how much a title's votes weigh in the order of rows and in search."""

import math


def popularity_of(votes: int | None) -> float:
    """`log1p(votes)`.

    Ten times the votes add the same step at any size, so search can use popularity as a mild prior.
    """
    return math.log1p(max(votes or 0, 0))
