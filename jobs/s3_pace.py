"""`python -m jobs.s3_pace`: forwards requests from S3's proxy to S3, and ends a request whose client is too slow.

nginx (`s3-proxy`) has checked the request and opens one connection for each. A client has `client_idle_seconds` of waiting.
Each second of waiting for its bytes uses one up; each `upload_min_bytes_per_second` bytes give one back, up to the start
value. So a client that stalls, trickles or does not read its answer is ended after that time. A part of S bytes takes at most
`client_idle_seconds` + S / `upload_min_bytes_per_second`. Time that S3 takes does not count.
Nothing is stored: one buffer a connection. A part that was ended is sent again by its client.
"""

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from marquee.errors import SettingsInvalid
from marquee.http_problems import BY_STATUS, PART_TOO_SLOW, PROBLEM_MEDIA_TYPE, HttpProblem
from marquee.logs import get_logger
from marquee.processes.repeating import every
from marquee.processes.runner import Process, run_process
from marquee.settings import Settings
from marquee.stores.objects.bucket_url import parse_bucket

BUFFER_BYTES: Final = 128 * 1024
MAX_HEAD_BYTES: Final = 64 * 1024
CONNECT_SECONDS: Final = 2.0
STOP_SECONDS: Final = 5.0
"""How long requests may go on once the process is told to stop."""
ACCEPT_AGAIN_SECONDS: Final = 0.5
SAY_SECONDS: Final = 60.0
"""How often the log says how many requests were ended."""
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)

log = get_logger()


class TooSlow(Exception):
    """The client sent or read less than the minimum."""


class Unavailable(Exception):
    """S3 did not take the connection, or took too long."""


def answer(problem: HttpProblem) -> bytes:
    """A whole HTTP answer of our own: a problem document that a browser may read."""
    retry = problem.retry_after_seconds
    headers = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}",
        f"Content-Type: {PROBLEM_MEDIA_TYPE}",
        f"Content-Length: {len(problem.document)}",
        "Access-Control-Allow-Origin: *",
        "Access-Control-Expose-Headers: Retry-After",
        "Cache-Control: no-store",
        *([f"Retry-After: {retry}"] if retry else []),
        "Connection: close",
    )
    return ("\r\n".join(headers) + "\r\n\r\n" + problem.document).encode()


SLOW: Final = answer(PART_TOO_SLOW)
AWAY: Final = answer(BY_STATUS[503])


@dataclass
class Pace:
    """How many seconds a client may still be waited for."""

    seconds: float
    bytes_per_second: int

    def __post_init__(self) -> None:
        self._left = self.seconds

    @contextlib.asynccontextmanager
    async def client_waits(self) -> AsyncIterator[None]:
        """Run what waits for the client. Raises `TooSlow` when the seconds are used up."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._left):
                yield
        except TimeoutError:
            raise TooSlow from None
        self._left -= time.monotonic() - began

    def moved(self, size_bytes: int) -> None:
        self._left = min(self.seconds, self._left + size_bytes / self.bytes_per_second)


@contextlib.asynccontextmanager
async def s3_waits(seconds: float) -> AsyncIterator[None]:
    """Run what waits for S3. Raises `Unavailable` after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unavailable from None


class Forwarder:
    """Forwards each connection, one request, to `upstream`."""

    def __init__(self, upstream: tuple[str, int], settings: Settings) -> None:
        self._upstream = upstream
        self._settings = settings
        self._places = asyncio.Semaphore(settings.s3_connections)
        self.ended_slow = 0

    async def serve(self, client: socket.socket) -> None:
        """Forward one request and its answer. Never raises: whichever side fails, both connections are closed."""
        answered = asyncio.Event()
        with client:
            client.setblocking(False)
            try:
                async with self._places:
                    await self._forward(client, answered)
            except TooSlow:
                self.ended_slow += 1
                await _say(client, SLOW, answered)
            except Unavailable:
                await _say(client, AWAY, answered)
            except OSError:
                # The client or S3 went away: the other side sees the end of its connection, and the client sends the part again.
                return

    async def _forward(self, client: socket.socket, answered: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        with await self._connect() as server:
            sending = asyncio.create_task(self._send_request(client, server))
            answering = asyncio.create_task(loop.sock_recv(server, BUFFER_BYTES))
            try:
                # S3 may answer before it has read the whole request: a refusal.
                await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
                if not answering.done():
                    await sending
                async with s3_waits(self._settings.s3_answer_seconds):
                    block = await answering
                answered.set()
                await self._send_answer(client, server, block)
            finally:
                for task in (sending, answering):
                    task.cancel()
                await asyncio.gather(sending, answering, return_exceptions=True)

    async def _connect(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        async with s3_waits(CONNECT_SECONDS):
            try:
                found = await loop.getaddrinfo(*self._upstream, type=socket.SOCK_STREAM)
                family, kind, protocol, _, address = found[0]
                server = socket.socket(family, kind, protocol)
            except OSError as error:
                raise Unavailable from error
            try:
                server.setblocking(False)
                await loop.sock_connect(server, address)
            except BaseException as error:
                server.close()
                if isinstance(error, OSError):
                    raise Unavailable from error
                raise
            return server

    async def _send_request(self, client: socket.socket, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        pace = self._pace()
        head = b""
        while b"\r\n\r\n" not in head:
            async with pace.client_waits():
                block = await loop.sock_recv(client, BUFFER_BYTES)
            head += block
            if not block or len(head) > MAX_HEAD_BYTES + BUFFER_BYTES:
                raise OSError("the request has no end of its headers")
        end = head.index(b"\r\n\r\n") + 4
        stated = _LENGTH.search(head, 0, end)
        left = end + (int(stated[1]) if stated else 0) - len(head)
        async with s3_waits(self._settings.s3_answer_seconds):
            await loop.sock_sendall(server, head)
        view = memoryview(bytearray(BUFFER_BYTES if left > 0 else 0))
        while left > 0:
            async with pace.client_waits():
                size = await loop.sock_recv_into(client, view)
            if size == 0:
                raise OSError("the client ended its request early")
            pace.moved(size)
            left -= size
            async with s3_waits(self._settings.s3_answer_seconds):
                await loop.sock_sendall(server, view[:size])

    async def _send_answer(self, client: socket.socket, server: socket.socket, block: bytes) -> None:
        loop = asyncio.get_running_loop()
        pace = self._pace()
        while block:
            async with pace.client_waits():
                await loop.sock_sendall(client, block)
            pace.moved(len(block))
            async with s3_waits(self._settings.s3_answer_seconds):
                block = await loop.sock_recv(server, BUFFER_BYTES)

    def _pace(self) -> Pace:
        return Pace(self._settings.client_idle_seconds, self._settings.upload_min_bytes_per_second)


async def _say(client: socket.socket, answer: bytes, answered: asyncio.Event) -> None:
    """Send an answer of our own, unless S3's answer has begun."""
    if answered.is_set():
        return
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_sendall(client, answer)
            # A close with unread bytes would be a reset, and nginx would lose the answer.
            client.shutdown(socket.SHUT_WR)
            while await asyncio.get_running_loop().sock_recv(client, BUFFER_BYTES):
                pass


async def run(process: Process) -> None:
    settings = process.settings
    host = parse_bucket(settings.objects, setting="MARQUEE_OBJECTS_URL").host
    if host is None or settings.objects.startswith("s3+https:"):
        raise SettingsInvalid(
            "MARQUEE_OBJECTS_URL has to be s3+http://host:port/bucket for s3-pace: clients reach any other S3 by its own "
            "address, without this program.",
            field="MARQUEE_OBJECTS_URL",
        )
    forwarder = Forwarder((host.name, host.port), settings)
    address = (settings.inner_host, settings.port("s3_pace"))
    family = socket.AF_INET6 if ":" in settings.inner_host else socket.AF_INET
    with socket.create_server(address, family=family, backlog=1024) as listener:
        listener.setblocking(False)
        log.info("ready")
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(_accept(listener, forwarder))
            tasks.create_task(every(SAY_SECONDS, process.stop, lambda: _count(forwarder)))
            await process.stop.wait()
            serving.cancel()


async def _accept(listener: socket.socket, forwarder: Forwarder) -> None:
    loop = asyncio.get_running_loop()
    requests: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                client, _ = await loop.sock_accept(listener)
            except OSError as error:
                # Out of file descriptors, or the client went away: requests that are under way must not end for that.
                log.warning("a connection was not accepted", reason=str(error))
                await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
                continue
            request = asyncio.create_task(forwarder.serve(client))
            requests.add(request)
            request.add_done_callback(requests.discard)
    finally:
        if requests:
            await asyncio.wait(requests, timeout=STOP_SECONDS)
        for request in requests:
            request.cancel()


async def _count(forwarder: Forwarder) -> None:
    if forwarder.ended_slow:
        log.info("slow requests ended", requests=forwarder.ended_slow, seconds=SAY_SECONDS)
        forwarder.ended_slow = 0


if __name__ == "__main__":
    raise SystemExit(run_process("s3-pace", run))
