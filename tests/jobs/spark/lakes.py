"""A lake and a database for the jobs' tests: `store` writes events as the sink would, a file an hour."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from marquee.settings import Settings
from marquee.stores.lake import EVENTS, open_lake
from marquee.stores.lake.contract import NewFile
from marquee.stores.lake.event_columns import event_schema

TOPIC = "viewing-events"


def table_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=event_schema())


def store(settings: Settings, rows: Sequence[dict[str, Any]], folder: Path) -> list[str]:
    """Write the events into files by their hour, and list them. Returns the files' paths below the lake's URL."""
    hours: dict[datetime, list[dict[str, Any]]] = {}
    for row in rows:
        at = datetime.fromtimestamp(row["at_ms"] / 1000, UTC)
        hours.setdefault(at.replace(minute=0, second=0, microsecond=0), []).append(row)
    return [store_table(settings, table_of(mine), hour, folder) for hour, mine in sorted(hours.items())]


def store_table(settings: Settings, table: pa.Table, hour: datetime, folder: Path) -> str:
    local = folder / f"{secrets.token_hex(4)}.parquet"
    pq.write_table(table, local)
    return store_file(settings, local, hour, rows=table.num_rows)


def store_file(settings: Settings, local: Path, hour: datetime, *, rows: int) -> str:
    path = f"{EVENTS}/date={hour:%Y-%m-%d}/hour={hour:%H}/{local.name}"
    asyncio.run(_store(settings, local, NewFile(path, EVENTS, hour, rows, local.stat().st_size)))
    return path


async def _store(settings: Settings, local: Path, file: NewFile) -> None:
    lake = open_lake(settings)
    try:
        await lake.files.ensure()
        await lake.files.put_file(file.path, local)
        position = await lake.take_over(TOPIC)
        await lake.append([file], TOPIC, position, secrets.token_hex(4), erased=(await lake.erased()).number)
    finally:
        await lake.close()


def add_title(settings: Settings, movie_id: str, **fields: Any) -> None:
    values = {
        "movie_id": movie_id,
        "title": movie_id,
        "genres": ["Drama"],
        "people": [],
        "aka": [],
        "state": "playable",
        "revision": 1,
        "duration_seconds": 100.0,
        **fields,
    }
    names = ", ".join(values)
    with psycopg.connect(settings.database) as connection:
        connection.execute(
            f"INSERT INTO title ({names}) VALUES ({', '.join(['%s'] * len(values))})", list(values.values())
        )  # type: ignore[call-overload]


def ask(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.database) as connection:
        return connection.execute(sql).fetchall()  # type: ignore[call-overload,no-any-return]
