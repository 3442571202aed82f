"""The replication slot that change capture reads from. The slot must fit the WAL position that Debezium stores in a file.

Also the names that the schema and change capture share. They are here so that change capture does not import the schema:
importing SQLAlchemy takes 0.8 s, before the JVM can start.
"""

from typing import Final, Literal

import psycopg

from marquee.errors import StoreUnavailable
from marquee.stores.connections.urls import libpq_url

SLOT: Final = "marquee_search"
PUBLICATION: Final = "marquee_title_document"
"""The publication that change capture reads: the tables `title_document` and HEARTBEAT_TABLE."""
HEARTBEAT_TABLE: Final = "change_capture_heartbeat"
CONNECT_SECONDS = 5

SlotState = Literal["kept", "missing"]


async def drop_slot_if_lost(database_url: str, slot: str) -> SlotState:
    """Drop the slot if PostgreSQL removed WAL that it needs (`max_slot_wal_keep_size`). Returns whether a usable slot exists.

    After "missing", a stored position in the WAL is void, and Debezium must begin with a snapshot. Raises `StoreUnavailable`,
    also if PostgreSQL's wal_level is not `logical`.
    """
    try:
        connection = await psycopg.AsyncConnection.connect(
            libpq_url(database_url), connect_timeout=CONNECT_SECONDS, autocommit=True
        )
        async with connection:
            cursor = await connection.execute("SELECT current_setting('wal_level')")
            (wal_level,) = await cursor.fetchone() or ("",)
            if wal_level != "logical":
                raise StoreUnavailable(
                    f"PostgreSQL's wal_level is {wal_level}, and change capture needs logical: "
                    "set `wal_level = logical` in PostgreSQL's configuration and restart it."
                )
            cursor = await connection.execute(
                "SELECT wal_status FROM pg_replication_slots WHERE slot_name = %s AND database = current_database()",
                (slot,),
            )
            found = await cursor.fetchone()
            if found is None:
                return "missing"
            if found[0] != "lost":
                return "kept"
            await connection.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
            return "missing"
    except psycopg.Error as error:
        raise StoreUnavailable(
            f"PostgreSQL did not answer a query about the replication slot {slot}: {error}"
        ) from error
