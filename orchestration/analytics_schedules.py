"""The schedules of analytics, both running from the first start on. Each hour is judged 10 minutes after its end. At 00:30 UTC
the chain of the day before yesterday runs again, then that of yesterday. They start nothing where the extra `analytics` is not
installed, or the lake has no events to look at.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from assets.analytics.lake_hours import PAST_DAYS, opened_lake
from marquee.analytics_extra import missing_packages, told_missing
from marquee.settings import Settings
from marquee.stores.lake import EVENTS
from orchestration.analytics_jobs import analytics_day, analytics_hour

LOOK_BACK: Final = timedelta(days=PAST_DAYS)
"""An hour without events after a week with some is a fault to be found, and no reason to skip."""


@dg.schedule(
    job=analytics_hour,
    cron_schedule="10 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Judges the hour that has ended.",
)
def hour_after_its_end(
    context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.RunRequest | dg.SkipReason:
    start = _tick(context).replace(minute=0) - timedelta(hours=1)
    return _skip(settings, start, start + timedelta(hours=1)) or dg.RunRequest(
        run_key=f"{start:%Y-%m-%d-%H}", partition_key=f"{start:%Y-%m-%d-%H:00}"
    )


@dg.schedule(
    job=analytics_day,
    cron_schedule="30 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Runs the chain of the day before yesterday again, which is complete now, then of the day that has ended.",
)
def day_after_midnight(
    context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]
) -> list[dg.RunRequest] | dg.SkipReason:
    """Two days: sessions over midnight and late events are complete one day after a day's end.

    The older day comes first. Dagster's queue takes runs of one priority in the order in which they were asked for, so viewers
    end with the newest day.
    """
    end = _tick(context).replace(hour=0, minute=0)
    if skipped := _skip(settings, end - timedelta(days=1), end):
        return skipped
    return [
        dg.RunRequest(run_key=f"{day:%Y-%m-%d} after {end:%Y-%m-%d}", partition_key=f"{day:%Y-%m-%d}")
        for day in (end - timedelta(days=2), end - timedelta(days=1))
    ]


def _tick(context: dg.ScheduleEvaluationContext) -> datetime:
    return context.scheduled_execution_time.astimezone(UTC).replace(second=0, microsecond=0)


def _skip(settings: Settings, start: datetime, end: datetime) -> dg.SkipReason | None:
    if missing := missing_packages():
        return dg.SkipReason(told_missing(missing))
    if not asyncio.run(_has_events(settings, start - LOOK_BACK, end)):
        return dg.SkipReason(f"The lake has no events of the {PAST_DAYS} days before: nobody has watched anything.")
    return None


async def _has_events(settings: Settings, start: datetime, end: datetime) -> bool:
    async with opened_lake(settings) as lake:
        return bool(await lake.live_files(EVENTS, start, end))
