"""Home rows in PostgreSQL: cards of playable titles, in pages whose cost does not grow with their depth.

A genre row is one range of the index `title_genre_row_idx` (genre, popularity desc, movie_id desc), which holds playable titles
alone. New releases are one range of the partial index `title_new_releases_idx` (published_at desc, movie_id desc).
"""

from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.stores.catalogue.postgres.changes import read_backdrop
from marquee.stores.catalogue.postgres.states import PLAYABLE
from marquee.stores.catalogue.values import RowPosition, TitleCard
from marquee.stores.connections.postgres import Database
from marquee.stores.connections.postgres_methods import in_statement

_CARD = "title.movie_id, title.title, title.year, title.poster, title.duration_seconds, title.genres"
_FIRST_CARD = f"{_CARD}, title.backdrop"

_CARDS = text(
    f"""
    SELECT {_CARD} FROM unnest(CAST(:movie_ids AS text[])) WITH ORDINALITY AS wanted (movie_id, place)
    JOIN title USING (movie_id) WHERE title.state IN {PLAYABLE} ORDER BY place
    """  # noqa: S608 - no value is formatted in
)
_GENRE_FIRST = text(
    f"""
    SELECT {_FIRST_CARD}, place.popularity AS sort_value FROM title_genre AS place JOIN title USING (movie_id)
    WHERE place.genre = lower(:genre)
    ORDER BY place.popularity DESC, place.movie_id DESC LIMIT :limit
    """  # noqa: S608
)
_GENRE_NEXT = text(
    f"""
    SELECT {_CARD}, place.popularity AS sort_value FROM title_genre AS place JOIN title USING (movie_id)
    WHERE place.genre = lower(:genre)
      AND (place.popularity, place.movie_id) < (CAST(:sort_value AS float8), CAST(:movie_id AS text))
    ORDER BY place.popularity DESC, place.movie_id DESC LIMIT :limit
    """  # noqa: S608
)
# Seconds as float8 keep microseconds until the year 2255, and to_timestamp rounds back to them.
_RELEASES_FIRST = text(
    f"""
    SELECT {_FIRST_CARD}, CAST(extract(epoch FROM published_at) AS float8) AS sort_value FROM title
    WHERE state IN {PLAYABLE} AND published_at IS NOT NULL
    ORDER BY published_at DESC, movie_id DESC LIMIT :limit
    """  # noqa: S608
)
_RELEASES_NEXT = text(
    f"""
    SELECT {_CARD}, CAST(extract(epoch FROM published_at) AS float8) AS sort_value FROM title
    WHERE state IN {PLAYABLE}
      AND (published_at, movie_id) < (to_timestamp(CAST(:sort_value AS float8)), CAST(:movie_id AS text))
    ORDER BY published_at DESC, movie_id DESC LIMIT :limit
    """  # noqa: S608
)

Page = Sequence[tuple[TitleCard, RowPosition]]


class PostgresHomeRows:
    def __init__(self, database: Database) -> None:
        self.database = database

    @in_statement
    async def genre(self, connection: AsyncConnection, genre: str, *, limit: int, after: RowPosition | None) -> Page:
        parameters = {"genre": genre, "limit": limit}
        if after is None:
            rows = await connection.execute(_GENRE_FIRST, parameters)
        else:
            rows = await connection.execute(_GENRE_NEXT, parameters | _position(after))
        return [_placed(row) for row in rows.mappings()]

    @in_statement
    async def new_releases(self, connection: AsyncConnection, *, limit: int, after: RowPosition | None) -> Page:
        if after is None:
            rows = await connection.execute(_RELEASES_FIRST, {"limit": limit})
        else:
            rows = await connection.execute(_RELEASES_NEXT, {"limit": limit} | _position(after))
        return [_placed(row) for row in rows.mappings()]

    @in_statement
    async def cards(self, connection: AsyncConnection, movie_ids: Sequence[str]) -> Sequence[TitleCard]:
        rows = (await connection.execute(_CARDS, {"movie_ids": list(movie_ids)})).mappings()
        return [TitleCard(**row) for row in rows]


def _position(after: RowPosition) -> dict[str, object]:
    return {"sort_value": float(after.sort_value), "movie_id": after.movie_id}


def _placed(row: RowMapping) -> tuple[TitleCard, RowPosition]:
    columns = dict(row)
    position = RowPosition(columns.pop("sort_value"), columns["movie_id"])
    backdrop = read_backdrop(columns.pop("backdrop", None))
    return TitleCard(**columns, backdrop=backdrop), position
