"""kafka-python's clients block, so each client has a daemon thread of its own, to which asyncio hands calls.

`ClientThread` runs calls one after the other, and an idle function between them. `Blocking` is one client in such a thread,
opened at the first call; opened anew after an error, or when a call hangs (a first poll of this client did). Queues are bounded.
A thread that hangs is abandoned; another thread closes its client, which ends its connections and heartbeats. A caller waits for
its turn at a client for OUTLAST_SECONDS in all, then `StoreUnavailable`.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, InvalidStateError
from typing import Any, Final, Generic, TypeVar

from kafka.errors import IllegalStateError, KafkaError, KafkaTimeoutError

from marquee.errors import StoreUnavailable
from marquee.stores.event_log.kafka import clients
from marquee.stores.event_log.kafka.clients import outlast

MAX_QUEUED_CALLS: Final = 64
HUNG_SECONDS: Final = 15.0
"""A call that takes longer hangs: the time-outs inside every call are shorter."""

Answer = TypeVar("Answer")
Client = TypeVar("Client")


class ClientThread:
    """Runs calls in order, each with its `Future`; `idle` after `idle_seconds` without a call. Ends by `end` or `abandon`."""

    def __init__(self, name: str, *, idle: Callable[[], None] | None = None, idle_seconds: float | None = None) -> None:
        self._calls: queue.Queue[tuple[Callable[[], Any], Future[Any]] | None] = queue.Queue(MAX_QUEUED_CALLS)
        self._idle = idle
        self._idle_seconds = idle_seconds
        self._busy_since: float | None = None
        self._current: Future[Any] | None = None
        self._abandoned: BaseException | None = None
        self._ended = False
        # Not of a pool: Python waits for a pool's threads at exit, and this one may hang.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def busy_seconds(self) -> float:
        """How long the current call has been running; 0 between calls."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def submit(self, call: Callable[[], Answer]) -> "Future[Answer]":
        future: Future[Answer] = Future()
        if self._abandoned is not None or self._ended:
            future.set_exception(self._abandoned or IllegalStateError("the client was closed"))
            return future
        try:
            self._calls.put_nowait((call, future))
        except queue.Full:
            future.set_exception(KafkaTimeoutError("too many calls wait for this client"))
        return future

    def end(self) -> None:
        """End after the calls that wait. Later calls fail with `IllegalStateError`."""
        self._ended = True
        with contextlib.suppress(queue.Full):
            self._calls.put_nowait(None)

    def abandon(self, error: BaseException) -> None:
        """Fail the current call and those that wait. The thread ends when its current call returns."""
        self._abandoned = error
        current = self._current
        if current is not None:
            with contextlib.suppress(InvalidStateError):
                current.set_exception(error)
        with contextlib.suppress(queue.Empty):
            while (waiting := self._calls.get_nowait()) is not None:
                with contextlib.suppress(InvalidStateError):  # its caller no longer waits
                    waiting[1].set_exception(error)
        self.end()

    def _run(self) -> None:
        while self._abandoned is None and not (self._ended and self._calls.empty()):
            try:
                item = self._calls.get(timeout=self._idle_seconds)
            except queue.Empty:
                self._turn(self._idle or (lambda: None), None)
                continue
            if item is None:
                return
            call, future = item
            if future.set_running_or_notify_cancel():
                self._turn(call, future)

    def _turn(self, call: Callable[[], Any], future: "Future[Any] | None") -> None:
        self._current, self._busy_since = future, time.monotonic()
        try:
            answer = call()
        except BaseException as error:
            if future is not None:
                with contextlib.suppress(InvalidStateError):
                    future.set_exception(error)
        else:
            if future is not None:
                with contextlib.suppress(InvalidStateError):
                    future.set_result(answer)
        finally:
            self._current, self._busy_since = None, None


class Blocking(Generic[Client]):
    """`make`, `close` and the functions given to `call` run in the client's thread."""

    def __init__(self, name: str, make: Callable[[], Client], close: Callable[[Client], None]) -> None:
        self._name = name
        self._make = make
        self._close = close
        self._client: Client | None = None
        self._thread: ClientThread | None = None
        self._turn = asyncio.Lock()

    async def call(self, use: Callable[[Client], Answer], *, until: float | None = None) -> Answer:
        """One try, which has to begin by `until` (the loop's clock; default: OUTLAST_SECONDS from now).

        Raises the client's own errors, `KafkaTimeoutError` for a call that hangs, and `StoreUnavailable` if earlier calls take
        until then.
        """
        async with self._in_turn(until):
            if self._thread is None:
                self._thread = ClientThread(self._name)
            future = self._thread.submit(lambda: use(self._open_client()))
            try:
                # Not wait_for: in Python 3.11 it sometimes swallows a cancellation.
                async with asyncio.timeout(HUNG_SECONDS):
                    return await asyncio.wrap_future(future)
            except TimeoutError as error:
                self._abandon_thread()
                raise KafkaTimeoutError(f"{self._name} did not answer within {HUNG_SECONDS:.0f} s") from error

    async def outlast(self, use: Callable[[Client], Answer]) -> Answer:
        """As `clients.outlast`, with a new client for each try. One deadline for the turns of all tries."""
        until = _last_turn()
        return await outlast(lambda: self.call(use, until=until), between=lambda: self.renew(until=until))

    @contextlib.asynccontextmanager
    async def _in_turn(self, until: float | None) -> AsyncIterator[None]:
        """One caller at a time. Earlier callers may have calls that hang."""
        try:
            async with asyncio.timeout_at(_last_turn() if until is None else until):
                await self._turn.acquire()
        except TimeoutError as error:
            raise StoreUnavailable(f"The event log did not answer: other calls to {self._name} wait for it.") from error
        try:
            yield
        finally:
            self._turn.release()

    async def renew(self, failed: Client | None = None, *, until: float | None = None) -> None:
        """Close the client, so that the next call opens a new one. With `failed`: only if that client is still in use."""
        with contextlib.suppress(KafkaError, OSError, RuntimeError, StoreUnavailable):
            async with self._in_turn(until), asyncio.timeout(HUNG_SECONDS):
                if self._thread is not None and (failed is None or failed is self._client):
                    await asyncio.wrap_future(self._thread.submit(self._close_client))

    async def close(self) -> None:
        await self.renew()
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    def _open_client(self) -> Client:
        if self._client is None:
            self._client = self._make()
        return self._client

    def _close_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._close(client)

    def _abandon_thread(self) -> None:
        thread, client = self._thread, self._client
        self._thread = self._client = None
        if thread is not None:
            thread.abandon(KafkaTimeoutError(f"{self._name} was abandoned"))
        if client is not None:
            close_aside(lambda: self._close(client))


def _last_turn() -> float:
    return asyncio.get_running_loop().time() + clients.OUTLAST_SECONDS


def close_aside(close: Callable[[], None]) -> None:
    """Close a client in a thread that nobody waits for: its own thread hangs, or closing may hang."""

    def closing() -> None:
        with contextlib.suppress(Exception):
            close()

    threading.Thread(target=closing, name="kafka-closing", daemon=True).start()
