"""Titles: reading, editing, taking out and back, and the one function that writes what follows from a change.

`write_consequences` gives the title a new revision, writes its row of `title_document` and its places in the genre rows. A
title is listed (has a document) while it is playable, or announced and neither unpublished nor deleted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.domain.popularity import popularity_of
from marquee.errors import RevisionConflict, TitleNotPlayable, TitleUnknown
from marquee.stores.catalogue.values import Title, TitleDetails, TitleState

LISTED: Final = "(title.state = 'playable' OR (title.announced AND title.state NOT IN ('unpublished', 'deleted')))"
DOCUMENT: Final = """
    jsonb_build_object(
        'movie_id', title.movie_id, 'revision', title.revision, 'title', title.title, 'year', title.year,
        'aka', to_jsonb(title.aka), 'genres', to_jsonb(title.genres), 'people', to_jsonb(title.people),
        'description', title.description, 'popularity', title.popularity, 'playable', title.state = 'playable',
        'duration_seconds', title.duration_seconds, 'poster', title.poster)
"""
"""A `SearchDocument`, made where the title is, so that 1,000 announced titles are one statement."""

_COLUMNS: Final = """
    movie_id, title, year, description, genres, people, aka, votes, state, hot, revision, active_version,
    duration_seconds, poster, sprite_vtt, manifest, dash, created_at, published_at
"""
_TITLE = text(f"SELECT {_COLUMNS} FROM title WHERE movie_id = :movie_id")  # noqa: S608 - no value is formatted in
_LOCKED = text(f"SELECT {_COLUMNS} FROM title WHERE movie_id = :movie_id FOR UPDATE")  # noqa: S608
_TITLES = text(
    f"""
    SELECT {_COLUMNS} FROM title
    WHERE movie_id > :after AND state <> 'deleted' ORDER BY movie_id LIMIT :limit
    """  # noqa: S608
)
_TITLES_IN_STATE = text(
    f"""
    SELECT {_COLUMNS} FROM title
    WHERE movie_id > :after AND state = :state ORDER BY movie_id LIMIT :limit
    """  # noqa: S608
)
_EDIT = text(
    """
    UPDATE title SET title = :title, year = :year, description = :description, genres = CAST(:genres AS text[]),
                     people = CAST(:people AS text[]), aka = CAST(:aka AS text[]), votes = :votes,
                     popularity = :popularity
    WHERE movie_id = :movie_id
    """
)
_SET_STATE = text("UPDATE title SET state = :state WHERE movie_id = :movie_id")
_SETTLE_STATE = text(
    """
    UPDATE title SET state = CASE
        WHEN state IN ('deleted', 'unpublished') THEN state
        WHEN active_version IS NOT NULL THEN 'playable'
        WHEN EXISTS (SELECT FROM title_version AS going WHERE going.movie_id = title.movie_id
                                                          AND going.state IN ('uploading', 'ingesting'))
            THEN 'ingesting'
        ELSE coalesce(
            (SELECT CASE ended.state WHEN 'failed' THEN 'failed' ELSE 'refused' END FROM title_version AS ended
             WHERE ended.movie_id = title.movie_id AND ended.state IN ('refused', 'failed', 'duplicate')
             ORDER BY version DESC LIMIT 1),
            'announced')
        END
    WHERE movie_id = :movie_id
    """
)
_DELETE = text(
    """
    UPDATE title SET state = 'deleted', announced = false, active_version = NULL, duration_seconds = NULL,
                     poster = NULL, sprite_vtt = NULL, manifest = NULL, dash = NULL, published_at = NULL
    WHERE movie_id = :movie_id
    """
)
# And with them who owns which content.
_DROP_VERSIONS = text("DELETE FROM title_version WHERE movie_id = :movie_id")

_NOTE_DELETED = text(
    """
    INSERT INTO deleted_title (movie_id) VALUES (:movie_id) ON CONFLICT (movie_id) DO UPDATE SET deleted_at = now()
    """
)
# An id that is announced again is a title's once more.
_DELETED_BEFORE = text(
    """
    SELECT movie_id FROM deleted_title JOIN title USING (movie_id)
    WHERE deleted_at < :moment AND title.state = 'deleted' ORDER BY deleted_at, movie_id LIMIT :limit
    """
)
_FORGET_DELETED = text("DELETE FROM deleted_title WHERE movie_id = :movie_id")

_NEW_REVISION = text(
    "UPDATE title SET revision = nextval('title_revision') WHERE movie_id = :movie_id RETURNING revision"
)
WRITE_DOCUMENTS = text(
    f"""
    INSERT INTO title_document AS kept (movie_id, revision, document)
    SELECT movie_id, revision, CASE WHEN {LISTED} THEN {DOCUMENT} END FROM title
    WHERE movie_id = ANY(:movie_ids)
      AND ({LISTED} OR EXISTS (SELECT FROM title_document AS known WHERE known.movie_id = title.movie_id))
    ON CONFLICT (movie_id) DO UPDATE
    SET revision = excluded.revision, document = excluded.document, changed_at = now()
    """  # noqa: S608
)
_LEAVE_GENRES = text("DELETE FROM title_genre WHERE movie_id = :movie_id")
_JOIN_GENRES = text(
    """
    INSERT INTO title_genre (movie_id, genre, popularity)
    SELECT DISTINCT movie_id, lower(genre), popularity FROM title, unnest(genres) AS genre
    WHERE movie_id = :movie_id AND state = 'playable'
    """
)


def details_columns(details: TitleDetails) -> dict[str, object]:
    return {
        "title": details.title,
        "year": details.year,
        "description": details.description,
        "genres": list(details.genres),
        "people": list(details.people),
        "aka": list(details.aka),
        "votes": details.votes,
        "popularity": popularity_of(details.votes),
    }


def _made(row: RowMapping) -> Title:
    columns = dict(row)
    details = {name: columns.pop(name) for name in ("title", "year", "description", "genres", "people", "aka", "votes")}
    return Title(details=TitleDetails(**details), **columns)


async def title(connection: AsyncConnection, movie_id: str) -> Title:
    row = (await connection.execute(_TITLE, {"movie_id": movie_id})).mappings().one_or_none()
    if row is None or row["state"] == "deleted":
        raise TitleUnknown(f"There is no title {movie_id}.", field="movie_id")
    return _made(row)


async def locked(connection: AsyncConnection, movie_id: str) -> Title:
    """The title, its row locked until the transaction ends. Raises `TitleUnknown`, also for a deleted title."""
    row = (await connection.execute(_LOCKED, {"movie_id": movie_id})).mappings().one_or_none()
    if row is None or row["state"] == "deleted":
        raise TitleUnknown(f"There is no title {movie_id}.", field="movie_id")
    return _made(row)


async def titles(
    connection: AsyncConnection, *, limit: int, after: str | None, state: TitleState | None
) -> Sequence[Title]:
    parameters = {"after": after or "", "limit": limit}
    if state is None:
        found = await connection.execute(_TITLES, parameters)
    else:
        found = await connection.execute(_TITLES_IN_STATE, {**parameters, "state": state})
    return [_made(row) for row in found.mappings()]


async def edit(connection: AsyncConnection, movie_id: str, details: TitleDetails, *, revision: int | None) -> Title:
    current = await locked(connection, movie_id)
    if revision is not None and revision != current.revision:
        raise RevisionConflict(
            f"The title changed meanwhile: it is at revision {current.revision}, not {revision}.", field="revision"
        )
    await connection.execute(_EDIT, {"movie_id": movie_id, **details_columns(details)})
    await write_consequences(connection, movie_id)
    return await title(connection, movie_id)


async def unpublish(connection: AsyncConnection, movie_id: str) -> Title:
    current = await locked(connection, movie_id)
    if current.state == "unpublished":
        return current
    if current.state not in ("playable", "announced"):
        raise TitleNotPlayable(f"The title is {current.state}: only a published one can be taken out.")
    await connection.execute(_SET_STATE, {"movie_id": movie_id, "state": "unpublished"})
    await write_consequences(connection, movie_id)
    return await title(connection, movie_id)


async def republish(connection: AsyncConnection, movie_id: str) -> Title:
    current = await locked(connection, movie_id)
    if current.state in ("playable", "announced"):
        return current
    if current.state != "unpublished":
        raise TitleNotPlayable(f"The title is {current.state}: there is nothing to publish.")
    # Back to what its versions make of it.
    await connection.execute(_SET_STATE, {"movie_id": movie_id, "state": "announced"})
    await settle_state(connection, movie_id)
    await write_consequences(connection, movie_id)
    return await title(connection, movie_id)


async def delete(connection: AsyncConnection, movie_id: str) -> Title:
    """The title as it was, so that the caller knows what to remove."""
    current = await locked(connection, movie_id)
    await connection.execute(_DELETE, {"movie_id": movie_id})
    await connection.execute(_DROP_VERSIONS, {"movie_id": movie_id})
    await connection.execute(_NOTE_DELETED, {"movie_id": movie_id})
    await write_consequences(connection, movie_id)
    return current


async def deleted_before(connection: AsyncConnection, moment: datetime, *, limit: int) -> Sequence[str]:
    return (await connection.execute(_DELETED_BEFORE, {"moment": moment, "limit": limit})).scalars().all()


async def forget_deleted(connection: AsyncConnection, movie_id: str) -> None:
    await connection.execute(_FORGET_DELETED, {"movie_id": movie_id})


async def settle_state(connection: AsyncConnection, movie_id: str) -> None:
    """Make the title's state what follows from its versions; a title that was taken out or deleted stays so."""
    await connection.execute(_SETTLE_STATE, {"movie_id": movie_id})


async def write_consequences(connection: AsyncConnection, movie_id: str) -> int:
    """A new revision, the document (or its tombstone) and the genre rows of a title whose row is locked."""
    revision = (await connection.execute(_NEW_REVISION, {"movie_id": movie_id})).scalar_one()
    await connection.execute(WRITE_DOCUMENTS, {"movie_ids": [movie_id]})
    await connection.execute(_LEAVE_GENRES, {"movie_id": movie_id})
    await connection.execute(_JOIN_GENRES, {"movie_id": movie_id})
    return int(revision)
