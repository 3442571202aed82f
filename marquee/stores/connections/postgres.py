"""PostgreSQL as every store of ours uses it: one bounded pool a URL and process, transactions, and what is tried again.

`Database.transaction_of(work)` runs one transaction; `statement_of(work)` and `statement(sql, ...)` run one statement without
BEGIN and COMMIT around it. A server that was killed is waited for: whatever failed before its COMMIT was sent has not
happened and is done again, with jitter, for at most `RETRY_SECONDS`; a lost answer to COMMIT is done again only where the
caller says that twice does no harm. After that, and when the pool is exhausted, `StoreUnavailable`.
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
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from marquee.errors import InputInvalid, StoreUnavailable
from marquee.stores.connections.urls import POOL_PARAMETER

SCHEMA: Final = "0002"
"""The newest of `marquee.stores.schema.migrations`. Each only adds to the one before, so that an older version may run on
a newer schema."""
_REMEDY: Final = "run `marquee prepare` of this version."
POOL_CONNECTIONS: Final = 16
"""Most connections of one process to one URL; `?pool_size=` in the URL states another number."""
POOL_WAIT_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 3
STATEMENT_SECONDS: Final = 10
ATTEMPT_SECONDS: Final = 30.0
"""Of one attempt, seen from here: a server that hangs keeps no time-out of its own."""
RETRY_SECONDS: Final = 20.0
"""A supervised server is back 1 to 3 s after SIGKILL, its recovery included; on a machine with all cores busy, in 10."""

TRANSIENT_STATES: Final = (
    "08",  # connection exceptions
    "40001",  # serialization failure
    "40P01",  # deadlock
    "53300",  # too many connections
    "57P01",  # the server is stopped by an administrator,
    "57P02",  # has crashed,
    "57P03",  # is starting
)

Result = TypeVar("Result")
Work = Callable[[AsyncConnection], Awaitable[Result]]
Parameters = Mapping[str, object]


class _TryAgain(Exception):
    """A transient failure of something that has certainly not happened, or may happen twice."""


@dataclass
class _Shared:
    engine: AsyncEngine
    autocommit: AsyncEngine
    """The same pool; made once, as an engine costs less here than an option on each connection."""
    users: int = 0


_SHARED: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Shared]]] = weakref.WeakKeyDictionary()


def _make_engine(url: str) -> AsyncEngine:
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    size = int(str(parsed.query.get(POOL_PARAMETER, POOL_CONNECTIONS)))
    options = (
        f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={STATEMENT_SECONDS}s "
        f"-c idle_in_transaction_session_timeout={2 * STATEMENT_SECONDS}s "
        # What is acknowledged is on disk, whatever the server's own default is.
        "-c synchronous_commit=on -c timezone=UTC"
    )
    return create_async_engine(
        parsed.difference_update_query([POOL_PARAMETER]),
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        # No ping before each use: a broken connection is noticed by its use, which empties the pool, and tried again.
        pool_pre_ping=False,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "options": options,
            # The supervisor names each process in PGAPPNAME, which goes before this.
            "fallback_application_name": "marquee",
            # Prepared at the second use on a connection.
            "prepare_threshold": 1,
            # A peer that vanished without a word is given up after this long.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 1000 * STATEMENT_SECONDS,
        },
    )


def is_transient(error: DBAPIError) -> bool:
    """True where the same work may succeed on another connection, or a moment later."""
    original = error.orig
    if error.connection_invalidated:
        return True
    if not isinstance(original, psycopg.Error):
        return False
    if original.sqlstate is None:
        # libpq's own: no connection, or one that broke.
        return isinstance(original, psycopg.OperationalError)
    return original.sqlstate.startswith(TRANSIENT_STATES)


class Database:
    """A lease on the pool that all stores of this process and event loop share for a URL; `close` gives it back."""

    def __init__(self, url: str) -> None:
        self._url = url
        shared = _SHARED.setdefault(asyncio.get_running_loop(), {})
        if url not in shared:
            engine = _make_engine(url)
            shared[url] = _Shared(engine, engine.execution_options(isolation_level="AUTOCOMMIT"))
        self._shared = shared[url]
        self._shared.users += 1
        self._closed = False

    @property
    def engine(self) -> AsyncEngine:
        return self._shared.engine

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._shared.users -= 1
        if not self._shared.users:
            _SHARED.get(asyncio.get_running_loop(), {}).pop(self._url, None)
            await self._shared.engine.dispose()

    async def transaction_of(self, work: Work[Result], *, repeatable: bool = True) -> Result:
        """Run `work` in one transaction. `repeatable`: doing it twice is the same as doing it once.

        Raises `StoreUnavailable`; `InputInvalid` for a value that no column can hold; whatever `work` raises.
        """

        async def attempt() -> Result:
            async with self.engine.connect() as connection:
                result = await work(connection)
                try:
                    await connection.commit()
                except DBAPIError as error:
                    if repeatable or not is_transient(error):
                        raise
                    raise StoreUnavailable("PostgreSQL was lost while it confirmed a change.") from error
                return result

        return await self._tried(attempt)

    async def statement_of(self, work: Work[Result], *, repeatable: bool = True) -> Result:
        """Run `work`, which makes one statement, without BEGIN and COMMIT: one round trip. Raises as `transaction_of`."""

        async def attempt() -> Result:
            async with self._shared.autocommit.connect() as connection:
                try:
                    return await work(connection)
                except DBAPIError as error:
                    if repeatable or not error.connection_invalidated:
                        raise
                    raise StoreUnavailable("PostgreSQL was lost while it made a change.") from error

        return await self._tried(attempt)

    async def statement(
        self, sql: TextClause, parameters: Parameters, *, repeatable: bool = True
    ) -> Sequence[RowMapping]:
        """One statement in one round trip; its rows. Raises as `transaction_of` does."""

        async def work(connection: AsyncConnection) -> Sequence[RowMapping]:
            result = await connection.execute(sql, parameters)
            return result.mappings().all() if result.returns_rows else ()

        return await self.statement_of(work, repeatable=repeatable)

    async def ping(self) -> None:
        """One round trip, not tried again: it answers, and has the tables of this version or a newer one.

        Raises `StoreUnavailable`.
        """
        try:
            async with asyncio.timeout(CONNECT_SECONDS), self.engine.connect() as connection:
                found = (
                    await connection.exec_driver_sql("SELECT version_num FROM alembic_version")
                ).scalar_one_or_none()
        except (DBAPIError, PoolTimeout, OSError, TimeoutError) as error:
            if isinstance(getattr(error, "orig", None), psycopg.errors.UndefinedTable):
                raise StoreUnavailable(f"The database has no tables yet: {_REMEDY}") from error
            raise StoreUnavailable("PostgreSQL does not answer.") from error
        if (found or "") < SCHEMA:
            raise StoreUnavailable(f"The database's schema is {found}, and this version needs {SCHEMA}: {_REMEDY}")

    async def _tried(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_TryAgain),
            stop=stop_after_delay(RETRY_SECONDS),
            wait=wait_random_exponential(multiplier=0.05, max=1.0),
            reraise=True,
        )
        try:
            async for trial in retrying:
                with trial:
                    return await _translated(attempt)
        except _TryAgain as error:
            raise StoreUnavailable("PostgreSQL does not answer; try again in a moment.") from error.__cause__
        raise AssertionError("tenacity ends by returning or raising")


async def _translated(attempt: Callable[[], Awaitable[Result]]) -> Result:
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            return await attempt()
    except TimeoutError as error:
        raise StoreUnavailable(f"PostgreSQL did not answer within {ATTEMPT_SECONDS:.0f} s.") from error
    except PoolTimeout as error:
        raise StoreUnavailable("PostgreSQL is busy: every connection of this process is in use.") from error
    except UnicodeEncodeError as error:
        raise InputInvalid("A text holds characters that are not Unicode.") from error
    except DBAPIError as error:
        if is_transient(error):
            raise _TryAgain from error
        if isinstance(error.orig, psycopg.DataError):
            raise InputInvalid(f"A value cannot be stored: {str(error.orig).splitlines()[0]}.") from error
        if isinstance(error.orig, (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)):
            raise StoreUnavailable(f"PostgreSQL did not answer within {STATEMENT_SECONDS} s.") from error
        raise
