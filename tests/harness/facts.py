"""Facts of some days in the tables that Spark writes, with numbers from which a test computes each mart by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import psycopg

FIRST_DAY = date(2026, 11, 2)
"""A Monday."""


def add_title(
    connection: psycopg.Connection, movie_id: str, title: str, *, year: int = 2020, seconds: float = 5400
) -> None:
    connection.execute(
        "INSERT INTO title (movie_id, title, year, state, revision, duration_seconds) "
        "VALUES (%s, %s, %s, 'playable', nextval('title_revision'), %s)",
        [movie_id, title, year, seconds],
    )


def add_day(connection: psycopg.Connection, day: date, movies: Sequence[str], *, plays: int = 40) -> None:
    """Of each title `plays` plays of `plays + 10` attempts, a quarter of them to the end, an hour each ten plays."""
    for movie_id in movies:
        connection.execute(
            "INSERT INTO daily_title VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [day, movie_id, plays + 10, plays, plays // 2, plays // 4, plays * 360.0],
        )
        connection.execute(
            "INSERT INTO daily_quality VALUES (%s, 'title', %s, %s, %s, 6, 4, 2, 1.0, 2.5, 0.01, 3000, %s, %s)",
            [day, movie_id, plays + 10, plays, plays * 360.0, plays * 3.6],
        )
    connection.execute(
        "INSERT INTO daily_quality VALUES (%s, 'all', '', %s, %s, 6, 4, 2, 1.0, 2.5, 0.01, 3000, %s, %s)",
        [day, (plays + 10) * len(movies), plays * len(movies), plays * 360.0, plays * 3.6],
    )
    connection.execute("INSERT INTO daily_failure VALUES (%s, 'manifest-missing', 4, 2)", [day])
    for query, asked, empty, opened, places, profiles in [
        ("leo", 9, 0, 4, 6, 8),
        ("zzz", 3, 3, 0, 0, 3),
        ("my name", 7, 7, 0, 0, 1),
        ("b", 2, 0, 1, 3, 2),
    ]:
        connection.execute(
            "INSERT INTO daily_search VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [day, query, asked, empty, opened, places, profiles],
        )


def add_profile(
    connection: psycopg.Connection, profile_id: str, days: Sequence[date], *, history_from: date | None = None
) -> None:
    for day in days:
        connection.execute("INSERT INTO daily_profile VALUES (%s, %s, 1, 3600)", [day, profile_id])
    if history_from is not None:
        at = datetime(history_from.year, history_from.month, history_from.day, 20, tzinfo=UTC)
        connection.execute(
            "INSERT INTO watched_title (profile_id, movie_id, first_watched_at, last_watched_at) VALUES (%s, 'm_1', %s, %s)",
            [profile_id, at, at],
        )


def week(first: date = FIRST_DAY) -> list[date]:
    return [first + timedelta(days=number) for number in range(7)]
