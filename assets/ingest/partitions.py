"""The chain's partitions: one a title, named by its movie_id, added by the `uploads` sensor."""

from typing import Final

import dagster as dg

titles = dg.DynamicPartitionsDefinition(name="titles")

UPLOAD_TAG: Final = "marquee/upload_id"
VERSION_TAG: Final = "marquee/version"
PRIORITY_TAG: Final = "marquee/priority"
"""`release` (hot titles) or `backfill`: Dagster's run queue keeps slots for releases by this tag."""

OWNERS: Final = ["team:ingest"]

FFMPEG: Final = "ffmpeg"
"""The pool of the stages that call ffmpeg in the run itself: `MARQUEE_FFMPEG_SLOTS` of them at once, over all runs."""

PATIENCE = dg.RetryPolicy(max_retries=6, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""A minute of waiting in all: every engine of the platform restarts within it."""
