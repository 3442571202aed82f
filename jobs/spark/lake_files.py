"""Between the lake and Spark: which files a job reads, where Spark finds them, and how a derived day gets into the lake.

Spark on this host reads a folder as it is. Files of a bucket are copied into the run's folder first: the wheel of PySpark has no
client of S3. A cluster reads the bucket itself (`s3a://`), with the packages that docs/operating/spark.md names.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jobs.spark.events import EventFile
from jobs.spark.job import Job
from jobs.spark.session import is_local
from marquee.concurrency import gather_bounded
from marquee.stores.lake import LakeFile, open_lake

MAX_CONCURRENT_COPIES: Final = 8
SESSIONS: Final = "sessions"


def live_files(job: Job, dataset: str, start: datetime, end: datetime) -> list[EventFile]:
    """The live files of [start, end), where this job's Spark can read them."""
    return asyncio.run(_live_files(job, dataset, start, end))


async def _live_files(job: Job, dataset: str, start: datetime, end: datetime) -> list[EventFile]:
    lake = open_lake(job.settings)
    try:
        found = await lake.live_files(dataset, start, end)
        folder = job.folder / "copies"
        folder.mkdir(exist_ok=True)

        async def reachable(file: LakeFile) -> EventFile:
            uri = file.spark_uri
            if "://" in uri and is_local(job.settings.spark_master):
                local = folder / file.path.replace("/", "-")
                await lake.files.get_file(file.path, local)
                uri = str(local)
            return EventFile(uri, file.rows, file.size_bytes, file.hour)

        return list(await gather_bounded(reachable, found, max_concurrent=MAX_CONCURRENT_COPIES))
    finally:
        await lake.close()


def replace_day(job: Job, dataset: str, day: datetime, table: Any) -> None:
    """Make a pyarrow table the one content of a day of a derived dataset: one file, or none if it has no row."""
    import pyarrow.parquet as pq

    local: Path = job.folder / f"{dataset}.parquet"
    files: Sequence[Path] = []
    if table.num_rows:
        pq.write_table(table, local, compression="zstd")
        files = [local]
    asyncio.run(_replace(job, dataset, day, files))


async def _replace(job: Job, dataset: str, day: datetime, files: Sequence[Path]) -> None:
    lake = open_lake(job.settings)
    try:
        await lake.replace(dataset, day, files)
    finally:
        await lake.close()
