"""What the job `sessions` costs for a day of many events: seconds, processor seconds and memory, the JVM included.

`python -m bench.spark [--events 1000000 ...] [--duckdb]`. The events are made here and written as the sink writes them, 24 files
of an hour each: sessions of 40 events, one title with a tenth of them. The job is a process of its own, as in production, from
the list of files to the facts in PostgreSQL, which is started here. With `--duckdb` the same facts by sessions (counts, startup
percentiles, rebuffer ratio, watch seconds by title) are also asked of DuckDB on the same files. The last line is one JSON object:
each figure by the number of events.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np

from marquee.platform import local_engines
from marquee.settings import Settings
from marquee.stores.lake import EVENTS, open_lake
from marquee.stores.lake.contract import NewFile
from marquee.stores.lake.event_columns import event_schema
from marquee.stores.schema.migrate import migrate
from tests.harness.servers import make_test_settings, running

DAY: Final = datetime(2026, 11, 30, tzinfo=UTC)
EVENTS_PER_SESSION: Final = 40
TITLES: Final = 5000
SECONDS: Final = 3600.0
"""Limit of one job."""

KINDS: Final = (
    "attempt",
    "first_frame",
    "rendition",
    "rendition",
    "stall_begin",
    "stall_end",
    *["heartbeat"] * 33,
    "exit",
)
DUCKDB: Final = """
    WITH once AS (SELECT DISTINCT ON (session_id, event_id) * FROM read_parquet({files}) WHERE session_id IS NOT NULL
                  ORDER BY session_id, event_id, received_at_ms, at_ms, source),
    sessions AS (
        SELECT session_id, any_value(movie_id) AS movie_id, any_value(profile_id) AS profile_id,
            min(at_ms) FILTER (kind = 'first_frame') IS NOT NULL AS played,
            arg_min(duration_ms, (at_ms, coalesce(seq, -1), event_id)) FILTER (kind = 'first_frame' AND duration_ms >= 0)
                AS startup_ms,
            sum(duration_ms) FILTER (kind = 'stall_end') / 1000 AS stall_seconds, sum(watched_ms) / 1000 AS watch_seconds,
            max(position_seconds) AS position
        FROM once GROUP BY session_id)
    SELECT movie_id, count(*), count(*) FILTER (played), count(DISTINCT profile_id), quantile_cont(startup_ms, 0.5),
        quantile_cont(startup_ms, 0.95), sum(stall_seconds) / sum(stall_seconds + watch_seconds), sum(watch_seconds)
    FROM sessions GROUP BY movie_id
"""
"""Less than the job does: no bitrates by time, no seeks, no cuts. So the ratio is an upper bound of DuckDB's advantage."""


def hour_of_events(hour: int, sessions: int) -> Any:
    """A pyarrow table of the events of sessions that begin in this hour."""
    import pyarrow as pa

    draws = np.random.default_rng(hour)
    rows = sessions * EVENTS_PER_SESSION
    session = np.repeat(np.arange(sessions), EVENTS_PER_SESSION)
    number = np.tile(np.arange(EVENTS_PER_SESSION), sessions)
    begin_ms = int((DAY + timedelta(hours=hour)).timestamp() * 1000) + draws.integers(0, 3_000_000, sessions)
    at_ms = begin_ms[session] + number * 10_000
    title = np.where(draws.random(sessions) < 0.1, 0, draws.integers(0, TITLES, sessions))
    kinds = np.array(KINDS)[number]
    is_of = {kind: kinds == kind for kind in set(KINDS)}
    watched = np.where(is_of["heartbeat"] | is_of["exit"], 10_000, 0)
    duration = np.where(is_of["first_frame"], draws.integers(300, 6000, rows), 1500)
    columns: dict[str, Any] = {
        "event_id": pa.array(np.char.add(f"e{hour}-", np.arange(rows).astype(str))),
        "kind": pa.array(kinds),
        "source": pa.array(np.full(rows, "client")),
        "at_ms": pa.array(at_ms),
        "received_at_ms": pa.array(at_ms + 50),
        "seq": pa.array(number),
        "session_id": pa.array(np.char.add(f"v_{hour}-", session.astype(str))),
        "profile_id": pa.array(np.char.add("p_", draws.integers(0, 1 + sessions // 2, sessions).astype(str))[session]),
        "movie_id": pa.array(np.char.add("m_", title.astype(str))[session]),
        "device": pa.array(np.array(["tv", "phone", "desktop"])[session % 3]),
        "player": pa.array(np.full(rows, "web")),
        "position_seconds": pa.array(number * 10.0),
        "duration_ms": pa.array(duration, mask=~(is_of["first_frame"] | is_of["stall_end"])),
        "watched_ms": pa.array(watched, mask=watched == 0),
        "height": pa.array(np.where(number == 2, 360, 720), mask=~is_of["rendition"]),
        "kbps": pa.array(np.where(number == 2, 800, 2800), mask=~is_of["rendition"]),
    }
    schema = event_schema()
    return pa.table(
        [
            columns[field.name].cast(field.type) if field.name in columns else pa.nulls(rows, field.type)
            for field in schema
        ],
        schema=schema,
    )


async def fill_lake(settings: Settings, events: int, folder: Path) -> list[str]:
    """A day of about `events` events, a file an hour. Returns where the files are."""
    import pyarrow.parquet as pq

    lake = open_lake(settings)
    try:
        await lake.files.ensure()
        position = await lake.take_over("viewing-events")
        files = []
        for hour in range(24):
            local = folder / f"hour-{hour:02d}.parquet"
            table = hour_of_events(hour, max(1, events // 24 // EVENTS_PER_SESSION))
            pq.write_table(table, local, compression="zstd")
            at = DAY + timedelta(hours=hour)
            path = f"{EVENTS}/date={at:%Y-%m-%d}/hour={hour:02d}/{local.name}"
            await lake.files.put_file(path, local)
            files.append(NewFile(path, EVENTS, at, table.num_rows, local.stat().st_size))
            local.unlink()
        await lake.append(files, "viewing-events", position, "1", erased=(await lake.erased()).number)
        return [file.uri for file in await lake.live_files(EVENTS)]
    finally:
        await lake.close()


@contextmanager
def lake_of(events: int) -> Iterator[tuple[Settings, list[str]]]:
    """PostgreSQL, and a lake with a day of events."""
    with tempfile.TemporaryDirectory(prefix="marquee-spark-") as name:
        folder = Path(name)
        settings = make_test_settings(folder / "state")
        settings.state.mkdir()
        with running(local_engines.postgres(settings), settings.state):
            migrate(settings.database)
            yield settings, asyncio.run(fill_lake(settings, events, folder))


def run_sessions(settings: Settings, **environment: str) -> dict[str, Any]:
    """The job's own figures. Raises RuntimeError with its log if it fails."""
    told = {
        "MARQUEE_STATE": str(settings.state),
        "MARQUEE_DATABASE_URL": settings.database,
        "MARQUEE_LAKE_URL": settings.lake,
        "PATH": "/usr/bin:/bin",
        **environment,
    }
    command = [sys.executable, "-m", "jobs.spark.sessions", "--day", f"{DAY:%Y-%m-%d}"]
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"the job failed: {done.stderr[-3000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def by_duckdb(files: list[str]) -> dict[str, float]:
    """Seconds and processor seconds of the query in DuckDB."""
    began, used = time.perf_counter(), time.process_time()
    duckdb.sql(DUCKDB.format(files=json.dumps(files).replace('"', "'"))).fetchall()
    return {
        "duckdb_seconds": round(time.perf_counter() - began, 2),
        "duckdb_cpu_seconds": round(time.process_time() - used, 2),
    }


def measure(events: int = 1_000_000, *, compared: bool = False) -> dict[str, float]:
    """`spark_seconds`, `spark_cpu_seconds` and `spark_memory_bytes` of the job `sessions` for a day of so many events."""
    with lake_of(events) as (settings, files):
        figures = run_sessions(settings)
        found = {name: figures[name] for name in ("events", "spark_seconds", "spark_cpu_seconds", "spark_memory_bytes")}
        return found | (by_duckdb(files) if compared else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--duckdb", action="store_true")
    asked = parser.parse_args()
    found = {str(events): measure(events, compared=asked.duckdb) for events in asked.events}
    names = dict.fromkeys(name for figures in found.values() for name in figures)
    sys.stdout.write(json.dumps({name: {events: found[events][name] for events in found} for name in names}) + "\n")


if __name__ == "__main__":
    main()
