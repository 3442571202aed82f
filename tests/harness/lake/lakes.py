"""A lake with a database of its own, in a folder or in a bucket of the session's S3, and the rows of its live files."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from marquee.platform.s3_logins import LAKE_BUCKET
from marquee.settings import Settings
from marquee.stores.lake import EVENTS, open_lake
from marquee.stores.lake.contract import Lake


def lake_settings(server: Settings, database: str, url: str) -> Settings:
    return server.model_copy(update={"database_url": database, "lake_url": url})


def bucket_url(s3: Settings) -> str:
    """The lake's bucket in the S3 of the session; `opened` empties it."""
    return s3.objects.rsplit("/", 1)[0] + f"/{LAKE_BUCKET}"


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Lake]:
    """An empty one."""
    lake = open_lake(settings)
    try:
        await lake.files.ensure()
        await lake.files.delete([file.path async for file in lake.files.list()])
        yield lake
    finally:
        await lake.close()


async def live_rows(lake: Lake, folder: Path, dataset: str = EVENTS) -> list[dict[str, Any]]:
    """Every row of the live files, as a reader gets them: each file is fetched and read."""
    rows: list[dict[str, Any]] = []
    for file in await lake.live_files(dataset):
        local = folder / f"{secrets.token_hex(8)}.parquet"
        await lake.files.get_file(file.path, local)
        table = await asyncio.to_thread(pq.ParquetFile(local).read)
        assert table.num_rows == file.rows, f"the list says that {file.path} has {file.rows} rows"
        rows += table.to_pylist()
        local.unlink()
    return rows
