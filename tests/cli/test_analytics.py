"""`marquee analytics erase`: one profile's rows and findings go, and a repeat does nothing. Without pyarrow the sink does it."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marquee.domain.ids import new_profile_id
from marquee.settings import Settings
from tests.harness.lake.events import HOUR, batch
from tests.harness.lake.lakes import lake_settings, live_rows, opened

SECONDS = 120


@pytest.fixture
def where(tmp_path: Path, postgres_server: Settings, emptied_postgres_url: str) -> Settings:
    return lake_settings(postgres_server, emptied_postgres_url, f"file://{tmp_path / 'lake'}")


def erase(where: Settings, tmp_path: Path, profile_id: str, *, before: str = "") -> subprocess.CompletedProcess[str]:
    told = {"MARQUEE_STATE": str(tmp_path), "MARQUEE_DATABASE_URL": where.database, "MARQUEE_LAKE_URL": where.lake}
    called = f"sys.argv = ['marquee', 'analytics', 'erase', '{profile_id}', '--json']"
    code = f"import sys; {before or 'pass'}; {called}\nfrom marquee.cli import app; app()"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


async def test_a_profile_is_erased_and_a_repeat_does_nothing(where: Settings, tmp_path: Path) -> None:
    gone, stays = new_profile_id(), new_profile_id()
    table = pa.concat_tables([batch(3, profile_id=gone), batch(2, first=3, profile_id=stays)])
    pq.write_table(table, tmp_path / "sessions.parquet")
    with psycopg.connect(where.database) as connection:
        connection.execute(
            "INSERT INTO daily_profile (day, profile_id, titles, watch_seconds)"
            " VALUES ('2026-11-30', %s, 1, 2), ('2026-11-30', %s, 1, 2)",
            [gone, stays],
        )
    async with opened(where) as lake:
        await lake.replace("sessions", HOUR, [tmp_path / "sessions.parquet"])
        for rows, findings in ((3, 1), (0, 0)):
            done = await asyncio.to_thread(erase, where, tmp_path, gone)
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout) == {
                "kind": "erased",
                "profile_id": gone,
                "findings": findings,
                "rows": rows,
                "unreadable": [],
            }
        assert {row["profile_id"] for row in await live_rows(lake, tmp_path, "sessions")} == {stays}
    with psycopg.connect(where.database) as connection:
        assert connection.execute("SELECT profile_id FROM daily_profile").fetchall() == [(stays,)]


async def test_a_damaged_file_is_named_and_the_command_fails(where: Settings, tmp_path: Path) -> None:
    pq.write_table(batch(3, profile_id=(profile_id := new_profile_id())), tmp_path / "sessions.parquet")
    async with opened(where) as lake:
        await lake.replace("sessions", HOUR, [tmp_path / "sessions.parquet"])
        [file] = await lake.live_files("sessions")
        Path(file.uri).write_bytes(b"damaged")
        done = await asyncio.to_thread(erase, where, tmp_path, profile_id)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["unreadable"] == [file.path]


def test_without_pyarrow_the_rest_is_asked_of_the_sink(where: Settings, tmp_path: Path) -> None:
    done = erase(
        where,
        tmp_path,
        profile_id := new_profile_id(),
        before="import marquee.stores.lake.arrow as a; a.arrow_is_installed = lambda: False",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] is None
    with psycopg.connect(where.database) as connection:
        assert connection.execute("SELECT profile_id FROM lake_erasure").fetchall() == [(profile_id,)]


def test_what_is_no_profile_is_refused(where: Settings, tmp_path: Path) -> None:
    done = erase(where, tmp_path, "p_1")
    assert done.returncode == 2
    assert "no profile's id" in done.stderr
