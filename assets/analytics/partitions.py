"""The partitions of analytics (UTC hours and days), and the owners, tags and bounds that its assets share.

The hour and the day that are not over have a partition too: a person may run them at any time, and the schedules run them
again.
"""

from datetime import timedelta
from typing import Final

import dagster as dg

from marquee.domain.analytics_days import FIRST_DAY

hours = dg.HourlyPartitionsDefinition(start_date=f"{FIRST_DAY}-00:00", end_offset=1)
days = dg.DailyPartitionsDefinition(start_date=f"{FIRST_DAY}", end_offset=1)

OWNERS: Final = ["team:analytics"]

FRESH_HOUR = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=4), warn_window=timedelta(hours=2))
"""An hour is judged ten minutes after its end."""
FRESH_DAY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=30), warn_window=timedelta(hours=26))
"""A day's chain begins half an hour after midnight UTC: what people see is of yesterday, never older than 30 hours."""

STORE_RETRY = dg.RetryPolicy(max_retries=4, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""About half a minute in all: every engine of the platform restarts within that time."""
