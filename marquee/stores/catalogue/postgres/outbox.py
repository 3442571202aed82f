"""The outbox in the table `outbox`: entries are deleted once they are on the event log."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.stores.catalogue.values import OutboxEntry
from marquee.stores.connections.postgres import Database
from marquee.stores.connections.postgres_methods import in_statement

_ADD = text("INSERT INTO outbox (topic, key, value) VALUES (:topic, :key, :value)")
_OLDEST = text("SELECT entry_id, topic, key, value FROM outbox ORDER BY entry_id LIMIT :limit")
_DELETE = text("DELETE FROM outbox WHERE entry_id = ANY(:entry_ids)")


class PostgresOutbox:
    def __init__(self, database: Database) -> None:
        self.database = database

    @in_statement
    async def oldest(self, connection: AsyncConnection, *, limit: int = 100) -> Sequence[OutboxEntry]:
        rows = (await connection.execute(_OLDEST, {"limit": limit})).mappings()
        return [OutboxEntry(**row) for row in rows]

    @in_statement
    async def mark_published(self, connection: AsyncConnection, entry_ids: Sequence[int]) -> None:
        await connection.execute(_DELETE, {"entry_ids": list(entry_ids)})


async def add_entry(connection: AsyncConnection, *, topic: str, key: str, value: bytes) -> None:
    """Part of the transaction that the entry reports."""
    await connection.execute(_ADD, {"topic": topic, "key": key, "value": value})
