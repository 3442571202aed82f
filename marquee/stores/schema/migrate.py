"""Brings a PostgreSQL database to the newest schema: `migrate(url)`, or `python -m marquee.stores.schema.migrate`.

It creates a missing database where the role may do that. An advisory lock lets one of several processes migrate; the others wait
and find nothing to do. A revision is one transaction, so a kill leaves it undone. One that changes a large table commits each
step instead (`migrations/online.py`): after a kill it goes on at the next start. The first revision drops dbt's views.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_random

from marquee.errors import StoreUnavailable
from marquee.stores.connections.urls import libpq_url

ADVISORY_LOCK: Final = 0x6D61727175656500
"""`marquee` in ASCII: the lock that migrations hold in the database that they change."""
VIEWS: Final = "staging"
"""The schema of dbt's views over the tables. A migration drops it, and dbt's next run makes it again."""
CONNECT_SECONDS: Final = 5
WAIT_SECONDS: Final = 1800.0
"""How long a process waits for another one that migrates. Millions of titles take minutes."""


def migrate(url: str) -> None:
    """Upgrade the database at a `postgresql://` URL to the newest revision; idempotent.

    Raises `StoreUnavailable` where the server cannot be reached or refuses, or another process migrates for too long.
    """
    ensure_database(url)
    with _locked(url) as connection:
        config = alembic_config(connection)
        newest = ScriptDirectory.from_config(config).get_current_head()
        if MigrationContext.configure(connection).get_current_revision() != newest:
            # PostgreSQL refuses to drop or retype a column that a view reads.
            connection.execute(text(f"DROP SCHEMA IF EXISTS {VIEWS} CASCADE"))
        connection.commit()
        command.upgrade(config, "head")


def draft(url: str, message: str) -> None:
    """Write the next revision: the difference between the tables and the database, which must be migrated."""
    with _locked(url) as connection:
        config = alembic_config(connection)
        newest = ScriptDirectory.from_config(config).get_current_head() or "0000"
        command.revision(config, message, autogenerate=True, rev_id=f"{int(newest) + 1:04d}")


@contextlib.contextmanager
def _locked(url: str) -> Iterator[Connection]:
    """A connection that holds the migrations' lock; committed at the end."""
    engine = create_engine(
        make_url(libpq_url(url)).set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )
    # The lock belongs to the session: it ends with the connection.
    with engine.connect() as connection:
        _lock(connection)
        yield connection
        connection.commit()


def _lock(connection: Connection) -> None:
    """Ask until the lock is free. A query that waits for it would be a transaction that CREATE INDEX CONCURRENTLY waits for.

    Raises `StoreUnavailable` after `WAIT_SECONDS`.
    """
    waiting = Retrying(
        retry=retry_if_result(lambda is_locked: not is_locked),
        stop=stop_after_delay(WAIT_SECONDS),
        wait=wait_random(0.05, 0.5),
    )
    try:
        waiting(_try_lock, connection)
    except RetryError as error:
        raise StoreUnavailable(
            f"Another process has been migrating the database for {WAIT_SECONDS / 60:.0f} minutes: look at its log."
        ) from error


def _try_lock(connection: Connection) -> bool:
    is_locked = connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": ADVISORY_LOCK}).scalar_one()
    connection.commit()
    return bool(is_locked)


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration in code: no file, and Alembic uses this connection."""
    config = Config()
    config.set_main_option("script_location", "marquee.stores.schema:migrations")
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def ensure_database(url: str) -> None:
    """Create the URL's database if it is missing; also used for Dagster's database.

    Raises `StoreUnavailable` with the server's message.
    """
    try:
        psycopg.connect(libpq_url(url), connect_timeout=CONNECT_SECONDS).close()
    except psycopg.OperationalError as error:
        # libpq gives no SQLSTATE while it connects, only a message.
        if "does not exist" not in str(error):
            raise StoreUnavailable(f"PostgreSQL cannot be reached: {str(error).strip()}") from error
        _create_database(url)


def _create_database(url: str) -> None:
    name = make_url(url).database or ""
    server = make_url(libpq_url(url)).set(database="postgres").render_as_string(hide_password=False)
    try:
        with psycopg.connect(server, connect_timeout=CONNECT_SECONDS, autocommit=True) as connection:
            # template0: PostgreSQL refuses to copy template1 while another session is connected to it.
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
            )
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return  # another start made it meanwhile
    except psycopg.Error as error:
        raise StoreUnavailable(f"The database {name} is missing and cannot be created: {str(error).strip()}") from error


if __name__ == "__main__":
    from marquee.settings import load_settings

    match sys.argv[1:]:
        case []:
            migrate(load_settings().database)
        case ["draft", message]:
            draft(load_settings().database, message)
        case _:
            sys.exit('usage: python -m marquee.stores.schema.migrate [draft "what changes"]')
