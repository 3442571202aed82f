"""PostgreSQL for every store: one bounded pool for each URL and process, transactions, and retries.

`Database.transaction_of(work)` runs one transaction. `statement_of(work)` and `statement(sql, ...)` run one statement without
BEGIN and COMMIT. After a transient failure the work is repeated with jitter for at most `RETRY_SECONDS`, as long as a restarted
server needs. Work that failed before its COMMIT was sent did not happen, so it is always repeated. If the answer to a COMMIT is
lost, the work is repeated only if the caller says that it is `repeatable`. Then, or with no free connection after
`POOL_WAIT_SECONDS`, `StoreUnavailable` is raised. A request's deadline (`marquee.deadlines`) shortens all of these waits.
"""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import psycopg
from sqlalchemy import RowMapping, TextClause, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from tenacity import AsyncRetrying, retry_if_exception_type, stop_before_delay, wait_random_exponential

from marquee import deadlines
from marquee.errors import InputInvalid, StoreUnavailable
from marquee.stores.connections.postgres_connection import PostgresConnection
from marquee.stores.connections.urls import POOL_PARAMETER

SCHEMA: Final = "0012"
"""The newest revision of `marquee.stores.schema.migrations`. A migration only adds to the schema, so that an older version of
Marquee can run on a newer schema."""
_READ_FIRST: Final = "read the value before you change it again."
_REMEDY: Final = "run `marquee prepare` of this version."
POOL_CONNECTIONS: Final = 16
"""Maximum connections of one process to one URL. `?pool_size=` in the URL sets another number."""
POOL_WAIT_SECONDS: Final = 5.0
MAX_CALLS_PER_CONNECTION: Final = 32
"""Calls that may run or wait, for each connection of the pool. The next one is refused at once: waiting would not help it."""
CONNECT_SECONDS: Final = 3
STATEMENT_SECONDS: Final = 10
ATTEMPT_SECONDS: Final = 30.0
"""The client's limit for one attempt: a server that hangs does not keep its own statement time-out."""
RETRY_SECONDS: Final = 20.0
"""A supervised server is back 1 to 3 s after SIGKILL, recovery included, and after 10 s if all cores are busy."""

TRANSIENT_SQLSTATES: Final = (
    "08",  # connection exceptions
    "40001",  # serialization failure
    "40P01",  # deadlock
    "53300",  # too many connections
    "57P01",  # an administrator stopped the server
    "57P02",  # the server crashed
    "57P03",  # the server is starting
)

Result = TypeVar("Result")
Work = Callable[[AsyncConnection], Awaitable[Result]]
Parameters = Mapping[str, object]


class _TransientFailure(Exception):
    """A transient failure of work that certainly did not happen or that may happen twice."""


@dataclass
class _SharedPool:
    """The pool of one URL and event loop, and how many open `Database` objects use it."""

    engine: AsyncEngine
    autocommit: AsyncEngine
    """The same pool in autocommit mode. Made once: setting the mode on each connection would cost more."""
    max_calls: int
    users: int = 0
    calls: int = 0
    """Calls that run or wait for a connection."""


_POOLS: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _SharedPool]]] = (
    weakref.WeakKeyDictionary()
)


def _open_pool(url: str) -> _SharedPool:
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    size = int(str(parsed.query.get(POOL_PARAMETER, POOL_CONNECTIONS)))
    options = (
        f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={STATEMENT_SECONDS}s "
        f"-c idle_in_transaction_session_timeout={2 * STATEMENT_SECONDS}s "
        # A statement whose client gave up, and closed its connection, ends soon.
        "-c client_connection_check_interval=1s "
        # An acknowledged write is on disk, even if the server's default is another.
        "-c synchronous_commit=on -c timezone=UTC"
    )
    engine = create_async_engine(
        parsed.difference_update_query([POOL_PARAMETER]),
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        # No ping before each use. The first statement on a broken connection fails, which empties the pool, and is retried.
        pool_pre_ping=False,
        connect_args={
            "async_creator_fn": PostgresConnection.connect,
            "connect_timeout": CONNECT_SECONDS,
            "options": options,
            # The supervisor names each process by PGAPPNAME, which takes precedence over this name.
            "fallback_application_name": "marquee",
            # Prepare a statement at its second use on a connection.
            "prepare_threshold": 1,
            # Close a connection whose peer vanished without closing it: 25 s idle, STATEMENT_SECONDS with unacknowledged data.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 1000 * STATEMENT_SECONDS,
        },
    )
    return _SharedPool(
        engine, engine.execution_options(isolation_level="AUTOCOMMIT"), max_calls=MAX_CALLS_PER_CONNECTION * size
    )


def is_transient(error: DBAPIError) -> bool:
    """True if the same work may succeed on another connection or seconds later."""
    original = error.orig
    if error.connection_invalidated:
        return True
    if not isinstance(original, psycopg.Error):
        return False
    if original.sqlstate is None:
        # An error of libpq itself: no connection, or a broken one.
        return isinstance(original, psycopg.OperationalError)
    return original.sqlstate.startswith(TRANSIENT_SQLSTATES)


class Database:
    """A user of the pool that all stores of this process and event loop share for one URL. The last `close` closes the pool."""

    def __init__(self, url: str) -> None:
        self._url = url
        shared = _POOLS.setdefault(asyncio.get_running_loop(), {})
        if url not in shared:
            shared[url] = _open_pool(url)
        self._shared = shared[url]
        self._shared.users += 1
        self._closed = False

    @property
    def engine(self) -> AsyncEngine:
        return self._shared.engine

    async def close(self) -> None:
        """Give up the pool; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._shared.users -= 1
        if not self._shared.users:
            _POOLS.get(asyncio.get_running_loop(), {}).pop(self._url, None)
            await self._shared.engine.dispose()

    async def transaction_of(self, work: Work[Result], *, repeatable: bool = True) -> Result:
        """Run `work` in one transaction. `repeatable`: running it twice has the same result as running it once.

        Raises `StoreUnavailable`, `InputInvalid` for a value that a column cannot hold, and any error that `work` raises.
        """

        is_committing = False

        async def attempt() -> Result:
            nonlocal is_committing
            is_committing = False
            async with self.engine.connect() as connection:
                result = await work(connection)
                is_committing = True
                try:
                    await connection.commit()
                except DBAPIError as error:
                    if repeatable or not is_transient(error):
                        raise
                    raise StoreUnavailable(f"PostgreSQL was lost while it confirmed a change; {_READ_FIRST}") from error
                return result

        return await self._with_retries(attempt, is_unknown=lambda: is_committing and not repeatable)

    async def statement_of(self, work: Work[Result], *, repeatable: bool = True) -> Result:
        """Run `work`, a single statement, without BEGIN and COMMIT: one round trip. Raises as `transaction_of` does."""

        async def attempt() -> Result:
            async with self._shared.autocommit.connect() as connection:
                try:
                    return await work(connection)
                except DBAPIError as error:
                    if repeatable or not error.connection_invalidated:
                        raise
                    raise StoreUnavailable(f"PostgreSQL was lost while it made a change; {_READ_FIRST}") from error

        return await self._with_retries(attempt, is_unknown=lambda: not repeatable)

    async def statement(
        self, sql: TextClause, parameters: Parameters, *, repeatable: bool = True
    ) -> Sequence[RowMapping]:
        """Run one statement in one round trip and return its rows. Raises as `transaction_of` does."""

        async def work(connection: AsyncConnection) -> Sequence[RowMapping]:
            result = await connection.execute(sql, parameters)
            return result.mappings().all() if result.returns_rows else ()

        return await self.statement_of(work, repeatable=repeatable)

    async def ping(self) -> None:
        """Check in one round trip, without retries, that the server answers and its schema is `SCHEMA` or newer.

        Raises `StoreUnavailable`.
        """
        try:
            async with asyncio.timeout(deadlines.at_most(CONNECT_SECONDS)), self.engine.connect() as connection:
                found = (
                    await connection.exec_driver_sql("SELECT version_num FROM alembic_version")
                ).scalar_one_or_none()
        except (DBAPIError, PoolTimeout, OSError, TimeoutError) as error:
            if isinstance(getattr(error, "orig", None), psycopg.errors.UndefinedTable):
                raise StoreUnavailable(f"The database has no tables yet: {_REMEDY}") from error
            raise StoreUnavailable("PostgreSQL does not answer a ping: check that it runs.") from error
        if (found or "") < SCHEMA:
            raise StoreUnavailable(f"The database's schema is {found}, and this version needs {SCHEMA}: {_REMEDY}")

    async def _with_retries(
        self, attempt: Callable[[], Awaitable[Result]], *, is_unknown: Callable[[], bool]
    ) -> Result:
        """`is_unknown`: whether an attempt that takes too long may have made its change, and must not be repeated."""
        shared = self._shared
        if shared.calls >= shared.max_calls:
            raise StoreUnavailable(f"PostgreSQL is busy: {shared.calls} calls of this process wait; try again soon.")
        seconds = deadlines.at_most(RETRY_SECONDS)
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_TransientFailure),
            stop=stop_before_delay(seconds),
            wait=wait_random_exponential(multiplier=0.05, max=1.0),
            reraise=True,
        )
        shared.calls += 1
        try:
            async for retry in retrying:
                with retry:
                    return await _run_attempt(attempt, is_unknown)
        except _TransientFailure as error:
            raise StoreUnavailable(
                f"PostgreSQL did not answer for {seconds:.1f} s; try again soon."
            ) from error.__cause__
        finally:
            shared.calls -= 1
        raise AssertionError("tenacity ends by returning or raising")


async def _run_attempt(attempt: Callable[[], Awaitable[Result]], is_unknown: Callable[[], bool]) -> Result:
    seconds = deadlines.at_most(ATTEMPT_SECONDS)
    try:
        async with asyncio.timeout(seconds):
            return await attempt()
    except TimeoutError as error:
        if is_unknown():
            raise StoreUnavailable(
                f"PostgreSQL did not confirm a change within {seconds:.1f} s; {_READ_FIRST}"
            ) from error
        raise StoreUnavailable(f"PostgreSQL did not answer within {seconds:.1f} s; try again soon.") from error
    except PoolTimeout as error:
        raise StoreUnavailable(
            "PostgreSQL is busy: every connection of this process is in use; try again, or raise pool_size in the URL."
        ) from error
    except UnicodeEncodeError as error:
        raise InputInvalid("A text contains characters that are not Unicode; remove them.") from error
    except DBAPIError as error:
        if is_transient(error):
            raise _TransientFailure from error
        if isinstance(error.orig, psycopg.DataError):
            raise InputInvalid(f"A value cannot be stored: {str(error.orig).splitlines()[0]}.") from error
        if isinstance(error.orig, (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)):
            raise StoreUnavailable(f"PostgreSQL did not answer within {STATEMENT_SECONDS} s.") from error
        raise
