"""The schedules of analytics, both running from the first start on. Each hour is judged 10 minutes after its end. At 00:30 UTC
the chain of yesterday runs, and before it the assets of a day alone for each older day whose events have changed. They start
nothing where the extra `analytics` is not installed, or the lake has no events to look at.
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

LATE: Final = timedelta(days=7)
"""An event that comes later than this is distrusted (`suites.MAX_AGE_MS`), and does not start a run."""
DAY_ASSETS: Final = ("event_day", "sessions")
"""What an older day needs: its check, its sessions, its facts. The batches and marts of the night read those."""
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
    description="Runs the chain of the day that has ended. Before it: the sessions and facts of older days with late events.",
)
def day_after_midnight(
    context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]
) -> list[dg.RunRequest] | dg.SkipReason:
    """Batches and marts are made once a night, from the facts of all days.

    The older days come first. Dagster's queue takes runs of one priority in the order in which they were asked for. A day that is
    held back does not hold up the next one.
    """
    tick = _tick(context)
    end = tick.replace(hour=0, minute=0)
    yesterday = end - timedelta(days=1)
    if skipped := _skip(settings, yesterday, end):
        return skipped
    older = asyncio.run(changed_days(settings, since=tick - timedelta(days=1), before=yesterday))
    return [
        *(
            dg.RunRequest(
                run_key=f"{day:%Y-%m-%d} after {end:%Y-%m-%d}",
                partition_key=f"{day:%Y-%m-%d}",
                asset_selection=[dg.AssetKey(name) for name in DAY_ASSETS],
            )
            for day in older
        ),
        dg.RunRequest(run_key=f"{yesterday:%Y-%m-%d} after {end:%Y-%m-%d}", partition_key=f"{yesterday:%Y-%m-%d}"),
    ]


async def changed_days(settings: Settings, *, since: datetime, before: datetime) -> list[datetime]:
    """The days before `before`, of the last week, whose events have changed since a moment: the oldest first.

    A session that began before midnight has events of the next day too. So a new file changes the day of its hour and the day
    before. Of an ordinary night that is the day before yesterday: its last sessions are complete now.
    """
    async with opened_lake(settings) as lake:
        files = await lake.live_files(EVENTS, before - LATE, before + timedelta(days=1))
    hours = [file.hour.astimezone(UTC) for file in files if file.created_at >= since]
    days = {hour.replace(hour=0) - timedelta(days=age) for hour in hours for age in (0, 1)}
    return sorted(day for day in days if before - LATE <= day < before)


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
