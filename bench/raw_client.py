"""A client that speaks raw HTTP/1.1 on one kept-alive connection, from a loopback address of its own.

A client library would cost more of the machine than the server that is measured.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

TIMEOUT_SECONDS: Final = 20.0
_LINE_BYTES: Final = 2**22


@dataclass(frozen=True)
class Answer:
    """`status` is 0 where no answer came: no connection, a closed one, or silence for TIMEOUT_SECONDS."""

    status: int
    head: bytes = b""
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a header in lower case; empty without it."""
        for line in self.head.lower().split(b"\r\n"):
            key, _, value = line.partition(b":")
            if key == name.encode():
                return value.strip().decode()
        return ""


class RawClient:
    """`address` is the loopback address that the server sees."""

    def __init__(self, url: str, address: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._address = str(parts.hostname), int(parts.port or 80), address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection; opened if there is none. Raises OSError."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(
                self._host, self._port, limit=_LINE_BYTES, local_addr=(self._address, 0)
            )
        return self._streams

    async def send(self, request: bytes) -> Answer:
        """The answer to the bytes of one request."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._sent(request)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            self.close()
            return Answer(0)

    async def _sent(self, request: bytes) -> Answer:
        reader, writer = await self.connected()
        writer.write(request)
        # The server may answer before it has read the whole body, and then close.
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        answer = Answer(int(head[9:12]), head)
        if answer.header("transfer-encoding") == "chunked":
            body = b""
            while size := int(await reader.readuntil(b"\r\n"), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        else:
            body = await reader.readexactly(int(answer.header("content-length") or 0))
        if answer.header("connection") == "close":
            self.close()
        return Answer(answer.status, head, body)

    def close(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


def request_bytes(method: str, path: str, *, body: bytes | None = None, token: str = "") -> bytes:
    """The bytes of a request; a body is JSON."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join((*lines, "", "")).encode() + (body or b"")
