"""Sends bytes that no client library sends, and reads the answer as a strict client would.

`exchange` writes the request, in pieces if wanted, and reads one answer. The answer's body ends where Content-Length or
the last chunk says, or where the server closes. An answer that fits none of these raises `BadAnswer`.
"""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SECONDS = 20.0
BODILESS = frozenset((204, 304))


class BadAnswer(AssertionError):
    """The server's bytes are no complete HTTP answer."""


@dataclass(frozen=True)
class RawAnswer:
    """`headers` as they came, with lower-case names."""

    status: int
    headers: Sequence[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        """All values of this header, joined as a list. Empty if it is missing."""
        return ", ".join(value for each, value in self.headers if each == name)


def exchange(url: str, *pieces: bytes, pause: float = 0.0, seconds: float = SECONDS) -> RawAnswer:
    """The answer to these bytes, sent with `pause` seconds between the pieces. 1xx answers are skipped.

    Raises `BadAnswer` if the server closes without an answer, or answers something that is not HTTP.
    """
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=seconds) as connection:
        try:
            for number, piece in enumerate(pieces):
                if number and pause:
                    time.sleep(pause)
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # A server may answer and close before it has read everything. Its answer must still be readable.
        head_only = pieces[0].startswith(b"HEAD ") if pieces else False
        return read_answer(connection, head_only=head_only)


def read_answer(connection: socket.socket, *, head_only: bool = False) -> RawAnswer:
    """The next final answer on this connection."""
    with connection.makefile("rb") as stream:
        while True:
            try:
                line = stream.readline()
            except ConnectionResetError as error:
                raise BadAnswer("the server reset the connection before it answered") from error
            if not line:
                raise BadAnswer("the server closed the connection without an answer")
            if not line.startswith(b"HTTP/1."):
                raise BadAnswer(f"not an HTTP answer: {line[:200]!r}")
            status = int(line.split()[1])
            headers = []
            while (line := stream.readline()) not in (b"\r\n", b"\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                headers.append((name.strip().lower(), value.strip()))
            if 100 <= status < 200:
                continue
            answer = RawAnswer(status, headers)
            if head_only or status in BODILESS:
                return answer
            if "chunked" in answer.header("transfer-encoding"):
                body = b""
                while size := int(stream.readline().split(b";")[0] or b"0", 16):
                    body += stream.read(size)
                    stream.readline()
                return RawAnswer(status, headers, body)
            length = answer.header("content-length")
            body = stream.read(int(length)) if length else stream.read()
            if length and len(body) != int(length):
                raise BadAnswer(f"{len(body)} bytes of a body of {length}")
            return RawAnswer(status, headers, body)
