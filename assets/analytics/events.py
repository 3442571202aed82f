"""Assets `event_hour` and `event_day`: the lake's events of an hour and of a day (UTC), and the checks that hold bad ones
back.

They write nothing: `jobs/event_sink` has written the files. The checks judge the rows (`suites`) and the volume against the
same hour of the past week (`marquee.domain.volume`). A day is as good as its hours: one bad hour stops the day's chain, and
viewers keep yesterday's rows. An engineer who has looked at an hour lets it pass by the check's configuration
`accepted_hours`.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import dagster as dg
from pydantic import Field

from assets.analytics import suites
from assets.analytics.installed import require_analytics
from assets.analytics.judging import Docs, Found, Subject, Verdict, judge
from assets.analytics.lake_hours import Hour, opened_lake, past_rows, read_hour
from assets.analytics.partitions import FRESH_DAY, FRESH_HOUR, OWNERS, STORE_RETRY, days, hours
from marquee.domain.volume import fewest_events
from marquee.settings import Settings
from marquee.stores.lake import EVENTS, LakeFile

ON_THE_WAY: Final = timedelta(minutes=10)
"""From a player to the lake, with what a phone holds back."""


@dg.asset(partitions_def=hours, kinds={"parquet"}, owners=OWNERS, retry_policy=STORE_RETRY, freshness_policy=FRESH_HOUR)
async def event_hour(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """The viewing events of one hour (UTC) that are in the lake, by the lake's list of live files.

    An event belongs to the hour in which it happened. Late ones arrive here days later: run the hour again to see them.
    """
    window = context.partition_time_window
    files = await _files(settings, window.start, window.end)
    return dg.MaterializeResult(metadata=_metadata(files))


@dg.asset(
    deps=[event_hour],
    partitions_def=days,
    backfill_policy=dg.BackfillPolicy.single_run(),
    kinds={"parquet"},
    owners=OWNERS,
    retry_policy=STORE_RETRY,
    freshness_policy=FRESH_DAY,
)
async def event_day(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """The viewing events of one day (UTC). The day's sessions are made of them once every hour of the day is accepted."""
    window = context.partition_time_window
    files = await _files(settings, window.start, window.end)
    return dg.MaterializeResult(metadata={**_metadata(files), "hours": len({file.hour for file in files})})


@dg.asset_check(asset=event_hour, blocking=True, retry_policy=STORE_RETRY)  # type: ignore[arg-type]
async def hour_is_sound(
    context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """The hour has the usual number of events, and they are whole: keys, kinds, times and durations."""
    require_analytics("great_expectations", "pyarrow")
    verdict = await _judged_hour(settings, _start(context.partition_key, "%Y-%m-%d-%H:%M"))
    return verdict.check_result()


class AcceptedHours(dg.Config):
    accepted_hours: list[int] = Field(
        default=[],
        description="Hours of the day (0 to 23, UTC) that a person has looked at and lets pass as they are. "
        "In a run of several days: of each of them.",
    )


@dg.asset_check(asset=event_day, blocking=True, retry_policy=STORE_RETRY)  # type: ignore[arg-type]
async def day_is_sound(
    context: dg.AssetCheckExecutionContext, config: AcceptedHours, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Every hour of the day is sound, or is one of `accepted_hours`. The volume of an hour that goes on is not judged."""
    require_analytics("great_expectations", "pyarrow")
    first, last = (_start(key, "%Y-%m-%d") for key in _ends(context))
    verdicts = []
    for number in range(24 * ((last - first).days + 1)):
        at = first + timedelta(hours=number)
        if at.hour not in config.accepted_hours and at < datetime.now(at.tzinfo):
            verdicts.append((at, await _judged_hour(settings, at, docs="of failures")))
    return _days(verdicts).check_result()


def _ends(context: dg.AssetCheckExecutionContext) -> tuple[str, str]:
    """The first and the last day of the run."""
    days_ = context.partition_key_range
    return days_.start, days_.end


def _days(verdicts: Sequence[tuple[datetime, Verdict]]) -> Verdict:
    """One line an hour with events; of bad hours, a line an expectation that is not met."""
    found, docs = [], None
    several = len({at.date() for at, _ in verdicts}) > 1
    for at, verdict in verdicts:
        hour = f"{at:%Y-%m-%d %H}:00" if several else f"{at:%H}:00"
        if not verdict.failures:
            found.append(Found(hour, is_met=True, observed=f"{verdict.metadata.get('events', 0)} events"))
            continue
        docs = docs or verdict.docs
        found += [
            Found(f"{hour}: {one.sentence}", is_met=False, observed=one.observed, sample=one.sample)
            for one in verdict.failures
        ]
    return Verdict(found, docs)


async def _judged_hour(settings: Settings, start: datetime, *, docs: Docs = "always") -> Verdict:
    async with opened_lake(settings) as lake:
        hour = await read_hour(settings, lake, start)
        # An hour that is not over, or whose last events are still on their way, has fewer: its volume says nothing yet.
        is_over = datetime.now(start.tzinfo) >= start + timedelta(hours=1) + ON_THE_WAY
        past = await past_rows(lake, start) if is_over else []
    return await asyncio.to_thread(judge_hour, settings, hour, past, docs=docs)


def judge_hour(settings: Settings, hour: Hour, past: Sequence[int], *, docs: Docs = "always") -> Verdict:
    """Judge the volume and the rows of an hour. `past`: rows of the same hour on the days before."""
    fewest = fewest_events(past)
    told = {"events": hour.rows, "events_looked_at": len(hour.frame), "fewest_events": fewest}
    if not hour.files and not fewest:
        return Verdict([Found("An hour without events is usual", is_met=True, observed="0 events")], metadata=told)
    readable = Found(
        "Every file can be read", not hour.unreadable, "; ".join(hour.unreadable[:3]) or f"{len(hour.files)} files"
    )
    subjects = [Subject("volume", _one_row(hour.rows), (), suites.hour_volume(fewest))]
    if len(hour.frame):
        frame, keys = hour.frame, ("event_id", "kind", "session_id")
        of_sessions = frame[~frame["kind"].isin(suites.NO_SESSION)]
        subjects += [Subject("events", frame, keys, suites.events_of_hour(hour.start_ms, len(frame)))]
        if len(of_sessions):
            subjects += [Subject("events_of_sessions", of_sessions, keys, suites.events_of_sessions(len(of_sessions)))]
    verdict = judge(settings, f"hours/{hour.start:%Y-%m-%d-%H}", subjects, docs=docs)
    return Verdict([readable, *verdict.found], verdict.docs, told)


def _one_row(rows: int) -> object:
    import pandas

    return pandas.DataFrame({"rows": [rows]})


async def _files(settings: Settings, start: datetime, end: datetime) -> list[LakeFile]:
    async with opened_lake(settings) as lake:
        return await lake.live_files(EVENTS, start, end)


def _metadata(files: Sequence[LakeFile]) -> dict[str, dg.MetadataValue | int | str]:
    told: dict[str, dg.MetadataValue | int | str] = {
        "dagster/row_count": sum(file.rows for file in files),
        "files": len(files),
        "bytes": sum(file.size_bytes for file in files),
    }
    if files:
        told["newest_file"] = max(file.created_at for file in files).isoformat(timespec="seconds")
    return told


def _start(partition_key: str, form: str) -> datetime:
    return datetime.strptime(f"{partition_key} +0000", f"{form} %z")
