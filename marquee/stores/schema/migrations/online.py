"""Steps of a migration on a large table that processes read and write meanwhile.

Each step is committed by itself. A lock that readers wait for is held for milliseconds only. After a kill the migration runs
again from its first step, so each step may be repeated.
"""

from collections.abc import Callable
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import OperationalError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

LOCK_SECONDS: Final = 2
"""Readers queue behind a change of a table that waits for its lock. So it gives up soon, and tries again later."""
TRY_SECONDS: Final = 300.0
_IS_VALID: Final = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


def commit() -> None:
    """Commit what the migration did until now. Alembic begins the next transaction by itself."""
    with op.get_context().autocommit_block():
        pass


def change_table(change: Callable[[], None]) -> None:
    """Run and commit short statements that lock a table for readers too. Raises the lock's time-out after `TRY_SECONDS`."""
    for attempt in Retrying(
        retry=retry_if_exception(waited_for_lock),
        stop=stop_after_delay(TRY_SECONDS),
        wait=wait_random(0.2, 1.0),
        reraise=True,
    ):
        with attempt, op.get_bind().begin_nested():
            op.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            change()
            op.execute("SET LOCAL lock_timeout = 0")
    commit()


def replace_check(name: str, table: str, condition: str) -> None:
    """The rows are checked while others read and write the table."""

    def replace() -> None:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")

    change_table(replace)
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    commit()


def build_index(name: str, table: str, columns: list[Any], **options: Any) -> None:
    """Build an index while others write the table. One that a killed build left is not valid, and is built anew."""
    is_valid = op.get_bind().execute(_IS_VALID, {"name": name}).scalar_one_or_none()
    if is_valid:
        return
    with op.get_context().autocommit_block():
        if is_valid is not None:
            op.drop_index(name, table, postgresql_concurrently=True)
        op.create_index(name, table, columns, unique=False, postgresql_concurrently=True, **options)


def drop_index(name: str, table: str) -> None:
    with op.get_context().autocommit_block():
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)


def waited_for_lock(error: BaseException) -> bool:
    """True if a statement gave up because others hold its lock."""
    return isinstance(error, OperationalError) and isinstance(error.orig, psycopg.errors.LockNotAvailable)
