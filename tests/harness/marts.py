"""The warehouse's schema `marts` as dbt leaves it, with rows of a test's own."""

from collections.abc import Mapping, Sequence
from typing import Final

import psycopg
from psycopg import sql

MARTS: Final[Mapping[str, str]] = {
    "title_performance": """
        movie_id text, title text, first_day date, last_day date, plays bigint, viewers bigint, completions numeric,
        completion_rate numeric, watch_hours double precision, watch_hours_7d double precision,
        watch_hours_previous_7d numeric, startup_p95_seconds double precision, rebuffer_ratio double precision,
        failures numeric
    """,
    "quality_of_experience_daily": """
        day date, cut text, value text, attempts bigint, plays bigint, exits_before_start_rate double precision,
        start_failure_rate numeric, playback_failure_rate numeric, startup_p50_seconds double precision,
        startup_p95_seconds double precision, rebuffer_ratio double precision, mean_kbps double precision,
        watch_hours double precision
    """,
    "failures_daily": "day date, error_code text, start_failures bigint, playback_failures bigint",
    "search_quality": "day date, query text, asked bigint, without_results bigint, opened bigint, mean_place numeric",
    "retention_weekly": "cohort_week date, weeks_since integer, profiles bigint, retained bigint, retention numeric",
    "encoding_cost": """
        movie_id text, title text, version integer, core_hours double precision, source_bytes numeric, published_bytes bigint
    """,
}


def build_marts(url: str, rows: Mapping[str, Sequence[Sequence[object]]], *, built_days_ago: float = 0.0) -> None:
    """Swap in a schema `marts` with these rows: mart -> rows, whose values are in the order of `MARTS`."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA IF EXISTS marts CASCADE")
        connection.execute("CREATE SCHEMA marts")
        connection.execute(
            "CREATE TABLE marts.mart_build (name text, built_at timestamptz, through timestamptz, rows bigint)"
        )
        for name, columns in MARTS.items():
            table = sql.Identifier("marts", name)
            connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(columns)))
            held = rows.get(name, ())
            for row in held:
                places = sql.SQL(", ").join(sql.Placeholder() * len(row))
                connection.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(table, places), list(row))
            connection.execute(
                "INSERT INTO marts.mart_build VALUES (%s, now() - %s * interval '1 day', now() - interval '1 hour', %s)",
                [name, built_days_ago, len(held)],
            )
