"""psycopg's connection, except that a caller that gives up does not wait for the server.

psycopg answers a cancellation by cancelling the statement over a second connection, and waits up to 10 s for both: as long as
the server hangs. Here the connection is closed at once. Its statement is then in an unknown state, so nobody may use the
connection again. The server ends the statement of a closed connection within `client_connection_check_interval` (`postgres`).
"""

from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg import IsolationLevel, waiting

Row = TypeVar("Row")


class PostgresConnection(psycopg.AsyncConnection[Row]):
    """An asynchronous connection that a cancelled wait closes."""

    async def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Raises as psycopg's does. After a cancellation the connection is closed."""
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except BaseException as error:
            if not isinstance(error, Exception):
                self.pgconn.finish()
            raise

    # SQLAlchemy calls the next two while it takes a connection out of the pool, and a cancellation there would lose the
    # connection until the garbage collector finds it. They send nothing, so they need no wait that could be cancelled.

    async def set_autocommit(self, value: bool) -> None:
        """For the next transaction."""
        _run_without_waiting(self._set_autocommit_gen(value))

    async def set_isolation_level(self, value: IsolationLevel | None) -> None:
        """For the next transaction."""
        _run_without_waiting(self._set_isolation_level_gen(value))


def _run_without_waiting(generator: Generator[Any, Any, None]) -> None:
    for _ in generator:
        raise AssertionError("psycopg waits for the server when it sets a connection's mode: look at its new version")
