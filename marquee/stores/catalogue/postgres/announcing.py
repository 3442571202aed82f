"""Announced titles in bulk, and every search document for a rebuild of the index.

A batch is sent as one JSON text, which the server takes apart: three statements a batch, whatever its size.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.documents import SearchDocument
from marquee.stores.catalogue.postgres.changes import WRITE_DOCUMENTS, details_columns
from marquee.stores.catalogue.postgres.states import DELETED
from marquee.stores.catalogue.values import TitleDetails

BATCH_TITLES: Final = 1000
PAGE_DOCUMENTS: Final = 1000

Batch = dict[str, TitleDetails]

_KNOWN = text(
    f"SELECT movie_id FROM title WHERE movie_id = ANY(:movie_ids) AND state NOT IN {DELETED} FOR UPDATE"  # noqa: S608
)
# DO UPDATE draws the revision of a title that exists, under the lock of its row.
_ANNOUNCE = text(
    f"""
    INSERT INTO title AS kept (movie_id, title, year, description, genres, people, aka, votes, popularity,
                               words, state, announced, revision)
    SELECT movie_id, title, year, description, genres, people, aka, votes, popularity,
           array_to_tsvector(words), 'announced', true, nextval('title_revision')
    FROM jsonb_to_recordset(CAST(:batch AS jsonb))
         AS incoming (movie_id text, title text, year int, description text, genres text[], people text[],
                      aka text[], votes bigint, popularity float8, words text[])
    ORDER BY movie_id COLLATE "C"
    ON CONFLICT (movie_id) DO UPDATE
    SET title = excluded.title, year = excluded.year, description = excluded.description, genres = excluded.genres,
        people = excluded.people, aka = excluded.aka, votes = excluded.votes,
        popularity = excluded.popularity + CASE WHEN kept.state IN {DELETED} THEN 0 ELSE kept.watched_popularity END,
        watched_popularity = CASE WHEN kept.state IN {DELETED} THEN 0 ELSE kept.watched_popularity END,
        words = excluded.words, changed_at = now(),
        state = CASE WHEN kept.state IN {DELETED} THEN 'announced' ELSE kept.state END,
        announced = true, revision = nextval('title_revision')
    WHERE kept.state IN {DELETED}
       OR (kept.announced AND NOT EXISTS (SELECT FROM title_version AS v WHERE v.movie_id = kept.movie_id)
           AND (kept.title, kept.year, kept.description, kept.genres, kept.people, kept.aka, kept.votes)
               IS DISTINCT FROM (excluded.title, excluded.year, excluded.description, excluded.genres,
                                 excluded.people, excluded.aka, excluded.votes))
    RETURNING movie_id
    """  # noqa: S608
)
_DOCUMENTS = text(
    """
    SELECT document FROM title_document
    WHERE movie_id > :after AND document IS NOT NULL ORDER BY movie_id LIMIT :limit
    """
)


def batches(titles: Sequence[tuple[str, TitleDetails]]) -> Iterator[Batch]:
    """Of several details for one id the last counts."""
    for start in range(0, len(titles), BATCH_TITLES):
        yield dict(titles[start : start + BATCH_TITLES])


async def announce(connection: AsyncConnection, batch: Batch) -> int:
    known = set((await connection.execute(_KNOWN, {"movie_ids": list(batch)})).scalars())
    incoming = [{"movie_id": movie_id, **details_columns(details)} for movie_id, details in batch.items()]
    parameters = {"batch": msgspec.json.encode(incoming).decode()}
    changed = list((await connection.execute(_ANNOUNCE, parameters)).scalars())
    await connection.execute(WRITE_DOCUMENTS, {"movie_ids": changed})
    return len(set(changed) - known)


async def documents(connection: AsyncConnection, *, after: str) -> Sequence[SearchDocument]:
    found = await connection.execute(_DOCUMENTS, {"after": after, "limit": PAGE_DOCUMENTS})
    return [msgspec.convert(document, SearchDocument) for document in found.scalars()]
