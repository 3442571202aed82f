"""Batches of analytics as Spark's jobs leave them, written straight into the tables."""

from collections.abc import Mapping, Sequence

import psycopg


def write_batch(
    url: str,
    name: str,
    *,
    state: str = "accepted",
    popularity: Mapping[str, Sequence[str]] | None = None,
    watch_seconds: Mapping[str, float] | None = None,
    similar: Mapping[str, Sequence[str]] | None = None,
    suggestions: Mapping[tuple[str, str], Sequence[str]] | None = None,
    taste: Mapping[str, Mapping[str, float]] | None = None,
) -> int:
    """The batch's id. Lists are of movie ids, the first one ranked 1; an accepted batch takes the place of the one before.

    `watch_seconds`: of titles, yesterday. `popularity`: genre (empty: all) -> titles; `similar`: title -> titles;
    `suggestions`: (profile, because) -> titles; `taste`: profile -> genre -> share.
    """
    with psycopg.connect(url) as connection:
        if state == "accepted":
            connection.execute(
                "UPDATE analytics_batch SET state = 'superseded' WHERE name = %s AND state = 'accepted'", [name]
            )
        (batch_id,) = connection.execute(
            "INSERT INTO analytics_batch (name, state, rows, through) VALUES (%s, %s, 0, now()) RETURNING batch_id",
            [name, state],
        ).fetchone() or (0,)
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO daily_title VALUES (current_date - 1, %s, 1, 1, 1, 0, %s) "
                "ON CONFLICT (day, movie_id) DO UPDATE SET watch_seconds = excluded.watch_seconds",
                list((watch_seconds or {}).items()),
            )
            for genre, titles in (popularity or {}).items():
                cursor.executemany(
                    "INSERT INTO popularity VALUES (%s, %s, %s, %s, 1, 60)",
                    [(batch_id, genre, rank, movie_id) for rank, movie_id in enumerate(titles, 1)],
                )
            for movie_id, titles in (similar or {}).items():
                cursor.executemany(
                    "INSERT INTO similar_title VALUES (%s, %s, %s, %s, 1, 'content')",
                    [(batch_id, movie_id, rank, other) for rank, other in enumerate(titles, 1)],
                )
            for (profile_id, because), titles in (suggestions or {}).items():
                cursor.executemany(
                    "INSERT INTO suggestion VALUES (%s, %s, %s, %s, %s, 1)",
                    [(batch_id, profile_id, because, rank, other) for rank, other in enumerate(titles, 1)],
                )
            for profile_id, shares in (taste or {}).items():
                cursor.executemany(
                    "INSERT INTO genre_taste VALUES (%s, %s, %s, %s)",
                    [(batch_id, profile_id, genre, share) for genre, share in shares.items()],
                )
        return int(batch_id)


def write_watching(url: str, profile_id: str, *, seconds: float, days_ago: int = 1) -> None:
    """What a profile watched on one day."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO daily_profile VALUES (current_date - %s::int, %s, 1, %s)", [days_ago, profile_id, seconds]
        )
