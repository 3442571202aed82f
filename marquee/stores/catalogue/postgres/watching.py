"""Popularity follows what viewers watch: titles whose share of it moved by a step get a new popularity.

All of it is one transaction: the search document, which change capture brings into both engines, and the place in the genre
rows. The document gets a new revision. `title.revision` and `title.changed_at` stay: for engineers nothing of the title
changed, and an edit that they began before is still accepted.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.domain.popularity import MIN_STEP, popularity_of, watched_popularity
from marquee.stores.catalogue.postgres.changes import WRITE_MOVED_DOCUMENTS
from marquee.stores.catalogue.postgres.states import DELETED

# In the order of ids, as `announcing` writes: two transactions that lock many titles wait for each other in one direction.
_MOVED = text(
    f"""
    SELECT title.movie_id, title.votes, title.genres, moved.watched FROM title JOIN (
        SELECT title.movie_id, coalesce(wanted.watched, 0) AS watched
        FROM title LEFT JOIN unnest(CAST(:movie_ids AS text[]), CAST(:watched AS float8[]))
             AS wanted (movie_id, watched) ON wanted.movie_id = title.movie_id
        WHERE abs(title.watched_popularity - coalesce(wanted.watched, 0)) >= :step AND title.state NOT IN {DELETED}
        ORDER BY abs(title.watched_popularity - coalesce(wanted.watched, 0)) DESC, title.movie_id LIMIT :limit
    ) AS moved ON moved.movie_id = title.movie_id
    ORDER BY title.movie_id FOR UPDATE OF title
    """  # noqa: S608 - no value is formatted in
)
_MOVE = text(
    """
    UPDATE title SET watched_popularity = moved.watched, popularity = moved.popularity
    FROM unnest(CAST(:movie_ids AS text[]), CAST(:watched AS float8[]), CAST(:popularities AS float8[]))
         AS moved (movie_id, watched, popularity)
    WHERE title.movie_id = moved.movie_id
    """
)
_MOVE_IN_GENRES = text(
    """
    UPDATE title_genre SET popularity = title.popularity FROM title
    WHERE title.movie_id = title_genre.movie_id AND title.movie_id = ANY(:movie_ids)
    """
)


async def follow_watching(
    connection: AsyncConnection, watch_seconds: Mapping[str, float], *, limit: int
) -> Mapping[str, Sequence[str]]:
    """The genres of each title that moved."""
    wanted = {movie_id: watched_popularity(seconds) for movie_id, seconds in watch_seconds.items()}
    asked = {"movie_ids": list(wanted), "watched": list(wanted.values()), "step": MIN_STEP, "limit": limit}
    found = (await connection.execute(_MOVED, asked)).all()
    if not found:
        return {}
    ids = [row.movie_id for row in found]
    parameters = {
        "movie_ids": ids,
        "watched": [row.watched for row in found],
        "popularities": [popularity_of(row.votes) + row.watched for row in found],
    }
    await connection.execute(_MOVE, parameters)
    await connection.execute(WRITE_MOVED_DOCUMENTS, {"movie_ids": ids})
    await connection.execute(_MOVE_IN_GENRES, {"movie_ids": ids})
    return {row.movie_id: row.genres for row in found}
