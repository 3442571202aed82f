"""Who is told that events, batches or marts are late: housekeeping's log and figures, `marquee doctor`, Dagster. Real engines."""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from marquee.events import VIEWING_EVENTS
from marquee.platform.analytics_state import analytics_state
from marquee.platform.analytics_watch import edge_lag_seconds, look
from marquee.platform.examination import judge_analytics
from marquee.platform.late_figures import LateWatch
from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from marquee.stores.schema.migrate import migrate
from orchestration.analytics_sensors import late_analytics
from tests.harness.lake.events import encoded, event

NAMES = {"event-sink", "edge-logs", "events", "popularity", "similar", "suggestions", "candidates", "marts"}


@pytest.fixture
def platform(valkey_log_server: Settings, empty_database: str, tmp_path: Path) -> Settings:
    migrate(empty_database)
    told = {"state": tmp_path, "database_url": empty_database, "lake_url": f"file://{tmp_path}/lake"}
    return valkey_log_server.model_copy(update=told)


def add_hour(connection: psycopg.Connection, hour: datetime, rows: int) -> None:
    connection.execute(
        "INSERT INTO lake_file (path, dataset, hour, rows, bytes) VALUES (%s, 'events', %s, %s, 9)",
        [f"events/{hour.isoformat()}", hour, rows],
    )


def make_late(settings: Settings) -> None:
    """A week of hourly events until yesterday, none since; an edge's line of an hour ago; an accepted batch of four days ago."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with psycopg.connect(settings.database) as connection:
        for hours in range(30, 24 * 9):
            add_hour(connection, now - timedelta(hours=hours), 400)
        connection.execute(
            "INSERT INTO analytics_batch (name, state, rows, through) VALUES ('popularity', 'accepted', 3, %s)",
            [now - timedelta(days=4)],
        )
        connection.execute(
            "INSERT INTO analytics_batch (name, state, rows, through, reason)"
            " VALUES ('popularity', 'refused', 1, %s, 'two ranks')",
            [now - timedelta(days=1)],
        )
    folder = settings.state / "edge-logs" / "edge-1"
    folder.mkdir(parents=True)
    line = folder / "176459760-1.jsonl"
    line.write_text("{}\n")
    hour_ago = time.time() - 3600
    os.utime(line, (hour_ago, hour_ago))


async def publish_unwritten(settings: Settings) -> None:
    log = open_event_log(settings.event_log)
    try:
        await log.ensure_topic(VIEWING_EVENTS, streams=1)
        await log.publish(VIEWING_EVENTS, "v_1", encoded(event(1)))
    finally:
        await log.close()


async def test_a_new_platform_is_in_time(platform: Settings) -> None:
    found = await look(platform)
    assert {one.name for one in found} == NAMES
    # The event log is that of all tests: what others have published is not in this lake.
    assert [one.sentence for one in found if one.is_late and one.name != "event-sink"] == []
    assert edge_lag_seconds(platform) == 0


async def test_everybody_is_told_what_is_late_and_when_it_is_over(platform: Settings) -> None:
    make_late(platform)
    await publish_unwritten(platform)
    found = {one.name: one for one in await look(platform)}
    assert found["event-sink"].age_seconds > 0, "an event that no sink writes has no age"
    late = {name for name, one in found.items() if one.is_late} - {"event-sink"}
    assert late == NAMES - {"event-sink"}, "the lake has events of days that no batch has seen"
    assert "held back: two ranks" in found["popularity"].sentence

    watch = LateWatch(platform)
    with capture_logs() as said:
        await watch.round()
        await watch.round()
    told = [line for line in said if line["event"] == "analytics are late"]
    assert {line["what"] for line in told} >= late
    assert len(told) == len({line["what"] for line in told}), "each minute the same line"
    assert all(line["log_level"] == "error" for line in told)
    for name in late:
        assert REGISTRY.get_sample_value("marquee_analytics_late", {"what": name}) == 1
        age = REGISTRY.get_sample_value("marquee_analytics_age_seconds", {"what": name})
        assert age is not None
        assert age > 0

    state = await analytics_state(platform)
    finding = judge_analytics(state, 90, list(found.values()))
    assert finding.state == "optional"
    assert "events in the lake, and 200 or more are usual" in finding.detail

    with dg.DagsterInstance.ephemeral() as instance:
        first = await asyncio.to_thread(sense, platform, instance, None)
        events = {str(event.asset_check_key.name): event for event in first.asset_events}
        assert set(events) == {"arrives_in_time", "is_in_time"}
        assert len(first.asset_events) == 5
        assert not any(event.passed for event in first.asset_events)
        assert "marquee analytics run" in str(first.skip_reason)
        again = await asyncio.to_thread(sense, platform, instance, first.cursor)
        assert again.asset_events == [], "an asset's page would have a line every two minutes"

        with psycopg.connect(platform.database) as connection:
            connection.execute("TRUNCATE lake_file")
        over = await asyncio.to_thread(sense, platform, instance, again.cursor)
        passed = [event for event in over.asset_events if event.passed]
        assert {event.asset_check_key.name for event in passed} == {"is_in_time"}, "edge-logs is still late"
        assert len(passed) == 4
    with capture_logs() as said:
        await watch.round()
    assert {line["what"] for line in said if line["event"] == "analytics are in time again"} >= {"popularity", "marts"}


def sense(settings: Settings, instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    found = late_analytics(context, settings=settings)
    assert isinstance(found, dg.SensorResult)
    return found


def test_an_outage_is_told_by_the_sensor_and_ends_nothing(platform: Settings) -> None:
    away = platform.model_copy(update={"event_log_url": "valkey://127.0.0.1:1"})
    with dg.DagsterInstance.ephemeral() as instance:
        assert "It is not known what is late" in str(sense(away, instance, '{"a": 1}').skip_reason)
