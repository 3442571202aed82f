"""Titles in PostgreSQL: reading, editing, taking out and back, deleting, announcing.

What follows from a change is written by `changes`, announced titles in bulk by `announcing`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.documents import SearchDocument
from marquee.domain.lifecycle import PUBLISHED_TITLES
from marquee.domain.popularity import MAX_MOVED
from marquee.errors import RevisionConflict, TitleNotPlayable
from marquee.stores.catalogue.postgres import announcing, listing, watching
from marquee.stores.catalogue.postgres.changes import (
    COLUMNS,
    SET_STATE,
    derive_state,
    edit_details,
    find_title,
    lock_title,
    write_new_revision,
)
from marquee.stores.catalogue.postgres.states import DELETED
from marquee.stores.catalogue.values import ListedTitle, Title, TitleDetails, TitlePosition, TitleQuery
from marquee.stores.connections.postgres import Database
from marquee.stores.connections.postgres_methods import in_statement, in_transaction

_TITLE = text(f"SELECT {COLUMNS} FROM title WHERE movie_id = :movie_id")  # noqa: S608 - no value is formatted in
_DELETE = text(
    """
    UPDATE title SET state = 'deleted', announced = false, active_version = NULL, duration_seconds = NULL,
                     poster = NULL, backdrop = NULL, tracks = NULL, sprite_vtt = NULL, manifest = NULL, dash = NULL,
                     published_at = NULL, in_work = false, noted = false
    WHERE movie_id = :movie_id
    """
)
# Their rows of `title_content` go with them.
_DROP_VERSIONS = text("DELETE FROM title_version WHERE movie_id = :movie_id")

_NOTE_DELETED = text(
    """
    INSERT INTO deleted_title (movie_id) VALUES (:movie_id) ON CONFLICT (movie_id) DO UPDATE SET deleted_at = now()
    """
)
# Not a title whose id was announced again.
_DELETED_BEFORE = text(
    f"""
    SELECT movie_id FROM deleted_title JOIN title USING (movie_id)
    WHERE deleted_at < :moment AND title.state IN {DELETED} ORDER BY deleted_at, movie_id LIMIT :limit
    """  # noqa: S608
)
_MARK_REMOVED = text("DELETE FROM deleted_title WHERE movie_id = :movie_id")


class PostgresTitles:
    def __init__(self, database: Database) -> None:
        self.database = database

    @in_statement
    async def get(self, connection: AsyncConnection, movie_id: str) -> Title:
        return await find_title(connection, _TITLE, movie_id)

    @in_statement
    async def listed(self, connection: AsyncConnection, movie_id: str) -> ListedTitle:
        return await listing.listed(connection, movie_id)

    @in_statement
    async def page(
        self, connection: AsyncConnection, query: TitleQuery, *, limit: int, after: TitlePosition | None = None
    ) -> Sequence[ListedTitle]:
        return await listing.page(connection, query, limit=limit, after=after)

    async def edit(self, movie_id: str, details: TitleDetails, *, revision: int | None = None) -> Title:
        async def work(connection: AsyncConnection) -> Title:
            current = await lock_title(connection, movie_id)
            if revision is not None and revision != current.revision:
                raise RevisionConflict(
                    f"The title changed meanwhile: it is at revision {current.revision}, not {revision}.",
                    field="revision",
                )
            await edit_details(connection, movie_id, details)
            return await find_title(connection, _TITLE, movie_id)

        # Done twice, the second time would find the revision of the first and report a conflict.
        return await self.database.transaction_of(work, repeatable=revision is None)

    @in_transaction
    async def unpublish(self, connection: AsyncConnection, movie_id: str) -> Title:
        current = await lock_title(connection, movie_id)
        if current.state == "unpublished":
            return current
        if current.state not in PUBLISHED_TITLES:
            raise TitleNotPlayable(f"The title is {current.state}: only a published one can be taken out.")
        await connection.execute(SET_STATE, {"movie_id": movie_id, "state": "unpublished"})
        await write_new_revision(connection, movie_id)
        return await find_title(connection, _TITLE, movie_id)

    @in_transaction
    async def republish(self, connection: AsyncConnection, movie_id: str) -> Title:
        current = await lock_title(connection, movie_id)
        if current.state in PUBLISHED_TITLES:
            return current
        if current.state != "unpublished":
            raise TitleNotPlayable(f"The title is {current.state}: there is nothing to publish.")
        # `derive_state` leaves an unpublished title as it is.
        await connection.execute(SET_STATE, {"movie_id": movie_id, "state": "announced"})
        await derive_state(connection, movie_id)
        await write_new_revision(connection, movie_id)
        return await find_title(connection, _TITLE, movie_id)

    async def delete(self, movie_id: str) -> Title:
        async def work(connection: AsyncConnection) -> Title:
            current = await lock_title(connection, movie_id)
            await connection.execute(_DELETE, {"movie_id": movie_id})
            await connection.execute(_DROP_VERSIONS, {"movie_id": movie_id})
            await connection.execute(_NOTE_DELETED, {"movie_id": movie_id})
            await write_new_revision(connection, movie_id)
            return current

        # Done twice, the second time would find no title.
        return await self.database.transaction_of(work, repeatable=False)

    @in_statement
    async def deleted_before(self, connection: AsyncConnection, moment: datetime, *, limit: int = 100) -> Sequence[str]:
        return (await connection.execute(_DELETED_BEFORE, {"moment": moment, "limit": limit})).scalars().all()

    @in_statement
    async def mark_removed(self, connection: AsyncConnection, movie_id: str) -> None:
        await connection.execute(_MARK_REMOVED, {"movie_id": movie_id})

    async def announce(self, titles: Sequence[tuple[str, TitleDetails]]) -> int:
        new = 0
        for batch in announcing.batches(titles):
            new += await self.database.transaction_of(partial(announcing.announce, batch=batch))
        return new

    @in_transaction
    async def follow_watching(
        self, connection: AsyncConnection, watch_seconds: Mapping[str, float], *, limit: int = MAX_MOVED
    ) -> Mapping[str, Sequence[str]]:
        return await watching.follow_watching(connection, watch_seconds, limit=limit)

    async def documents(self) -> AsyncIterator[SearchDocument]:
        """Pages by movie_id, each one statement: a rebuild survives a restart of the server and holds no snapshot."""
        after = ""
        while page := await self.database.statement_of(partial(announcing.documents, after=after)):
            for document in page:
                yield document
            after = page[-1].movie_id
