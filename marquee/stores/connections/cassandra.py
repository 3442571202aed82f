"""Cassandra as a store of ours uses it: one session a URL, prepared statements, answers awaited, a bound on everything.

`CassandraDatabase.execute(name, values)` runs one prepared statement; what runs at once is bounded (the others wait their
turn), and past `MAX_CALLS_UNDER_WAY` calls more are refused. All statements have to be harmless when done twice: what failed on
the way, time-outs included, is done again with jitter for at most `RETRY_SECONDS`, then `StoreUnavailable`. No call takes
longer than that and one request, however many wait before it. The session connects at the first call, makes the keyspace and
tables that are missing, and finds nodes that come back by itself.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cassandra.cluster import Cluster, ResponseFuture, Session
from cassandra.query import BatchStatement, BatchType, PreparedStatement, Statement
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from marquee.errors import StoreUnavailable
from marquee.stores.connections import cassandra_session
from marquee.stores.connections.cassandra_session import connect, is_refused, is_transient, make_missing, said
from marquee.stores.connections.cassandra_url import parse

PING_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 30.0
"""One node, supervised, is back 6 to 10 s after SIGKILL; on a machine with all cores busy, in 20. A cluster need not wait."""
MAX_CALLS_UNDER_WAY: Final = 20_000
PING: Final = "SELECT release_version FROM system.local"

Row = tuple[Any, ...]


class Answer(NamedTuple):
    rows: Sequence[Row]
    more: bytes | None
    """Where the next page begins; None on the last one."""


class _TryAgain(Exception):
    """A failure that may be over in a moment; its cause says what happened."""


@dataclass(frozen=True)
class _Opened:
    cluster: Cluster
    session: Session
    statements: Mapping[str, PreparedStatement]


class CassandraDatabase:
    """`tables`: name -> the columns of its CREATE TABLE. `statements`: name -> CQL in which `{keyspace}` stands for the
    URL's. Making one connects nothing yet. Raises `SettingsInvalid` for a URL that cannot be used.
    """

    def __init__(self, url: str, *, setting: str, tables: Mapping[str, str], statements: Mapping[str, str]) -> None:
        self._url = parse(url, setting=setting)
        self._tables = tables
        self._statements = statements
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Task[_Opened] | None = None
        self._closed = False
        self._slots = asyncio.Semaphore(self._url.in_flight)
        self._under_way = 0
        self._answered_at = self._loop.time()
        self._settled: deque[tuple[asyncio.Future[Answer], Answer | BaseException]] = deque()
        self._waking = False

    async def execute(self, name: str, values: Sequence[object], *, page: bytes | None = None) -> Answer:
        """One prepared statement; `page` is an earlier answer's `more`. A write is on disk when this returns.

        Raises `StoreUnavailable`; then it may or may not have happened.
        """

        async def call(opened: _Opened) -> Answer:
            return await self._answer(opened.session, opened.statements[name], values, page)

        return await self._bounded(call)

    async def execute_together(self, name: str, several: Sequence[Sequence[object]]) -> None:
        """A write with several values in one request, which all have to lie in one partition. Raises as `execute`."""

        if len(several) == 1:
            await self.execute(name, several[0])
            return

        async def call(opened: _Opened) -> Answer:
            batch = BatchStatement(BatchType.UNLOGGED)
            for values in several:
                batch.add(opened.statements[name], values)
            return await self._answer(opened.session, batch, None, None)

        await self._bounded(call)

    async def ping(self) -> None:
        """One round trip, not tried again. Raises `StoreUnavailable`."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                opened = await self._open()
                await self._answer(opened.session, PING, None, None)
        except (_TryAgain, TimeoutError) as error:
            raise StoreUnavailable("Cassandra does not answer.") from error

    async def close(self) -> None:
        self._closed = True
        opened, self._opened = self._opened, None
        if opened is not None:
            with contextlib.suppress(_TryAgain, StoreUnavailable):
                await asyncio.to_thread((await opened).cluster.shutdown)

    async def _bounded(self, call: Callable[[_Opened], Awaitable[Answer]]) -> Answer:
        if self._under_way >= MAX_CALLS_UNDER_WAY:
            raise StoreUnavailable("Cassandra is busy: too many requests of this process wait for it.")
        self._under_way += 1
        most_seconds = RETRY_SECONDS + cassandra_session.REQUEST_SECONDS
        try:
            async with asyncio.timeout(most_seconds):
                try:
                    return await call(await self._open())
                except _TryAgain:  # rare, and tenacity costs as much as a request does: only from here on
                    return await self._outlasting(call)
        except TimeoutError as error:
            self._give_up_session()
            raise StoreUnavailable(f"Cassandra did not answer within {most_seconds:.0f} s.") from error
        finally:
            self._under_way -= 1

    async def _outlasting(self, call: Callable[[_Opened], Awaitable[Answer]]) -> Answer:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_TryAgain),
            stop=stop_after_delay(RETRY_SECONDS),
            wait=wait_random_exponential(multiplier=0.05, max=1.0),
            reraise=True,
        )
        try:
            async for trial in retrying:
                with trial:
                    return await call(await self._open())
        except _TryAgain as error:
            self._give_up_session()
            raise StoreUnavailable(f"Cassandra does not answer ({said(error.__cause__)}).") from error.__cause__
        raise AssertionError("tenacity ends by returning or raising")

    async def _answer(
        self, session: Session, statement: Statement | str, values: Sequence[object] | None, page: bytes | None
    ) -> Answer:
        await self._slots.acquire()
        answer: asyncio.Future[Answer] = self._loop.create_future()
        try:
            response = session.execute_async(statement, values, paging_state=page)
        except BaseException:
            self._slots.release()
            raise
        response.add_callbacks(self._answered, self._failed, callback_args=(answer, response), errback_args=(answer,))
        try:
            return await answer
        except Exception as error:
            _raise_known(error)
            raise

    # The driver's thread calls these two.

    def _answered(self, rows: Sequence[Row] | None, answer: asyncio.Future[Answer], response: ResponseFuture) -> None:
        more = response.result().paging_state if response.has_more_pages else None
        self._settle(answer, Answer(rows or (), more))

    def _failed(self, error: BaseException, answer: asyncio.Future[Answer]) -> None:
        self._settle(answer, error)

    def _settle(self, answer: asyncio.Future[Answer], outcome: Answer | BaseException) -> None:
        # One wake-up for all that is there when the loop looks; it lets the flag fall before it looks.
        self._settled.append((answer, outcome))
        if not self._waking:
            self._waking = True
            with contextlib.suppress(RuntimeError):  # the loop is closed, and with it whoever waited
                self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        self._waking = False
        while self._settled:
            answer, outcome = self._settled.popleft()
            # Here and not where it is awaited: a request whose caller gave up is in flight until now.
            self._slots.release()
            if isinstance(outcome, Answer):
                self._answered_at = self._loop.time()
                if not answer.done():
                    answer.set_result(outcome)
            elif not answer.done():
                answer.set_exception(outcome)

    # The session.

    async def _open(self) -> _Opened:
        """The session; whoever comes while it is being opened waits for the same."""
        if self._closed:
            raise StoreUnavailable("This store was closed.")
        if self._opened is None:
            self._opened = asyncio.create_task(self._connected())
            self._opened.add_done_callback(self._forget_failure)
        # Shielded: one caller that gives up must not end it for the others.
        return self._opened.result() if self._opened.done() else await asyncio.shield(self._opened)

    def _forget_failure(self, opening: asyncio.Task[_Opened]) -> None:
        failed = opening.cancelled() or opening.exception() is not None
        if failed and self._opened is opening:
            self._opened = None

    def _give_up_session(self) -> None:
        """The driver stops looking for a node that once refused our login: past a while without an answer, begin anew."""
        opened = self._opened
        if opened is not None and opened.done() and self._loop.time() - self._answered_at > RETRY_SECONDS:
            self._opened = None
            self._answered_at = self._loop.time()
            self._loop.run_in_executor(None, opened.result().cluster.shutdown)

    async def _connected(self) -> _Opened:
        try:
            return await asyncio.to_thread(self._connect)
        except Exception as error:
            _raise_known(error)
            raise

    def _connect(self) -> _Opened:
        cluster, session = connect(self._url)
        try:
            make_missing(self._url, cluster, session, self._tables)
            statements = {
                name: session.prepare(cql.format(keyspace=self._url.keyspace)) for name, cql in self._statements.items()
            }
        except BaseException:
            cluster.shutdown()
            raise
        return _Opened(cluster, session, statements)


def _raise_known(error: Exception) -> None:
    """Raise what an error of the driver means; return for any other."""
    if is_refused(error):
        raise StoreUnavailable(f"Cassandra refuses this process: {said(error)}") from error
    if is_transient(error):
        raise _TryAgain from error
