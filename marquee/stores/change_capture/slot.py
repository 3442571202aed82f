"""The replication slot of change capture, which must fit the place that Debezium keeps outside PostgreSQL.

Also the names that the schema and change capture agree on, here so that change capture need not import the schema: with
SQLAlchemy it would compute for 0.8 s before its JVM.
"""

from typing import Final, Literal

import psycopg

from marquee.errors import StoreUnavailable
from marquee.stores.connections.urls import libpq_url

SLOT: Final = "marquee_search"
PUBLICATION: Final = "marquee_title_document"
"""The publication that change capture reads: `title_document` and the slot's heartbeat."""
HEARTBEAT_TABLE: Final = "change_capture_heartbeat"
CONNECT_SECONDS = 5

SlotState = Literal["kept", "missing"]


async def settle_slot(database_url: str, slot: str) -> SlotState:
    """Drop a slot whose WAL PostgreSQL gave up (`max_slot_wal_keep_size`); whether a usable one is there.

    Where it is missing, any place in the WAL that was noted is void: begin with a snapshot. Raises `StoreUnavailable`.
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
                    f"PostgreSQL's wal_level is {wal_level}, and change capture reads logical: "
                    "set `wal_level = logical` in its configuration and start it again."
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
        raise StoreUnavailable(f"PostgreSQL did not tell of the slot {slot}: {error}") from error
