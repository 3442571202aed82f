"""`marquee analytics status` tells how far the lake is behind, and which batches were refused, on real engines."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from marquee.cli import analytics as command
from marquee.events import VIEWING_EVENTS
from marquee.ingest.lost_events import add_lost
from marquee.platform.analytics_state import analytics_state
from marquee.settings import Settings
from marquee.stores.analytics import open_findings_writer
from marquee.stores.event_log import open_event_log
from marquee.stores.lake import EVENTS, open_lake
from marquee.stores.lake.contract import NewFile, Position
from marquee.stores.schema.migrate import migrate
from tests.harness.lake.events import encoded, event

HOUR = datetime(2026, 11, 30, 13, tzinfo=UTC)


@pytest.fixture
def platform(valkey_log_server: Settings, empty_database: str, tmp_path: Path) -> Settings:
    migrate(empty_database)
    return valkey_log_server.model_copy(
        update={"database_url": empty_database, "lake_url": f"file://{tmp_path}/lake", "dagster_database_url": "x"}
    )


async def _write(settings: Settings) -> Position:
    """One file of the lake, up to the end of the event log; and a batch that was refused."""
    log, lake = open_event_log(settings.event_log), open_lake(settings)
    findings = open_findings_writer(settings.database)
    try:
        await log.ensure_topic(VIEWING_EVENTS, streams=1)
        await log.publish(VIEWING_EVENTS, "v_1", encoded(event(1)))
        cursor: str | None = None
        while True:  # to the end
            records, cursor = await log.read(VIEWING_EVENTS, cursor, limit=1000)
            if not records:
                break
        position = await lake.take_over(VIEWING_EVENTS)
        file = NewFile("events/date=2026-11-30/hour=13/a.parquet", EVENTS, HOUR, 7, 700)
        await lake.append([file], VIEWING_EVENTS, position, cursor, erased=(await lake.erased()).number)
        batch = await findings.write_batch("popularity", HOUR, {"popularity": [("", 1, "m_1", 1.0, 60.0)]})
        await findings.judge(batch, accepted=False, reason="half of the rows are missing")
        return position
    finally:
        await log.close()
        await lake.close()
        await findings.close()


async def _publish(settings: Settings) -> None:
    log = open_event_log(settings.event_log)
    try:
        await log.publish(VIEWING_EVENTS, "v_1", encoded(event(1)))
    finally:
        await log.close()


async def test_the_state_tells_files_lag_and_the_reason_of_a_refused_batch(platform: Settings) -> None:
    await _write(platform)
    state = await analytics_state(platform)
    assert state.sink.written_at is not None
    assert state.sink.lag_seconds == 0
    [events] = state.datasets
    assert (events.name, events.files, events.rows, events.size_bytes, events.first) == ("events", 1, 7, 700, HOUR)
    [batch] = state.batches
    assert (batch.name, batch.state, batch.reason) == ("popularity", "refused", "half of the rows are missing")

    await _publish(platform)
    assert (await analytics_state(platform)).sink.lag_seconds > 0, "an event that is not in the lake is no lag"


async def test_a_platform_without_events_has_a_state_too(platform: Settings) -> None:
    state = await analytics_state(platform)
    assert state.sink.written_at is None
    assert not state.datasets
    assert not state.batches


def test_the_command_prints_tables_and_an_object(platform: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(_write(platform))
    add_lost(platform.state, 4321)
    with psycopg.connect(platform.database) as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute("CREATE TABLE marts.mart_build (name text, built_at timestamptz, through date, rows int)")
        connection.execute(
            "INSERT INTO marts.mart_build VALUES ('failures_daily', now() - interval '3 hours', '2026-11-30', 5)"
        )
    monkeypatch.setattr(command, "load_settings", lambda: platform)
    said = CliRunner().invoke(command.analytics, ["status"], env={"COLUMNS": "200"})
    assert said.exit_code == 0, said.output
    assert "popularity" in said.output
    assert "refused" in said.output
    assert "4,321" in said.output, "lost events are not told"
    assert "failures_daily" in said.output
    assert "3 hours ago" in said.output, "the age of the marts is not told"
    said = CliRunner().invoke(command.analytics, ["status", "--json"])
    assert json.loads(said.output)["datasets"][0]["rows"] == 7
