"""The lake's events of an hour, as assets and checks see them: the files of the list, and a frame of the columns that are
judged.

Files are copied into a work folder, so that a folder and S3 are read in one way. At most `MAX_ROWS` rows are held in
memory: of a larger hour the first files are judged, and the metadata says so. `pyarrow` and `pandas` are imported when an
hour is read.
"""

import contextlib
import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from marquee.errors import ObjectMissing
from marquee.ingest.work_folder import work_folder
from marquee.settings import Settings
from marquee.stores.lake import EVENTS, Lake, LakeFile, open_lake

MAX_ROWS: Final = 2_000_000
PAST_DAYS: Final = 7
COLUMNS: Final = (
    *("event_id", "kind", "source", "session_id", "movie_id", "at_ms", "received_at_ms"),
    *("duration_ms", "watched_ms", "position_seconds"),
)


@dataclass(frozen=True)
class Hour:
    """`unreadable`: files that are not Parquet, or not there, with the reason. `rows`: as the list says."""

    start: datetime
    files: Sequence[LakeFile]
    frame: Any
    """A `pandas.DataFrame` with `COLUMNS` and `age_ms`."""
    unreadable: Sequence[str]

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def start_ms(self) -> int:
        return int(self.start.timestamp() * 1000)


@asynccontextmanager
async def opened_lake(settings: Settings) -> AsyncIterator[Lake]:
    lake = open_lake(settings)
    try:
        yield lake
    finally:
        await lake.close()


async def past_rows(lake: Lake, start: datetime) -> list[int]:
    """The events of the same hour on each of the days before."""
    found = []
    for day in range(1, PAST_DAYS + 1):
        at = start - timedelta(days=day)
        found.append(sum(file.rows for file in await lake.live_files(EVENTS, at, at + timedelta(hours=1))))
    return found


async def read_hour(settings: Settings, lake: Lake, start: datetime) -> Hour:
    files = await lake.live_files(EVENTS, start, start + timedelta(hours=1))
    pandas, parquet = importlib.import_module("pandas"), importlib.import_module("pyarrow.parquet")
    arrow = importlib.import_module("pyarrow")
    tables, unreadable, rows = [], [], 0
    async with work_folder(settings.state, "event-hour") as folder:
        for number, file in enumerate(files):
            if rows >= MAX_ROWS:
                break
            local = folder / f"{number}.parquet"
            try:
                await lake.files.get_file(file.path, local)
                tables.append(_columns(arrow, parquet, local))
                rows += tables[-1].num_rows
            except (arrow.ArrowException, OSError, ObjectMissing) as error:
                unreadable.append(f"{file.path}: {_first_line(error)}")
            with contextlib.suppress(FileNotFoundError):
                local.unlink()
    frame = arrow.concat_tables(tables).to_pandas() if tables else pandas.DataFrame({name: [] for name in COLUMNS})
    frame["age_ms"] = frame["received_at_ms"] - frame["at_ms"]
    return Hour(start, files, frame, unreadable)


def _columns(arrow: Any, parquet: Any, path: Path) -> Any:
    """The judged columns of a file. A column that an older file does not have is null."""
    found = parquet.ParquetFile(path)
    known = [name for name in COLUMNS if name in found.schema_arrow.names]
    read = found.read(columns=known)
    kinds = {"position_seconds": arrow.float64()}
    columns = [
        read.column(name).cast(kind) if name in known else arrow.nulls(read.num_rows, kind)
        for name in COLUMNS
        for kind in [kinds.get(name, arrow.int64() if name.endswith("_ms") else arrow.string())]
    ]
    return arrow.table(columns, names=list(COLUMNS))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
