"""What viewers see of analytics, in PostgreSQL: each method is one statement, joined with `title` when it is read.

Tables: `analytics_batch` (which batch is accepted), `popularity`, `similar_title`, `suggestion`, `genre_taste`, `daily_profile`,
`daily_title`; their shapes are in `marquee.stores.schema.tables.analytics`. Each list is one range of its table's primary key.
With PostgreSQL down a call is repeated for some seconds, then raises `StoreUnavailable`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.domain.popularity import WATCH_DAYS
from marquee.stores.analytics.findings.contract import (
    MAX_LIST_ITEMS,
    MAX_LISTS,
    TASTE_DAYS,
    ProfileFindings,
    RankedCard,
    SuggestionList,
)
from marquee.stores.catalogue.postgres.changes import read_backdrop
from marquee.stores.catalogue.postgres.states import PLAYABLE
from marquee.stores.catalogue.values import RowPosition, TitleCard
from marquee.stores.connections.postgres import Database
from marquee.stores.connections.postgres_methods import in_statement

_CARD: Final = "title.movie_id, title.title, title.year, title.poster, title.duration_seconds, title.genres"


def _accepted(name: str) -> str:
    return f"(SELECT batch_id FROM analytics_batch WHERE name = '{name}' AND state = 'accepted')"  # noqa: S608


_TRENDING = text(
    f"""
    SELECT {_CARD}, title.backdrop, place.rank FROM popularity AS place JOIN title USING (movie_id)
    WHERE place.batch_id = {_accepted("popularity")} AND place.genre = '' AND place.rank > :after
      AND place.score >= 0
      AND title.state IN {PLAYABLE}
    ORDER BY place.rank LIMIT :limit
    """  # noqa: S608 - no value is formatted in
)
_SIMILAR = text(
    f"""
    SELECT {_CARD}, place.rank FROM similar_title AS place JOIN title ON title.movie_id = place.similar_id
    WHERE place.batch_id = {_accepted("similar")} AND place.movie_id = :movie_id AND place.similar_id <> :movie_id
      AND title.state IN {PLAYABLE}
    ORDER BY place.rank LIMIT :limit
    """  # noqa: S608
)
# Null without an accepted batch: then no day counts.
_POPULARITY_END: Final = (
    "(SELECT CAST(through AT TIME ZONE 'UTC' AS date) FROM analytics_batch"
    " WHERE name = 'popularity' AND state = 'accepted')"
)
# The facts, not the ranked titles of the batch: an evergreen that is never among those is watched all the same.
_WATCH_SECONDS = text(
    f"""
    SELECT movie_id, sum(watch_seconds) AS watch_seconds FROM daily_title
    WHERE day >= {_POPULARITY_END} - {WATCH_DAYS} AND day < {_POPULARITY_END}
    GROUP BY movie_id
    """  # noqa: S608
)
# One row, whose lists are JSON: forty rows of cards would cost the client more than the server. A title that the profile
# removed from its history is no reason for a list any more. An infinite share, or one that is no number, is left out.
_OF_PROFILE = text(
    f"""
    WITH batch AS MATERIALIZED {_accepted("suggestions")},
    listed AS (
        SELECT place.because_movie_id, json_agg(json_build_array(place.rank, title.movie_id, title.title, title.year,
               title.poster, title.duration_seconds, title.genres) ORDER BY place.rank) AS items
        FROM suggestion AS place JOIN title USING (movie_id)
        WHERE place.batch_id = (SELECT batch_id FROM batch) AND place.profile_id = :profile_id
          AND place.rank <= {MAX_LIST_ITEMS} AND title.state IN {PLAYABLE}
        GROUP BY place.because_movie_id
    ),
    reasoned AS (
        SELECT listed.because_movie_id, title.title, listed.items, history.last_watched_at
        FROM listed JOIN title ON title.movie_id = listed.because_movie_id
        LEFT JOIN watched_title AS history
            ON history.profile_id = :profile_id AND history.movie_id = listed.because_movie_id
        WHERE title.state IN {PLAYABLE}
          AND (history.forgotten_at IS NULL OR history.last_watched_at > history.forgotten_at)
        ORDER BY history.last_watched_at DESC NULLS LAST, listed.because_movie_id LIMIT {MAX_LISTS}
    )
    SELECT EXISTS (SELECT FROM batch) AS has_batch,
           (SELECT sum(watch_seconds) FROM daily_profile
            WHERE profile_id = :profile_id AND day > current_date - {TASTE_DAYS}) AS watched_seconds,
           (SELECT CAST(json_object_agg(genre, share) AS text) FROM genre_taste
            WHERE batch_id = (SELECT batch_id FROM batch) AND profile_id = :profile_id
              AND share > 0 AND share < 'Infinity') AS genre_shares,
           (SELECT CAST(json_agg(json_build_array(because_movie_id, title, items)
                                 ORDER BY last_watched_at DESC NULLS LAST, because_movie_id) AS text)
            FROM reasoned) AS suggestions
    """  # noqa: S608
)


class _Item(msgspec.Struct, array_like=True):
    rank: int
    movie_id: str
    title: str
    year: int | None
    poster: str | None
    duration_seconds: float | None
    genres: list[str]


_read_shares = msgspec.json.Decoder(dict[str, float]).decode
_read_lists = msgspec.json.Decoder(list[tuple[str, str, list[_Item]]]).decode

Page = Sequence[tuple[TitleCard, RowPosition]]


class PostgresFindings:
    def __init__(self, url: str) -> None:
        self.database = Database(url)

    @in_statement
    async def trending(self, connection: AsyncConnection, *, limit: int, after: RowPosition | None) -> Page:
        rank = 0 if after is None else int(after.sort_value)
        rows = await connection.execute(_TRENDING, {"after": rank, "limit": limit})
        return [_placed(row) for row in rows.mappings()]

    @in_statement
    async def similar(self, connection: AsyncConnection, movie_id: str, *, limit: int) -> Page:
        rows = await connection.execute(_SIMILAR, {"movie_id": movie_id, "limit": limit})
        return [_placed(row) for row in rows.mappings()]

    @in_statement
    async def of_profile(self, connection: AsyncConnection, profile_id: str) -> ProfileFindings:
        found = (await connection.execute(_OF_PROFILE, {"profile_id": profile_id})).one()
        return ProfileFindings(
            has_batch=found.has_batch,
            watched_seconds=found.watched_seconds or 0.0,
            genre_shares=_read_shares(found.genre_shares) if found.genre_shares else {},
            suggestions=[_list(*one) for one in _read_lists(found.suggestions)] if found.suggestions else (),
        )

    @in_statement
    async def watch_seconds(self, connection: AsyncConnection) -> Mapping[str, float]:
        rows = await connection.execute(_WATCH_SECONDS)
        return {row.movie_id: row.watch_seconds for row in rows}

    async def close(self) -> None:
        await self.database.close()


def _placed(row: RowMapping) -> tuple[TitleCard, RowPosition]:
    columns = dict(row)
    position = RowPosition(float(columns.pop("rank")), columns["movie_id"])
    backdrop = read_backdrop(columns.pop("backdrop", None))
    return TitleCard(**columns, backdrop=backdrop), position


def _list(because_movie_id: str, because_title: str, items: list[_Item]) -> SuggestionList:
    return SuggestionList(
        because_movie_id,
        because_title,
        [
            RankedCard(
                one.rank,
                TitleCard(one.movie_id, one.title, one.year, one.poster, one.duration_seconds, one.genres),
            )
            for one in items
        ],
    )
