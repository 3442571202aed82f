"""What the jobs over several days share: the sessions that they read, the catalogue, and the batch that they write."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from jobs.spark.job import Job, start_of
from jobs.spark.lake_files import SESSIONS, live_files
from marquee.stores.analytics import open_findings_writer, open_library
from marquee.stores.analytics.library import LibraryTitle
from marquee.stores.analytics.writing import BatchName, BatchTable, Row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SESSION_SCHEMA: Final = (
    "session_id string, day date, started_at_ms bigint, profile_id string, movie_id string, outcome string, "
    "watch_seconds double, duration_seconds double, max_position_seconds double, mean_kbps double, top_height bigint, "
    "is_preview boolean, is_robot boolean, sent_bytes bigint"
)
"""What these jobs read of a session (`jobs.spark.rules.SESSION_COLUMNS`)."""


def sessions_of_days(job: Job, days: int) -> "DataFrame":
    """The sessions of the last `days` days, the job's day included. A day without sessions is no error."""
    end = start_of(job.day) + timedelta(days=1)
    files = live_files(job, SESSIONS, end - timedelta(days=days), end)
    if not files:
        return job.spark.createDataFrame([], SESSION_SCHEMA)
    read = job.spark.read.schema(SESSION_SCHEMA).option("recursiveFileLookup", "true")
    return read.parquet(*[each.pattern for each in files])


def read_library(job: Job) -> list[LibraryTitle]:
    """All titles that are not deleted, those that more people know first."""

    async def read() -> list[LibraryTitle]:
        library = open_library(job.settings.database)
        try:
            return [title async for title in library.titles()]
        finally:
            await library.close()

    return asyncio.run(read())


def write_batch(job: Job, name: BatchName, tables: Mapping[BatchTable, Iterable[Row]]) -> int:
    """Write a batch of the events through the end of the job's day. Returns its number: whoever judges it accepts it by that."""

    async def write() -> int:
        writer = open_findings_writer(job.settings.database)
        try:
            return await writer.write_batch(name, start_of(job.day) + timedelta(days=1), tables)
        finally:
            await writer.close()

    return asyncio.run(write())
