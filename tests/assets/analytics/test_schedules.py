"""The clock of analytics: a day is made at its end, and once more a day later, when its sessions are complete."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import psycopg

from marquee.settings import Settings
from orchestration.analytics_schedules import day_after_midnight


def test_a_day_is_made_again_before_the_next_one(own_settings: Settings, connection: psycopg.Connection) -> None:
    assert isinstance(_tick(own_settings, 1), dg.SkipReason), "nobody has watched anything"
    connection.execute(
        "INSERT INTO lake_file (path, dataset, hour, rows, bytes) VALUES ('a', 'events', '2026-11-30 23:00+00', 9, 99)"
    )
    asked = [request for day in (1, 2, 3) for request in _tick(own_settings, day)]
    assert [request.partition_key for request in asked] == [
        *("2026-11-29", "2026-11-30"),
        *("2026-11-30", "2026-12-01"),
        *("2026-12-01", "2026-12-02"),
    ], "the older day comes first: viewers end with the newest"
    assert len({request.run_key for request in asked}) == 6, "Dagster starts no second run of a run key"


def _tick(settings: Settings, day: int) -> Any:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 12, day, 0, 30, tzinfo=UTC))
    return day_after_midnight(context, settings=settings)
