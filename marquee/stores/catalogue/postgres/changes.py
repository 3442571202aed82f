"""What every change of a title does: it locks the title's row, derives the state from the versions, writes a new revision.

`write_new_revision` writes what follows from a change, all in the change's transaction: the revision, the row of
`title_document`, the places in the genre rows. Search may find a title while it is playable, or announced and neither unpublished
nor deleted.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.documents import BackdropPicture, OfferedTracks
from marquee.domain.lifecycle import DELETED_TITLES, derived_title_state, is_in_work
from marquee.domain.popularity import popularity_of
from marquee.errors import TitleUnknown
from marquee.stores.catalogue.postgres.states import PLAYABLE, WITHDRAWN
from marquee.stores.catalogue.values import Title, TitleDetails
from marquee.stores.search.relevance.text import words

_LISTED: Final = f"(title.state IN {PLAYABLE} OR (title.announced AND title.state NOT IN {WITHDRAWN}))"
_DOCUMENT: Final = f"""
    jsonb_build_object(
        'movie_id', title.movie_id, 'revision', title.document_revision, 'title', title.title, 'year', title.year,
        'aka', to_jsonb(title.aka), 'genres', to_jsonb(title.genres), 'people', to_jsonb(title.people),
        'description', title.description, 'popularity', title.popularity, 'playable', title.state IN {PLAYABLE},
        'duration_seconds', title.duration_seconds, 'poster', title.poster)
"""
"""A `SearchDocument`, built in SQL: 1,000 announced titles are one statement."""

COLUMNS: Final = """
    movie_id, title, year, description, genres, people, aka, votes, state, hot, revision, active_version,
    duration_seconds, poster, backdrop, tracks, sprite_vtt, manifest, dash, created_at, published_at
"""
_LOCKED = text(f"SELECT {COLUMNS} FROM title WHERE movie_id = :movie_id FOR UPDATE")  # noqa: S608
_EDIT_DETAILS = text(
    """
    UPDATE title SET title = :title, year = :year, description = :description, genres = CAST(:genres AS text[]),
                     people = CAST(:people AS text[]), aka = CAST(:aka AS text[]), votes = :votes,
                     popularity = :popularity + watched_popularity, words = array_to_tsvector(CAST(:words AS text[]))
    WHERE movie_id = :movie_id
    """
)
_STATES = text(
    """
    SELECT title.state, title.announced, title.active_version IS NOT NULL AS has_active_version,
           array(SELECT v.state FROM title_version AS v WHERE v.movie_id = title.movie_id ORDER BY v.version) AS versions
    FROM title WHERE title.movie_id = :movie_id
    """
)
SET_STATE = text("UPDATE title SET state = :state WHERE movie_id = :movie_id")
_NOTED: Final = """
    coalesce((SELECT jsonb_path_exists(v.notes, '$.*[*]') FROM title_version AS v WHERE v.movie_id = title.movie_id
              ORDER BY (v.version = title.active_version) DESC NULLS LAST, v.version DESC LIMIT 1), false)
"""
"""Whether the version whose notes the title shows has any."""
_FOLLOW_VERSIONS = text(
    f"""
    UPDATE title SET state = :state, in_work = :in_work, noted = {_NOTED}, changed_at = now() WHERE movie_id = :movie_id
    """  # noqa: S608
)
_FOLLOW_NOTES = text(
    f"UPDATE title SET noted = {_NOTED} WHERE movie_id = :movie_id AND noted IS DISTINCT FROM {_NOTED}"  # noqa: S608
)
_NEW_REVISION = text(
    """
    UPDATE title SET revision = nextval('title_revision'), changed_at = now() WHERE movie_id = :movie_id RETURNING revision
    """
)


def _write_documents(revision: str) -> TextClause:
    return text(
        f"""
        INSERT INTO title_document AS kept (movie_id, revision, document)
        SELECT movie_id, document_revision, CASE WHEN {_LISTED} THEN {_DOCUMENT} END
        FROM (SELECT *, {revision} AS document_revision FROM title WHERE movie_id = ANY(:movie_ids)) AS title
        WHERE {_LISTED} OR EXISTS (SELECT FROM title_document AS known WHERE known.movie_id = title.movie_id)
        ON CONFLICT (movie_id) DO UPDATE
        SET revision = excluded.revision, document = excluded.document, changed_at = now()
        """  # noqa: S608
    )


WRITE_DOCUMENTS = _write_documents("revision")
WRITE_MOVED_DOCUMENTS = _write_documents("nextval('title_revision')")
"""The document gets a revision of its own, higher than the title's: search takes it, and an open edit stays valid."""
_LEAVE_GENRES = text("DELETE FROM title_genre WHERE movie_id = :movie_id")
_JOIN_GENRES = text(
    f"""
    INSERT INTO title_genre (movie_id, genre, popularity)
    SELECT DISTINCT movie_id, lower(genre), popularity FROM title, unnest(genres) AS genre
    WHERE movie_id = :movie_id AND state IN {PLAYABLE}
    """  # noqa: S608
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
        "words": sorted(set(words(details.title))),
    }


def title_of(row: Mapping[Any, Any]) -> Title:
    columns = dict(row)
    details = {name: columns.pop(name) for name in ("title", "year", "description", "genres", "people", "aka", "votes")}
    return Title(
        details=TitleDetails(**details),
        backdrop=read_backdrop(columns.pop("backdrop")),
        tracks=msgspec.convert(columns.pop("tracks"), type=OfferedTracks | None),
        **columns,
    )


def read_backdrop(stored: Sequence[Any] | None) -> Sequence[BackdropPicture]:
    """The sizes in a row's column; none for a title that an earlier release published."""
    return msgspec.convert(stored or [], type=list[BackdropPicture])


async def find_title(connection: AsyncConnection, sql: TextClause, movie_id: str) -> Title:
    """Raises `TitleUnknown`, also for a deleted title."""
    row = (await connection.execute(sql, {"movie_id": movie_id})).mappings().one_or_none()
    if row is None or row["state"] in DELETED_TITLES:
        raise TitleUnknown(f"There is no title {movie_id}.", field="movie_id")
    return title_of(row)


async def lock_title(connection: AsyncConnection, movie_id: str) -> Title:
    """The title, its row locked until the transaction ends. Raises `TitleUnknown`, also for a deleted title."""
    return await find_title(connection, _LOCKED, movie_id)


async def edit_details(connection: AsyncConnection, movie_id: str, details: TitleDetails) -> None:
    """The title's row is locked."""
    await connection.execute(_EDIT_DETAILS, {"movie_id": movie_id, **details_columns(details)})
    await write_new_revision(connection, movie_id)


async def derive_state(connection: AsyncConnection, movie_id: str) -> None:
    """Set the title's state to what follows from its versions (`lifecycle.derived_title_state`), and what the list of titles
    is filtered by. The title's row is locked.
    """
    found = (await connection.execute(_STATES, {"movie_id": movie_id})).mappings().one()
    state = derived_title_state(
        found["state"],
        found["versions"],
        has_active_version=found["has_active_version"],
        announced=found["announced"],
    )
    following = {"movie_id": movie_id, "state": state, "in_work": is_in_work(found["versions"])}
    await connection.execute(_FOLLOW_VERSIONS, following)


async def follow_notes(connection: AsyncConnection, movie_id: str) -> None:
    """Note whether the version whose notes the title shows has any. The title's row is locked."""
    await connection.execute(_FOLLOW_NOTES, {"movie_id": movie_id})


async def write_new_revision(connection: AsyncConnection, movie_id: str) -> int:
    """A new revision, the search document (or its tombstone) and the genre rows of a title whose row is locked."""
    revision = (await connection.execute(_NEW_REVISION, {"movie_id": movie_id})).scalar_one()
    await connection.execute(WRITE_DOCUMENTS, {"movie_ids": [movie_id]})
    await connection.execute(_LEAVE_GENRES, {"movie_id": movie_id})
    await connection.execute(_JOIN_GENRES, {"movie_id": movie_id})
    return int(revision)
