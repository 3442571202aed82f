"""Writes what analytics found into PostgreSQL, by COPY.

One writer of a day, and one judge of a name, at a time: a lock of the transaction. Rows may be an iterator of any
length; they are sent as they come. An outage before the first row is waited through, one in the middle raises
`StoreUnavailable`: the transaction is undone, and the job is run again.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, Final

import psycopg
from psycopg import AsyncCursor, sql
from psycopg.rows import class_row

from marquee.errors import InputInvalid, StoreUnavailable
from marquee.stores.analytics.postgres_bulk import bulk_connection
from marquee.stores.analytics.writing import (
    BATCH_COLUMNS,
    BATCH_TABLES,
    DAY_COLUMNS,
    KEPT_BATCHES,
    Batch,
    BatchName,
    BatchNotJudged,
    BatchTable,
    DayTable,
    Row,
)

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('marquee.analytics'), hashtext(%s))"
_BATCH: Final = "SELECT batch_id, name, state, rows, through, reason FROM analytics_batch"


class PostgresFindingsWriter:
    def __init__(self, url: str) -> None:
        self._url = url

    async def write_day(self, day: date, tables: Mapping[DayTable, Iterable[Row]]) -> dict[DayTable, int]:
        written: dict[DayTable, int] = {}
        async with self._transaction() as cursor:
            await cursor.execute(_LOCK, [f"day {day}"])
            for table, rows in tables.items():
                columns = ("day", *DAY_COLUMNS[table])
                names = {
                    "table": sql.Identifier(table),
                    "made": sql.Identifier(f"made_{table}"),
                    "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
                }
                await cursor.execute(
                    sql.SQL("CREATE TEMPORARY TABLE {made} (LIKE {table}) ON COMMIT DROP").format(**names)
                )
                written[table] = await _copy(cursor, f"made_{table}", columns, ((day, *row) for row in rows))
                await cursor.execute(sql.SQL("DELETE FROM {table} WHERE day = %s").format(**names), [day])
                await cursor.execute(
                    sql.SQL("INSERT INTO {table} ({columns}) SELECT {columns} FROM {made}").format(**names)
                )
        return written

    async def days_with_facts(self, first: date, last: date) -> frozenset[date]:
        async with self._transaction() as cursor:
            await cursor.execute(
                "SELECT day FROM daily_title WHERE day BETWEEN %(first)s AND %(last)s "
                "UNION SELECT day FROM daily_search WHERE day BETWEEN %(first)s AND %(last)s",
                {"first": first, "last": last},
            )
            return frozenset([row[0] for row in await cursor.fetchall()])

    async def write_batch(self, name: BatchName, through: datetime, tables: Mapping[BatchTable, Iterable[Row]]) -> int:
        unknown = set(tables) ^ set(BATCH_TABLES[name])
        if unknown:
            raise ValueError(f"A batch of {name} has the tables {BATCH_TABLES[name]}, not {sorted(tables)}")
        async with self._transaction() as cursor:
            await cursor.execute(
                "INSERT INTO analytics_batch (name, state, rows, through) VALUES (%s, 'written', 0, %s) RETURNING batch_id",
                [name, through],
            )
            [batch_id] = await cursor.fetchone() or [0]
            written = 0
            # Straight into the tables: nobody reads a batch that is not accepted, and until the end nobody sees it.
            for table, rows in tables.items():
                columns = ("batch_id", *BATCH_COLUMNS[table])
                written += await _copy(cursor, table, columns, ((batch_id, *row) for row in rows))
            await cursor.execute("UPDATE analytics_batch SET rows = %s WHERE batch_id = %s", [written, batch_id])
        return int(batch_id)

    async def judge(self, batch_id: int, *, accepted: bool, reason: str | None = None) -> Batch:
        async with self._transaction() as cursor:
            name = (await _batch(cursor, batch_id)).name
            await cursor.execute(_LOCK, [f"batches of {name}"])
            batch = await _batch(cursor, batch_id)
            state = "accepted" if accepted else "refused"
            if batch.state == state:
                return batch
            if batch.state != "written":
                raise BatchNotJudged(f"Batch {batch_id} of {name} is {batch.state} already; make a new one.")
            if accepted:
                await self._supersede(cursor, batch)
            await cursor.execute(
                "UPDATE analytics_batch SET state = %s, reason = %s, judged_at = now() WHERE batch_id = %s",
                [state, reason, batch_id],
            )
            await cursor.execute(
                "DELETE FROM analytics_batch WHERE name = %(name)s AND state <> 'accepted' AND batch_id < ("
                " SELECT min(batch_id) FROM (SELECT batch_id FROM analytics_batch"
                " WHERE name = %(name)s AND batch_id <= %(judged)s ORDER BY batch_id DESC LIMIT %(kept)s) AS newest)",
                {"name": name, "judged": batch_id, "kept": KEPT_BATCHES},
            )
            return await _batch(cursor, batch_id)

    async def _supersede(self, cursor: AsyncCursor[Any], batch: Batch) -> None:
        await cursor.execute(
            "SELECT batch_id FROM analytics_batch WHERE name = %s AND state = 'accepted' FOR UPDATE", [batch.name]
        )
        found = await cursor.fetchone()
        if found is None:
            return
        if found[0] > batch.batch_id:
            raise BatchNotJudged(
                f"Batch {batch.batch_id} of {batch.name} is older than {found[0]}, which viewers have; make a new one."
            )
        await cursor.execute("UPDATE analytics_batch SET state = 'superseded' WHERE batch_id = %s", [found[0]])

    async def latest(self, name: BatchName) -> Batch | None:
        async with self._transaction() as cursor:
            return await _one_batch(cursor, "name = %s ORDER BY batch_id DESC LIMIT 1", name)

    async def ping(self) -> None:
        async with self._transaction():
            pass

    async def close(self) -> None:
        """Nothing stays open between two calls."""

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncCursor[Any]]:
        connection = await bulk_connection(self._url)
        try:
            # Commits at the end of the block, undoes everything after an exception, and closes the connection.
            async with connection, connection.cursor() as cursor:
                yield cursor
        except psycopg.DataError as error:
            raise InputInvalid(f"A finding cannot be stored: {_first_line(error)}.") from error
        except psycopg.IntegrityError as error:
            raise InputInvalid(f"Findings contradict each other: {_first_line(error)}.") from error
        except psycopg.OperationalError as error:
            raise StoreUnavailable(
                f"PostgreSQL was lost or too slow while findings were written, and nothing was changed: {_first_line(error)}."
            ) from error


async def _copy(cursor: AsyncCursor[Any], table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    async with cursor.copy(statement) as copy:
        for row in rows:
            await copy.write_row(row)
    return cursor.rowcount


async def _batch(cursor: AsyncCursor[Any], batch_id: int) -> Batch:
    found = await _one_batch(cursor, "batch_id = %s", batch_id)
    if found is None:
        raise BatchNotJudged(f"There is no batch {batch_id}: newer ones have taken its place.")
    return found


async def _one_batch(cursor: AsyncCursor[Any], condition: str, value: object) -> Batch | None:
    async with cursor.connection.cursor(row_factory=class_row(Batch)) as reading:
        await reading.execute(f"{_BATCH} WHERE {condition}", [value])
        return await reading.fetchone()


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or ["no reason was given"])[0].rstrip(".")
