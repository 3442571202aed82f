"""A viewer's line between a browser and the platform: a SOCKS5 proxy with a bandwidth that changes, and a round-trip time.

All connections of the browser share one downlink, as they share one line at home: each sends one chunk in turn. A connection
costs one round trip before its first byte, and each chunk arrives half a round trip after it was sent. A bandwidth of 0 stalls
every connection, without an error. Requests are small, so the uplink delays them and does not limit them. Slow start and
packet loss are not modelled.

A proxy and not Chromium's own throttling: that one delays requests and not connections, answers "offline" with an error
where a tunnel stalls, and does not count the bytes of headers.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

SLICE_SECONDS: Final = 0.02
"""A chunk takes about this long on the line, so that connections share it evenly."""
MIN_CHUNK, MAX_CHUNK = 1448, 65_536
CONNECT_SECONDS: Final = 10.0
_ANSWER_OK: Final = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
_ANSWER_REFUSED: Final = b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"


@dataclass(frozen=True)
class Step:
    """`bits_per_second` for `seconds`. 0: nothing arrives."""

    seconds: float
    bits_per_second: float


class PacedLine:
    """The line. It is unlimited until `begin`. `received` counts bytes that reached the browser since then."""

    def __init__(self) -> None:
        self.port = 0
        self.received = 0
        self._steps: Sequence[Step] = ()
        self._rtt = 0.0
        self._begun = 0.0
        self._free_at = 0.0
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def proxy(self) -> str:
        """The proxy's address, as Chromium wants it."""
        return f"socks5://127.0.0.1:{self.port}"

    def begin(self, steps: Sequence[Step], rtt_seconds: float) -> None:
        """From now on the line follows `steps`, from the first one again after the last."""
        self._begun = asyncio.get_running_loop().time()
        self._free_at, self._steps, self._rtt, self.received = self._begun, tuple(steps), rtt_seconds, 0

    def end(self) -> None:
        """The line is unlimited again."""
        self._steps, self._rtt = (), 0.0

    def _now(self) -> tuple[float, float]:
        """The bandwidth at present in bits a second, and the loop's time at which it changes."""
        return bandwidth_at(self._steps, asyncio.get_running_loop().time() - self._begun)

    async def _send(self, size: int) -> None:
        """Wait until the line has carried so many bytes. Connections take turns in the order in which they asked."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            left = size * 8.0
            at = max(loop.time(), self._free_at)
            while left > 0 and self._steps:
                rate, until = bandwidth_at(self._steps, at - self._begun)
                carried = rate * (until - (at - self._begun))
                if carried >= left:
                    at += left / rate
                    left = 0
                else:
                    at, left = self._begun + until, left - carried
            self._free_at = at
            wait = at - loop.time()
            if wait > 0.001:
                await asyncio.sleep(wait)

    def _chunk(self) -> int:
        if not self._steps:
            return MAX_CHUNK
        return min(MAX_CHUNK, max(MIN_CHUNK, int(self._now()[0] / 8 * SLICE_SECONDS)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: asyncio.StreamWriter | None = None
        try:
            host, port = await _asked_for(reader, writer)
            await asyncio.sleep(self._rtt)
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    source, upstream = await asyncio.open_connection(host, port, limit=MAX_CHUNK)
            except OSError:
                writer.write(_ANSWER_REFUSED)
                await writer.drain()
                return
            writer.write(_ANSWER_OK)
            async with asyncio.TaskGroup() as both:
                down = both.create_task(self._download(source, writer))
                both.create_task(self._upload(reader, upstream, down))
        except* (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # either side went away: so does the connection
        finally:
            for each in (writer, upstream):
                if each is not None:
                    each.close()

    async def _download(self, source: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arriving: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
        loop = asyncio.get_running_loop()

        async def deliver() -> None:
            while True:
                due, data = await arriving.get()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                if not data:
                    return
                self.received += len(data)
                writer.write(data)
                await writer.drain()

        async with asyncio.TaskGroup() as group:
            group.create_task(deliver())
            while data := await source.read(self._chunk()):
                await self._send(len(data))
                await arriving.put((loop.time() + self._rtt / 2, data))
            await arriving.put((0.0, b""))
        writer.close()

    async def _upload(
        self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, down: asyncio.Task[None]
    ) -> None:
        while data := await reader.read(MAX_CHUNK):
            await asyncio.sleep(self._rtt / 2)
            upstream.write(data)
            await upstream.drain()
        down.cancel()  # the browser closed the connection: what is still on its way to it is dropped

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def paced_line() -> AsyncIterator[PacedLine]:
    """A line on a free port of this machine."""
    line = PacedLine()
    server = await asyncio.start_server(line._accept, "127.0.0.1", 0, limit=MAX_CHUNK)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        await line.close()


def bandwidth_at(steps: Sequence[Step], second: float) -> tuple[float, float]:
    """Bits a second at a second of the steps, which repeat, and the second at which that bandwidth ends."""
    total = sum(step.seconds for step in steps)
    if total <= 0:
        return float("inf"), float("inf")
    start = second // total * total
    for step in steps:
        start += step.seconds
        # The tolerance keeps a moment at a step's very end from belonging to it: it would carry nothing, for ever.
        if second < start - 1e-9:
            return step.bits_per_second, start
    return steps[0].bits_per_second, start + steps[0].seconds


async def _asked_for(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
    """SOCKS5 without authentication (RFC 1928): the address that the browser wants to reach."""
    _, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(b"\x05\x00")
    _, _, _, kind = await reader.readexactly(4)
    if kind == 1:
        host = ".".join(str(part) for part in await reader.readexactly(4))
    elif kind == 3:
        host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
    else:
        await reader.readexactly(16)
        host = "::1"
    (port,) = struct.unpack("!H", await reader.readexactly(2))
    return host, port
