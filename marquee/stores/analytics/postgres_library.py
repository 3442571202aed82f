"""Reads the catalogue in PostgreSQL for the jobs of analytics, in one pass and a thousand rows at a time.

A server-side cursor in a transaction of its own: all rows are of one moment. Raises `StoreUnavailable`.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection

from marquee.domain.lifecycle import PLAYABLE
from marquee.domain.rows import canonical_genres
from marquee.errors import StoreUnavailable
from marquee.stores.analytics.library import LibraryTitle
from marquee.stores.analytics.postgres_bulk import bulk_connection

ROWS_AT_A_TIME: Final = 1000
_TITLES: Final = """
    SELECT movie_id, title, year, description, genres, people, popularity, state FROM title
    WHERE state <> 'deleted' ORDER BY popularity DESC, movie_id
"""


class PostgresLibrary:
    def __init__(self, url: str) -> None:
        self._url = url

    async def durations(self) -> list[tuple[str, float]]:
        sql = "SELECT movie_id, duration_seconds FROM title WHERE duration_seconds > 0 AND state <> 'deleted'"
        return [(movie_id, float(seconds)) async for movie_id, seconds in self._rows(sql)]

    async def titles(self) -> AsyncIterator[LibraryTitle]:
        async for movie_id, title, year, description, genres, people, popularity, state in self._rows(_TITLES):
            yield LibraryTitle(
                movie_id=movie_id,
                title=title,
                year=year,
                description=description,
                genres=tuple(canonical_genres(genres)),
                people=tuple(people),
                popularity=popularity,
                is_playable=state == PLAYABLE,
            )

    async def _rows(self, sql: str) -> AsyncIterator[tuple[Any, ...]]:
        connection: AsyncConnection[Any] = await bulk_connection(self._url)
        try:
            async with connection, connection.cursor("library") as cursor:
                cursor.itersize = ROWS_AT_A_TIME
                await cursor.execute(sql)
                async for row in cursor:
                    yield row
        except psycopg.OperationalError as error:
            raise StoreUnavailable("PostgreSQL was lost while the catalogue was read: run the job again.") from error

    async def close(self) -> None:
        """Nothing stays open between two calls."""
