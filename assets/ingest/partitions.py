"""The chain's partitions (one for each title), and the tags, owners, pool and retry policy that all its assets share.

A partition's key is the title's movie_id. The sensor `uploads` adds it.
"""

from typing import Final

import dagster as dg

titles = dg.DynamicPartitionsDefinition(name="titles")

UPLOAD_TAG: Final = "marquee/upload_id"
VERSION_TAG: Final = "marquee/version"

OWNERS: Final = ["team:ingest"]

FFMPEG: Final = "ffmpeg"
"""Pool of the stages that call ffmpeg in the run itself. `MARQUEE_FFMPEG_SLOTS` of them run at once, over all runs."""

OUTAGE_RETRY = dg.RetryPolicy(max_retries=6, delay=1, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""A step waits about a minute in all: every engine of the platform restarts within that time."""
