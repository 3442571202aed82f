"""kafka-python's clients block, so each has a daemon thread that alone uses it; asyncio hands it calls and never waits in it.

`ClientThread` runs calls one after the other, and something else while there are none. `Blocking` is one client in such a
thread: made at the first call, made anew after an error or when a call hangs (this client's first poll was seen to). Queues
are bounded; a thread that hangs is left behind with its client closed from aside, which ends its connections and its
heartbeats. Whoever calls waits for its turn at a client for OUTLAST_SECONDS in all, then `StoreUnavailable`.
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
"""Every call has shorter time-outs of its own."""

Answer = TypeVar("Answer")
Client = TypeVar("Client")


class ClientThread:
    """Calls in order, each with its `Future`; `idle` every `idle_seconds` without one. Ends by `end` or `abandon`."""

    def __init__(self, name: str, *, idle: Callable[[], None] | None = None, idle_seconds: float | None = None) -> None:
        self._calls: queue.Queue[tuple[Callable[[], Any], Future[Any]] | None] = queue.Queue(MAX_QUEUED_CALLS)
        self._idle = idle
        self._idle_seconds = idle_seconds
        self._since: float | None = None
        self._current: Future[Any] | None = None
        self._abandoned: BaseException | None = None
        self._ended = False
        # A pool's threads would be joined at exit, and this one may hang.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def busy_seconds(self) -> float:
        """For how long it has been at what it is doing now."""
        since = self._since
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
        """After the calls that wait; later ones fail with `IllegalStateError`."""
        self._ended = True
        with contextlib.suppress(queue.Full):
            self._calls.put_nowait(None)

    def abandon(self, error: BaseException) -> None:
        """Fail what it is doing and what waits; it ends when it comes back, if it does."""
        self._abandoned = error
        current = self._current
        if current is not None:
            with contextlib.suppress(InvalidStateError):
                current.set_exception(error)
        with contextlib.suppress(queue.Empty):
            while (waiting := self._calls.get_nowait()) is not None:
                with contextlib.suppress(InvalidStateError):  # its caller gave it up
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
        self._current, self._since = future, time.monotonic()
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
            self._current, self._since = None, None


class Blocking(Generic[Client]):
    """`make` and `close` run in the client's thread, like everything that `call` is given."""

    def __init__(self, name: str, make: Callable[[], Client], close: Callable[[Client], None]) -> None:
        self._name = name
        self._make = make
        self._close = close
        self._client: Client | None = None
        self._thread: ClientThread | None = None
        self._turn = asyncio.Lock()

    async def call(self, use: Callable[[Client], Answer], *, until: float | None = None) -> Answer:
        """One try, begun by `until` (the loop's clock; default: OUTLAST_SECONDS from now).

        Raises the client's own errors, `KafkaTimeoutError` for a call that hangs, and `StoreUnavailable` where those before
        it left it no turn.
        """
        async with self._in_turn(until):
            if self._thread is None:
                self._thread = ClientThread(self._name)
            future = self._thread.submit(lambda: use(self._made()))
            try:
                # Not by wait_for: Python 3.11's now and then swallows a cancellation.
                async with asyncio.timeout(HUNG_SECONDS):
                    return await asyncio.wrap_future(future)
            except TimeoutError as error:
                self._leave()
                raise KafkaTimeoutError(f"{self._name} did not answer within {HUNG_SECONDS:.0f} s") from error

    async def outlast(self, use: Callable[[Client], Answer]) -> Answer:
        """As `kafka_clients.outlast`, with a new client each time; all its tries wait for their turns until one moment."""
        until = _last_turn()
        return await outlast(lambda: self.call(use, until=until), between=lambda: self.renew(until=until))

    @contextlib.asynccontextmanager
    async def _in_turn(self, until: float | None) -> AsyncIterator[None]:
        """One caller after the other: before it may be some whose calls hang."""
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
        """The next call finds a new client; where `failed` is given, only if it is still the one in use."""
        with contextlib.suppress(KafkaError, OSError, RuntimeError, StoreUnavailable):
            async with self._in_turn(until), asyncio.timeout(HUNG_SECONDS):
                if self._thread is not None and (failed is None or failed is self._client):
                    await asyncio.wrap_future(self._thread.submit(self._closed))

    async def close(self) -> None:
        await self.renew()
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    def _made(self) -> Client:
        if self._client is None:
            self._client = self._make()
        return self._client

    def _closed(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._close(client)

    def _leave(self) -> None:
        thread, client = self._thread, self._client
        self._thread = self._client = None
        if thread is not None:
            thread.abandon(KafkaTimeoutError(f"{self._name} was left behind"))
        if client is not None:
            close_aside(lambda: self._close(client))


def _last_turn() -> float:
    return asyncio.get_running_loop().time() + clients.OUTLAST_SECONDS


def close_aside(close: Callable[[], None]) -> None:
    """Close a client whose thread hangs, or whose closing may: in a thread that nobody waits for."""

    def closing() -> None:
        with contextlib.suppress(Exception):
            close()

    threading.Thread(target=closing, name="kafka-closing", daemon=True).start()
