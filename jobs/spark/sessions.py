"""`python -m jobs.spark.sessions --day 2026-11-30`: what viewers did on a day (UTC), from the lake's events.

Reads the live files of the day, of six hours before it, and of the time after it in which a session of the day may still be told
of (the life of its telemetry URL, a day). So a day is complete one day after its end. Writes the day of the lake's dataset
`sessions`, one row a playback session, and the day's facts in PostgreSQL (`daily_title`, `daily_profile`, `daily_quality`,
`daily_failure`, `daily_search`), each whole; the lake first, so that a kill between the two is put right by the next run. The
same day again gives the same; with late events, more. Facts are kept of a day of which the lake has no events any more,
or lacks a part: the job refuses to replace them without `--empty`. `--first` makes every day from that one on, one
after the other.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.spark.job import Figures, Job, run_job, start_of
from jobs.spark.poisoned import EventsUnusable
from marquee.stores.analytics import open_findings_writer, open_library
from marquee.stores.analytics.writing import DayTable, Row
from marquee.telemetry_token import life_seconds


def run(job: Job) -> Figures:
    from pyspark.sql import functions as f

    from jobs.spark import daily, rules
    from jobs.spark.events import EventsRead, frame_of
    from jobs.spark.lake_files import SESSIONS, live_files, replace_day

    start = start_of(job.day)
    end = start + timedelta(days=1)
    goes_on = timedelta(seconds=life_seconds(job.settings.stream_url_seconds))
    first_ms, end_ms = milliseconds(start), milliseconds(end)
    as_of_ms = time.time_ns() // 1_000_000
    files = live_files(job, "events", start - timedelta(hours=rules.BEFORE_HOURS), end + goes_on)
    read = EventsRead(job.spark, files)
    sessions = rules.sessions_of_day(
        read.frame, durations(job), first_ms=first_ms, end_ms=end_ms, as_of_ms=as_of_ms
    ).persist()
    table = sessions.toArrow()
    events = read.check()
    in_day = (f.col("at_ms") >= first_ms) & (f.col("at_ms") < end_ms)
    searches = daily.searches(frame_of(job.spark, files).where(in_day)).collect()
    facts: dict[DayTable, Iterable[Row]] = {
        "daily_title": _rows(daily.daily_title(sessions)),
        "daily_profile": _rows(daily.daily_profile(sessions)),
        "daily_quality": daily.with_whole_day(daily.daily_quality(sessions).collect()),
        "daily_failure": _rows(daily.daily_failure(sessions)),
        "daily_search": list(daily.by_folded_query(tuple(row) for row in searches)),
    }
    asyncio.run(_check_not_emptied(job, has_events=any(start <= file.hour < end for file in files)))
    replace_day(job, SESSIONS, start, table)
    written = asyncio.run(_write_day(job, facts))
    return {"files": len(files), "events": events, "sessions": table.num_rows, **written}


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def durations(job: Job) -> Any:
    """The frame (movie_id, duration_seconds) of the catalogue."""

    async def read() -> list[tuple[str, float]]:
        library = open_library(job.settings.database)
        try:
            return await library.durations()
        finally:
            await library.close()

    return job.spark.createDataFrame(asyncio.run(read()), "movie_id string, duration_seconds double")


def _rows(frame: Any) -> list[Row]:
    return [tuple(row) for row in frame.collect()]


async def _check_not_emptied(job: Job, *, has_events: bool) -> None:
    """Facts outlive the lake's events: a day of which the lake has nothing, or only a part, must not take their place."""
    days = job.settings.lake_days
    is_cut = days > 0 and start_of(job.day) < datetime.now(UTC) - timedelta(days=days)
    if job.options.get("empty") or (has_events and not is_cut):
        return
    writer = open_findings_writer(job.settings.database)
    try:
        if await writer.days_with_facts(job.day, job.day):
            lacks = f"keeps events for {days} days, so it lacks a part of" if is_cut else "has no events of"
            raise EventsUnusable(
                f"The lake {lacks} {job.day} and there are facts of that day, which are kept: check the lake's "
                "retention, or repeat the job with --empty to replace them by what is left."
            )
    finally:
        await writer.close()


async def _write_day(job: Job, facts: Mapping[DayTable, Iterable[Row]]) -> dict[str, int]:
    writer = open_findings_writer(job.settings.database)
    try:
        return {str(table): rows for table, rows in (await writer.write_day(job.day, facts)).items()}
    finally:
        await writer.close()


if __name__ == "__main__":
    raise SystemExit(
        run_job(
            "sessions",
            run,
            day_option="day",
            takes_several=True,
            flags={"empty": "replace the facts of a day of which the lake has no events, or only a part"},
        )
    )
