"""The outbox: messages committed with what they tell of, deleted once they are on the event log."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.stores.catalogue.values import OutboxEntry

_ADD = text("INSERT INTO outbox (topic, key, value) VALUES (:topic, :key, :value)")
_OLDEST = text("SELECT entry_id, topic, key, value FROM outbox ORDER BY entry_id LIMIT :limit")
_DELETE = text("DELETE FROM outbox WHERE entry_id = ANY(:entry_ids)")


async def add(connection: AsyncConnection, *, topic: str, key: str, value: bytes) -> None:
    await connection.execute(_ADD, {"topic": topic, "key": key, "value": value})


async def oldest(connection: AsyncConnection, *, limit: int) -> Sequence[OutboxEntry]:
    rows = (await connection.execute(_OLDEST, {"limit": limit})).mappings()
    return [OutboxEntry(**row) for row in rows]


async def mark_published(connection: AsyncConnection, entry_ids: Sequence[int]) -> None:
    await connection.execute(_DELETE, {"entry_ids": list(entry_ids)})
