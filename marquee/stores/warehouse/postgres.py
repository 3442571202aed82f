"""The warehouse in PostgreSQL, and how dbt and Great Expectations reach the same database.

Schemas `staging` (dbt's views), `marts_next`, `marts`; table `version_cost`. `publish` drops one schema and renames the
other; repeated after a lost answer to COMMIT, it finds its build published and is done. It waits for readers
`LOCK_SECONDS` at a time, so that a long report holds up no other reader behind it. With PostgreSQL down, a call is
repeated for some seconds, then raises `StoreUnavailable`.
"""

import contextlib
import random
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from marquee.errors import StoreUnavailable
from marquee.stores.connections.postgres import Database
from marquee.stores.connections.urls import libpq_url
from marquee.stores.warehouse.contract import MARTS, NEXT, MartBuild, MartsNotBuilt, PublishedVersion, VersionCost

LOCK_SECONDS: Final = 2
LOCK_ATTEMPTS: Final = 10
CONNECT_SECONDS: Final = 5
POLL_SECONDS: Final = 1.0
TLS_PARAMETERS: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey")

_HAS_BUILD: Final = text("SELECT to_regclass(:name) IS NOT NULL")
_THROUGH: Final = text("SELECT through, rows FROM analytics_batch WHERE name = :name AND state = 'accepted'")
_WITHOUT_COST: Final = text(
    """
    SELECT v.movie_id, v.version, u.size_bytes
    FROM title_version AS v
    JOIN upload AS u ON u.movie_id = v.movie_id AND u.version = v.version AND u.state = 'completed'
    LEFT JOIN version_cost AS c ON c.movie_id = v.movie_id AND c.version = v.version
    WHERE v.state IN ('playable', 'superseded') AND c.movie_id IS NULL
    ORDER BY v.updated_at, v.movie_id, v.version LIMIT :limit
    """
)
_SAVE_COST: Final = text(
    """
    INSERT INTO version_cost (movie_id, version, core_seconds, source_bytes, published_bytes)
    VALUES (:movie_id, :version, :core_seconds, :source_bytes, :published_bytes) ON CONFLICT DO NOTHING
    """
)


class PostgresWarehouse:
    def __init__(self, url: str) -> None:
        self._url = url
        self._opened: Database | None = None

    @property
    def _database(self) -> Database:
        """Opened at the first call: `exclusively` is used outside an event loop."""
        if self._opened is None:
            self._opened = Database(self._url)
        return self._opened

    async def begin(self) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(text(f"DROP SCHEMA IF EXISTS {NEXT} CASCADE"))

        await self._database.transaction_of(work)

    async def builds(self, schema: str) -> dict[str, MartBuild]:
        async def work(connection: AsyncConnection) -> dict[str, MartBuild]:
            return await _builds(connection, schema)

        return await self._database.transaction_of(work)

    async def publish(self) -> None:
        next_builds = await self.builds(NEXT)

        async def work(connection: AsyncConnection) -> None:
            if not await _builds(connection, NEXT):
                if next_builds and await _builds(connection, MARTS) == next_builds:
                    return  # an earlier attempt did it, and the answer to its COMMIT was lost
                raise MartsNotBuilt(f"The schema {NEXT} has no whole build of the marts: run the assets of dbt first.")
            await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
            await connection.execute(text(f"DROP SCHEMA IF EXISTS {MARTS} CASCADE"))
            await connection.execute(text(f"ALTER SCHEMA {NEXT} RENAME TO {MARTS}"))

        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_locked),
            stop=stop_after_attempt(LOCK_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.5, max=5.0),
            reraise=True,
        )
        try:
            await retrying(self._database.transaction_of, work)
        except DBAPIError as error:
            if not _is_locked(error):
                raise
            raise StoreUnavailable(
                f"Readers held the marts {LOCK_ATTEMPTS} times for {LOCK_SECONDS} s, and nothing was changed: run it again."
            ) from error

    async def accepted_through(self, name: str) -> datetime | None:
        rows = await self._database.statement(_THROUGH, {"name": name})
        return rows[0]["through"] if rows else None

    async def accepted_rows(self, name: str) -> int:
        rows = await self._database.statement(_THROUGH, {"name": name})
        return int(rows[0]["rows"]) if rows else 0

    async def title_counts(self) -> dict[str, int]:
        rows = await self._database.statement(text("SELECT state, count(*) AS titles FROM title GROUP BY state"), {})
        return {row["state"]: row["titles"] for row in rows}

    async def versions_without_cost(self, *, limit: int) -> Sequence[PublishedVersion]:
        rows = await self._database.statement(_WITHOUT_COST, {"limit": limit})
        return [PublishedVersion(row["movie_id"], row["version"], row["size_bytes"]) for row in rows]

    async def save_costs(self, costs: Sequence[VersionCost]) -> None:
        async def work(connection: AsyncConnection) -> None:
            if costs:
                await connection.execute(_SAVE_COST, [vars(cost) for cost in costs])

        await self._database.transaction_of(work)

    @contextlib.contextmanager
    def exclusively(self, what: str, *, wait_seconds: float) -> Iterator[None]:
        key = f"marquee.warehouse.{what}"
        until = time.monotonic() + wait_seconds
        try:
            connection = psycopg.connect(
                libpq_url(self._url), autocommit=True, connect_timeout=CONNECT_SECONDS, keepalives_idle=10
            )
        except psycopg.OperationalError as error:
            raise StoreUnavailable("PostgreSQL cannot be reached: check that it runs.") from error
        # The lock belongs to the session: it ends with the connection, also after SIGKILL.
        with contextlib.closing(connection):
            while not _try_lock(connection, key):
                if time.monotonic() > until:
                    raise StoreUnavailable(
                        f"Another run has held the lock of {what} for {wait_seconds:.0f} s: look at its run in Dagster."
                    )
                time.sleep(random.uniform(0.5, 1.5) * POLL_SECONDS)  # noqa: S311 - jitter
            yield

    def dbt_environment(self) -> dict[str, str]:
        given = {name: str(value) for name, value in conninfo_to_dict(libpq_url(self._url)).items()}
        for_libpq = {f"PG{name.upper()}": given[name] for name in TLS_PARAMETERS if name in given}
        return {
            "MARQUEE_DBT_HOST": given.get("host", "127.0.0.1").partition(",")[0],
            "MARQUEE_DBT_PORT": given.get("port", "5432").partition(",")[0],
            "MARQUEE_DBT_USER": given.get("user", ""),
            "MARQUEE_DBT_DATABASE": given.get("dbname", ""),
            "DBT_ENV_SECRET_PASSWORD": given.get("password", ""),
            **for_libpq,
        }

    def sqlalchemy_url(self) -> str:
        return libpq_url(self._url).replace("postgresql://", "postgresql+psycopg2://", 1).replace("$", "%24")

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()


async def _builds(connection: AsyncConnection, schema: str) -> dict[str, MartBuild]:
    if not (await connection.execute(_HAS_BUILD, {"name": f"{schema}.mart_build"})).scalar_one():
        return {}
    found = await connection.execute(text(f"SELECT name, rows, built_at, through FROM {schema}.mart_build"))  # noqa: S608
    return {row.name: MartBuild(row.rows, row.built_at, row.through) for row in found}


def _is_locked(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.errors.LockNotAvailable)


def _try_lock(connection: psycopg.Connection, key: str) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key]).fetchone()
    return bool(row and row[0])
