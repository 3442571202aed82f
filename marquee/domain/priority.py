"""Which work goes first: a title that viewers wait for (`release`), or one that can wait (`backfill`).

The upload says whether its title is hot. The job queue orders chunks by this word. Every run of the chain has it as the tag
`PRIORITY_TAG`, and Dagster's run queue bounds the runs with `BACKFILL`, so that slots stay free for releases.
"""

from typing import Final, Literal

Priority = Literal["release", "backfill"]
RELEASE: Final = "release"
BACKFILL: Final = "backfill"
PRIORITY_TAG: Final = "marquee/priority"
"""Tag of every run of the chain. Its value is a `Priority`."""

ANALYTICS_TAG: Final = "marquee/analytics"
ANALYTICS_RUN: Final = "one-at-a-time"
"""Tag and value of the runs of analytics: Dagster's queue starts one of them at a time."""


def priority_of(hot: bool) -> Priority:
    return RELEASE if hot else BACKFILL
