"""A turn: an advisory lock of a session in PostgreSQL, on a connection of its own that is held as long as the turn.

The server drops the lock with the connection, so after a SIGKILL the next process has it at once. No connection of the pool is
used: a pool of one connection would have none left.
"""

from typing import Final

import psycopg

from marquee.errors import StoreUnavailable
from marquee.stores.connections.postgres import CONNECT_SECONDS
from marquee.stores.connections.urls import libpq_url

_TAKE: Final = "SELECT pg_try_advisory_lock(hashtextextended('lake turn ' || %s, 0))"


class PostgresTurn:
    """See `Turn`."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    async def end(self) -> None:
        await self._connection.close()


async def take_turn(url: str, name: str) -> PostgresTurn | None:
    """Raises `StoreUnavailable`."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            libpq_url(url),
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            # A process that vanished with its host loses the turn after 25 s.
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        )
        try:
            found = await (await connection.execute(_TAKE, [name])).fetchone()
            if found and found[0]:
                return PostgresTurn(connection)
        except BaseException:
            await connection.close()
            raise
        await connection.close()
    except (psycopg.Error, OSError) as error:
        raise StoreUnavailable(f"PostgreSQL did not give a turn: {error}") from error
    return None
