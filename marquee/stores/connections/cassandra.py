"""One bounded Cassandra client for a store: one session per URL, prepared statements, retries, a limit on everything.

`CassandraDatabase.execute(name, values)` runs one prepared statement. At most `in_flight` statements (of the URL) run at once
and the others wait for a slot. Past `MAX_CALLS_UNDER_WAY` waiting calls, the next one is refused. A failed statement, time-outs
included, is repeated with jitter for at most `RETRY_SECONDS`, then `StoreUnavailable` is raised: so each statement must be
harmless when it runs twice. No call takes longer than `RETRY_SECONDS` plus one request, its wait for a slot included, or than
its request's deadline (`marquee.deadlines`). The session connects at the first call, creates the missing keyspace and tables,
and reconnects to nodes that return.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cassandra.cluster import Cluster, ResponseFuture, Session
from cassandra.query import BatchStatement, BatchType, PreparedStatement, Statement
from tenacity import AsyncRetrying, retry_if_exception_type, stop_before_delay, wait_random_exponential

from marquee import deadlines
from marquee.errors import StoreUnavailable
from marquee.stores.connections import cassandra_session
from marquee.stores.connections.cassandra_session import (
    connect,
    create_missing_tables,
    is_refused,
    is_transient,
    reason_of,
)
from marquee.stores.connections.cassandra_url import parse

PING_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 30.0
"""A supervised single node is back 6 to 10 s after SIGKILL, and after 20 s if all cores are busy. A cluster answers sooner."""
SILENT_SECONDS: Final = 20.0
MAX_CALLS_UNDER_WAY: Final = 20_000
"""Calls of one process that run or wait for a slot."""
PING: Final = "SELECT release_version FROM system.local"

Row = tuple[Any, ...]


class Answer(NamedTuple):
    """The rows of one request. A long result comes in pages of `PAGE_ROWS` (`cassandra_session`)."""

    rows: Sequence[Row]
    next_page: bytes | None
    """The driver's paging state of the next page; None on the last page."""


class _TransientFailure(Exception):
    """A failure that may pass within seconds. Its `__cause__` is the driver's error."""


@dataclass(frozen=True)
class _OpenSession:
    cluster: Cluster
    session: Session
    statements: Mapping[str, PreparedStatement]


class CassandraDatabase:
    """A Cassandra client of one store. Connects at the first call. Raises `SettingsInvalid` for an unusable URL.

    `tables`: table name -> the columns of its CREATE TABLE. `statements`: statement name -> CQL, in which `{keyspace}` is
    replaced by the URL's keyspace.
    """

    def __init__(self, url: str, *, setting: str, tables: Mapping[str, str], statements: Mapping[str, str]) -> None:
        self._url = parse(url, setting=setting)
        self._tables = tables
        self._statements = statements
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Task[_OpenSession] | None = None
        self._closed = False
        self._slots = asyncio.Semaphore(self._url.in_flight)
        self._under_way = 0
        self._silent_since: float | None = None
        """When the first request was sent after the last answer."""
        self._outcomes: deque[tuple[asyncio.Future[Answer], Answer | BaseException]] = deque()
        self._wakeup_is_scheduled = False

    async def execute(self, name: str, values: Sequence[object], *, page: bytes | None = None) -> Answer:
        """Run one prepared statement. `page`: the `next_page` of the answer before. A write is on disk when this returns.

        Raises `StoreUnavailable`; a write may then have happened or not.
        """

        async def call(opened: _OpenSession) -> Answer:
            return await self._send(opened.session, opened.statements[name], values, page)

        return await self._bounded(call)

    async def execute_together(self, name: str, rows_of_values: Sequence[Sequence[object]]) -> None:
        """Write several rows of one partition in one request (an unlogged batch). Raises as `execute` does."""

        if len(rows_of_values) == 1:
            await self.execute(name, rows_of_values[0])
            return

        async def call(opened: _OpenSession) -> Answer:
            batch = BatchStatement(BatchType.UNLOGGED)
            for values in rows_of_values:
                batch.add(opened.statements[name], values)
            return await self._send(opened.session, batch, None, None)

        await self._bounded(call)

    async def ping(self) -> None:
        """One round trip, without retries. Raises `StoreUnavailable`."""
        try:
            async with asyncio.timeout(deadlines.at_most(PING_SECONDS)):
                opened = await self._open()
                await self._send(opened.session, PING, None, None)
        except (_TransientFailure, TimeoutError) as error:
            raise StoreUnavailable("Cassandra does not answer a ping: check that it runs.") from error

    async def close(self) -> None:
        """Close the session. Later calls raise `StoreUnavailable`."""
        self._closed = True
        opened, self._opened = self._opened, None
        if opened is not None:
            with contextlib.suppress(_TransientFailure, StoreUnavailable):
                await asyncio.to_thread((await opened).cluster.shutdown)

    async def _bounded(self, call: Callable[[_OpenSession], Awaitable[Answer]]) -> Answer:
        if self._under_way >= MAX_CALLS_UNDER_WAY:
            raise StoreUnavailable(
                f"Cassandra is busy: {self._under_way} requests of this process wait for it; try again in a moment."
            )
        self._under_way += 1
        max_seconds = deadlines.at_most(RETRY_SECONDS + cassandra_session.REQUEST_SECONDS)
        try:
            async with asyncio.timeout(max_seconds):
                try:
                    return await call(await self._open())
                except _TransientFailure:  # rare: tenacity costs as much as a request, so the first try does without
                    return await self._with_retries(call)
        except TimeoutError as error:
            self._drop_silent_session()
            raise StoreUnavailable(f"Cassandra did not answer within {max_seconds:.1f} s; try again soon.") from error
        finally:
            self._under_way -= 1

    async def _with_retries(self, call: Callable[[_OpenSession], Awaitable[Answer]]) -> Answer:
        seconds = deadlines.at_most(RETRY_SECONDS)
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_TransientFailure),
            stop=stop_before_delay(seconds),
            wait=wait_random_exponential(multiplier=0.05, max=1.0),
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    return await call(await self._open())
        except _TransientFailure as error:
            self._drop_silent_session()
            raise StoreUnavailable(
                f"Cassandra did not answer for {seconds:.1f} s ({reason_of(error.__cause__)})."
            ) from error.__cause__
        raise AssertionError("tenacity ends by returning or raising")

    async def _send(
        self, session: Session, statement: Statement | str, values: Sequence[object] | None, page: bytes | None
    ) -> Answer:
        await self._slots.acquire()
        # The driver gives up with the caller, so that the slot is free again. Its clock needs more than 0.
        seconds = deadlines.at_most(cassandra_session.REQUEST_SECONDS)
        if self._silent_since is None:
            self._silent_since = self._loop.time()
        answer: asyncio.Future[Answer] = self._loop.create_future()
        try:
            response = session.execute_async(statement, values, paging_state=page, timeout=max(seconds, 0.001))
        except BaseException:
            self._slots.release()
            raise
        response.add_callbacks(self._answered, self._failed, callback_args=(answer, response), errback_args=(answer,))
        try:
            return await answer
        except Exception as error:
            _raise_translated(error)
            raise

    # The driver calls the next two in its own thread.

    def _answered(self, rows: Sequence[Row] | None, answer: asyncio.Future[Answer], response: ResponseFuture) -> None:
        next_page = response.result().paging_state if response.has_more_pages else None
        self._queue_outcome(answer, Answer(rows or (), next_page))

    def _failed(self, error: BaseException, answer: asyncio.Future[Answer]) -> None:
        self._queue_outcome(answer, error)

    def _queue_outcome(self, answer: asyncio.Future[Answer], outcome: Answer | BaseException) -> None:
        # One wake-up of the loop delivers all outcomes that arrived until then. `_deliver_outcomes` clears the flag before
        # it reads the queue, so no outcome is left without a wake-up.
        self._outcomes.append((answer, outcome))
        if not self._wakeup_is_scheduled:
            self._wakeup_is_scheduled = True
            with contextlib.suppress(RuntimeError):  # the loop is closed, so no caller waits any more
                self._loop.call_soon_threadsafe(self._deliver_outcomes)

    def _deliver_outcomes(self) -> None:
        self._wakeup_is_scheduled = False
        while self._outcomes:
            answer, outcome = self._outcomes.popleft()
            # The slot is released here, not by the caller: a request is in flight until now even if its caller gave up.
            self._slots.release()
            if isinstance(outcome, Answer):
                self._silent_since = None
                if not answer.done():
                    answer.set_result(outcome)
            elif not answer.done():
                answer.set_exception(outcome)

    # --- the session ---------------------------------------------------------------------------------------

    async def _open(self) -> _OpenSession:
        """The open session. Calls that arrive while it opens wait for the same attempt."""
        if self._closed:
            raise StoreUnavailable("This Cassandra store was closed; open a new one.")
        if self._opened is None:
            self._opened = asyncio.create_task(self._connect_in_thread())
            self._opened.add_done_callback(self._forget_failed_opening)
        # Shielded: a caller that is cancelled must not cancel the attempt of the others.
        return self._opened.result() if self._opened.done() else await asyncio.shield(self._opened)

    def _forget_failed_opening(self, opening: asyncio.Task[_OpenSession]) -> None:
        failed = opening.cancelled() or opening.exception() is not None
        if failed and self._opened is opening:
            self._opened = None

    def _drop_silent_session(self) -> None:
        """Drop the session after `SILENT_SECONDS` with requests and without an answer; the next call opens a new one.

        Reason: the driver never reconnects to a node that refused the login once.
        """
        opened, silent_since = self._opened, self._silent_since
        if opened is None or not opened.done() or silent_since is None:
            return
        if self._loop.time() - silent_since > SILENT_SECONDS:
            self._opened = self._silent_since = None
            self._loop.run_in_executor(None, opened.result().cluster.shutdown)

    async def _connect_in_thread(self) -> _OpenSession:
        try:
            return await asyncio.to_thread(self._connect)
        except Exception as error:
            _raise_translated(error)
            raise

    def _connect(self) -> _OpenSession:
        cluster, session = connect(self._url)
        try:
            create_missing_tables(self._url, cluster, session, self._tables)
            statements = {
                name: session.prepare(cql.format(keyspace=self._url.keyspace)) for name, cql in self._statements.items()
            }
        except BaseException:
            cluster.shutdown()
            raise
        return _OpenSession(cluster, session, statements)


def _raise_translated(error: Exception) -> None:
    """Translate a known driver error into `StoreUnavailable` or `_TransientFailure`; return for any other error."""
    if is_refused(error):
        raise StoreUnavailable(
            f"Cassandra refuses this process ({reason_of(error)}): check user, password, rights and local_dc of the URL."
        ) from error
    if is_transient(error):
        raise _TransientFailure from error
