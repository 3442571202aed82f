"""Compaction, erasure, retention and sweeping: rows are neither lost nor doubled, whatever happens at once."""

import asyncio
import os
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.ingest.lake.compaction import LARGE_BYTES, compact, mergeable
from marquee.ingest.lake.erasure import erase_asked, forget_finished
from marquee.ingest.lake.sweep import delete_retired, retire_old, sweep_unlisted
from marquee.settings import Settings
from marquee.stores.lake.contract import EVENTS, Lake, LakeFile, NewFile, Position
from marquee.stores.lake.paths import new_path
from tests.harness.lake.events import HOUR, batch
from tests.harness.lake.lakes import live_rows

TOPIC = "t"
GONE, STAYS = "p_gone", "p_stays"


class Writer:
    """Appends files as the sink does: without rows of profiles whose erasure was asked for."""

    def __init__(self, lake: Lake) -> None:
        self.lake, self.position = lake, Position(None, 0, datetime.now(UTC))
        self.written: list[str] = []

    async def write(self, tables: Sequence[pa.Table], *, hour: datetime = HOUR) -> None:
        if not self.position.generation:
            self.position = await self.lake.take_over(TOPIC)
        files = [await self._stored(table, hour) for table in tables]
        cursor = secrets.token_hex(4)
        await self.lake.append(files, TOPIC, self.position, cursor, erased=(await self.lake.erased()).number)
        self.position = Position(cursor, self.position.generation, self.position.written_at)
        self.written += [name for table in tables for name in table.column("event_id").to_pylist()]

    async def _stored(self, table: pa.Table, hour: datetime) -> NewFile:
        path, buffer = new_path(EVENTS, hour), pa.BufferOutputStream()
        pq.write_table(table, buffer)
        body = memoryview(buffer.getvalue())
        await self.lake.files.put(path, body)
        return NewFile(path, EVENTS, hour, table.num_rows, len(body))


@pytest.fixture
def writer(lake: Lake) -> Writer:
    return Writer(lake)


async def names(lake: Lake, folder: Path) -> Counter[str]:
    return Counter(row["event_id"] for row in await live_rows(lake, folder))


async def test_the_small_files_of_a_quiet_hour_become_one(
    lake: Lake, where: Settings, writer: Writer, tmp_path: Path
) -> None:
    older = batch(5, first=100).drop_columns(["watched_ms"])
    newer = batch(5, first=200).append_column("battery", pa.array(["full"] * 5))
    await writer.write([batch(3, first=10 * n) for n in range(4)])
    await writer.write([older, newer])
    await writer.write([batch(2, first=500)], hour=HOUR + timedelta(hours=1))
    assert await compact(lake, where.state, quiet_seconds=3600) == 0, "the hour is not quiet yet"
    assert await compact(lake, where.state, quiet_seconds=0) == 6
    assert await compact(lake, where.state, quiet_seconds=0) == 0
    assert [file.rows for file in await lake.live_files(EVENTS)] == [22, 2]
    rows = {row["event_id"]: row for row in await live_rows(lake, tmp_path)}
    assert sorted(rows) == sorted(writer.written)
    assert rows["e_100"]["watched_ms"] is None
    assert rows["e_200"]["battery"] == "full", "a column of a newer version was lost"
    assert rows["e_0"]["battery"] is None


FILES = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 2 * LARGE_BYTES), st.integers(0, 100)), max_size=12)


@given(FILES)
def test_groups_are_of_one_quiet_hour_and_about_one_large_file(found: list[tuple[int, int, int]]) -> None:
    live = [
        LakeFile(str(n), EVENTS, HOUR + timedelta(hours=hour), 1, size, str(n), HOUR + timedelta(minutes=minute))
        for n, (hour, size, minute) in enumerate(found)
    ]
    quiet_since = HOUR + timedelta(minutes=50)
    seen: set[str] = set()
    for group in mergeable(live, quiet_since):
        assert len(group) > 1
        assert len({file.hour for file in group}) == 1
        assert sum(file.size_bytes for file in group) <= LARGE_BYTES
        assert not seen & {file.path for file in group}, "a file is in two groups"
        seen |= {file.path for file in group}
    for file in live:
        small = [each for each in live if each.hour == file.hour and each.size_bytes < LARGE_BYTES / 8]
        is_quiet = all(each.created_at <= quiet_since for each in live if each.hour == file.hour)
        if is_quiet and len(small) > 1 and file in small and len(small) < 8:
            assert file.path in seen, "a small file of a quiet hour is in no group"


async def test_an_erased_profile_is_in_no_live_file_and_after_the_grace_in_no_file_at_all(
    lake: Lake, where: Settings, writer: Writer, tmp_path: Path
) -> None:
    await writer.write(
        [batch(5, profile_id=GONE), batch(5, first=5, profile_id=STAYS), batch(3, first=20, profile_id=None)]
    )
    mixed = pa.concat_tables([batch(2, first=30, profile_id=GONE), batch(2, first=40, profile_id=STAYS)])
    await writer.write([mixed], hour=HOUR + timedelta(hours=5))
    pq.write_table(mixed, tmp_path / "sessions.parquet")
    await lake.replace("sessions", HOUR, [tmp_path / "sessions.parquet"])
    pq.write_table(pa.table({"title": ["x"]}), tmp_path / "titles.parquet")
    await lake.replace("titles", HOUR, [tmp_path / "titles.parquet"])
    await lake.ask_erasure(GONE)
    assert (await erase_asked(lake, where.state)).rows == 5 + 2 + 2
    for dataset in (EVENTS, "sessions"):
        assert GONE not in {row["profile_id"] for row in await live_rows(lake, tmp_path, dataset)}
    assert len(await live_rows(lake, tmp_path)) == 5 + 3 + 2
    assert len(await live_rows(lake, tmp_path, "titles")) == 1
    assert (await erase_asked(lake, where.state)).rows == 0
    assert await delete_retired(lake, retired_seconds=3600) == 0
    assert await delete_retired(lake, retired_seconds=0) == 3
    left = [Path(lake.files.uri(file.path)).read_bytes() async for file in lake.files.list()]
    assert not any(GONE.encode() in body for body in left), "an erased id is still on the disk"
    # A job that had read the old files brings the rows back: the next round removes them again.
    await lake.replace("sessions", HOUR, [tmp_path / "sessions.parquet"])
    assert (await erase_asked(lake, where.state, recheck_seconds=3600)).rows == 0, "it was looked at just now"
    assert (await erase_asked(lake, where.state)).rows == 2
    assert await forget_finished(lake) == 0, "the event log may still have events of it"


async def test_a_damaged_file_holds_up_no_erasure_and_is_named(
    lake: Lake, where: Settings, writer: Writer, tmp_path: Path
) -> None:
    await writer.write([batch(3, profile_id=GONE)])
    await writer.write([batch(4, first=10, profile_id=GONE)], hour=HOUR + timedelta(hours=1))
    damaged = (await lake.live_files(EVENTS))[0]
    Path(damaged.uri).write_bytes(b"PAR1, and nothing that follows is Parquet")
    with psycopg.connect(where.database) as connection:
        connection.execute(
            "INSERT INTO daily_profile (day, profile_id, titles, watch_seconds) VALUES ('2026-11-30', %s, 1, 2)", [GONE]
        )
    await lake.ask_erasure(GONE)
    erased = await erase_asked(lake, where.state)
    assert (erased.rows, erased.unreadable) == (4, (damaged.path,))
    assert (await lake.erasures())[0].waits_for_lake, "an erasure counts as done, and a file was not searched"
    assert await lake.delete_findings([GONE]) == 0, "what analytics found of the profile stays"
    assert (await erase_asked(lake, where.state, search_all=True)).unreadable == (damaged.path,)
    # From a backup: its rows go with the next round.
    pq.write_table(batch(3, profile_id=GONE), damaged.uri)
    assert (await erase_asked(lake, where.state)) == (3, ())
    assert not (await lake.erasures())[0].waits_for_lake


async def test_old_hours_go_and_the_files_after_their_grace(lake: Lake, writer: Writer, tmp_path: Path) -> None:
    await writer.write([batch(3)], hour=datetime.now(UTC) - timedelta(days=30))
    await writer.write([batch(4)], hour=datetime.now(UTC) - timedelta(days=3))
    assert await retire_old(lake, days=0) == 0
    assert await retire_old(lake, days=10) == 1
    assert [file.rows for file in await lake.live_files(EVENTS)] == [4]
    assert await delete_retired(lake, retired_seconds=0) == 1
    assert len([file async for file in lake.files.list()]) == 1


async def test_a_file_that_no_list_names_goes_and_no_other(lake: Lake, writer: Writer, tmp_path: Path) -> None:
    await writer.write([batch(3)])
    root = Path(lake.files.uri(""))
    orphan, half = new_path(EVENTS, HOUR), new_path(EVENTS, HOUR)
    await lake.files.put(orphan, memoryview(b"orphan"))
    half_written = (root / half).with_name(f".{Path(half).name}.part")
    half_written.write_bytes(b"half")
    (root / "notes.txt").write_text("a person's own")
    assert await sweep_unlisted(lake) == 0, "their commit may still come"
    old = time.time() - 25 * 3600
    for path in (root / orphan, half_written, root / "notes.txt"):
        os.utime(path, (old, old))
    assert await sweep_unlisted(lake) == 2
    assert len(await live_rows(lake, tmp_path)) == 3
    assert (root / "notes.txt").exists()


async def test_a_lake_of_another_list_is_left_alone(lake: Lake) -> None:
    for _ in range(60):
        await lake.files.put(new_path(EVENTS, HOUR), memoryview(b"of another platform"))
    assert await sweep_unlisted(lake, older_than_seconds=-3600) == 0
    assert len([file async for file in lake.files.list()]) == 60


async def test_sink_compaction_and_erasure_at_once_lose_and_double_nothing(
    lake: Lake, where: Settings, writer: Writer, tmp_path: Path
) -> None:
    """Rows of a profile that stays are there once each, at every moment; those of the erased one are gone at the end."""
    over = asyncio.Event()

    async def write() -> None:
        for number in range(12):
            tables = [
                batch(4, first=100 * number, profile_id=STAYS),
                batch(4, first=100 * number + 50, profile_id=STAYS),
            ]
            if number < 6:
                tables.append(batch(4, first=100 * number + 80, profile_id=GONE))
            await writer.write(tables)
            if number == 6:
                await lake.ask_erasure(GONE)
        over.set()

    async def keep(call: object) -> None:
        while not over.is_set():
            await call()  # type: ignore[operator]

    async def read() -> None:
        while not over.is_set():
            before = len([name for name in writer.written if int(name[2:]) % 100 < 80])
            rows = sum(file.rows for file in await lake.live_files(EVENTS))
            assert rows >= before, "a reader saw fewer rows than were written"

    async with asyncio.TaskGroup() as tasks:
        for work in (
            write(),
            keep(lambda: compact(lake, where.state, quiet_seconds=-3600)),
            keep(lambda: compact(lake, where.state, quiet_seconds=-3600)),
            keep(lambda: erase_asked(lake, where.state)),
            read(),
        ):
            tasks.create_task(work)
    await erase_asked(lake, where.state)
    await compact(lake, where.state, quiet_seconds=-3600)
    found = await names(lake, tmp_path)
    assert found == Counter(name for name in writer.written if int(name[2:]) % 100 < 80)
    await delete_retired(lake, retired_seconds=0)
    assert await names(lake, tmp_path) == found, "a file that was live was deleted"
