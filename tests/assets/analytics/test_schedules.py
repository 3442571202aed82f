"""The clock of analytics: the chain of a day runs once, after its end; an older day's own assets when its events have changed."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import psycopg

from marquee.settings import Settings
from orchestration.analytics import analytics_definitions
from orchestration.analytics_schedules import DAY_ASSETS, day_after_midnight


def test_each_night_the_chain_runs_once_and_older_days_make_their_own_assets_alone(
    own_settings: Settings, connection: psycopg.Connection
) -> None:
    assert isinstance(_tick(own_settings, 1), dg.SkipReason), "nobody has watched anything"
    _add_file(connection, hour="2026-11-30 23:00", written="2026-11-30 23:05")
    assert _asked(own_settings, 1) == [("2026-11-29", DAY_ASSETS), ("2026-11-30", None)]
    _add_file(connection, hour="2026-12-01 10:00", written="2026-12-01 10:05")
    assert _asked(own_settings, 2) == [("2026-11-30", DAY_ASSETS), ("2026-12-01", None)]
    # A phone that was offline for four days, one that was for ten, and a quiet day.
    _add_file(connection, hour="2026-11-28 12:00", written="2026-12-02 09:00")
    _add_file(connection, hour="2026-11-22 12:00", written="2026-12-02 09:00")
    assert _asked(own_settings, 3) == [("2026-11-27", DAY_ASSETS), ("2026-11-28", DAY_ASSETS), ("2026-12-02", None)]
    assert _asked(own_settings, 4) == [("2026-12-03", None)], "nothing has changed"
    keys = [request.run_key for day in (1, 2, 3, 4) for request in _tick(own_settings, day)]
    assert len(set(keys)) == len(keys), "Dagster starts no second run of a run key"


def test_a_range_of_days_is_one_run_that_makes_its_batches_once(own_settings: Settings) -> None:
    job = analytics_definitions(own_settings).resolve_job_def("analytics_day")
    assert job.backfill_policy == dg.BackfillPolicy.single_run()
    steps = [node.name for node in job.nodes]
    assert len(steps) == len(set(steps))
    assert {"event_day", "sessions", "spark_batches", "dbt_build", "accepted_marts"} <= set(steps)


def _asked(settings: Settings, day: int) -> list[tuple[str, tuple[str, ...] | None]]:
    """The runs of a night: each partition, and its assets if they are not all of the chain."""
    return [
        (
            request.partition_key,
            tuple(key.to_user_string() for key in request.asset_selection) if request.asset_selection else None,
        )
        for request in _tick(settings, day)
    ]


def _add_file(connection: psycopg.Connection, *, hour: str, written: str) -> None:
    connection.execute(
        "INSERT INTO lake_file (path, dataset, hour, rows, bytes, created_at) VALUES (%s, 'events', %s, 9, 99, %s)",
        [f"{hour} {written}", f"{hour}+00", f"{written}+00"],
    )


def _tick(settings: Settings, day: int) -> Any:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 12, day, 0, 30, tzinfo=UTC))
    return day_after_midnight(context, settings=settings)
