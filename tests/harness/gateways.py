"""A gateway alone, with a server of the tests in the place of the API that answers with what it received."""

import contextlib
import http.client
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr

from marquee import token_keys
from marquee.platform.programs.gateway import gateway
from marquee.settings import Settings
from tests.harness.servers import make_test_settings, running


class _Mirror(http.server.BaseHTTPRequestHandler):
    """Answers with the request's method, path and headers as JSON."""

    protocol_version = "HTTP/1.1"
    # Head and body leave together: else each answer waits 40 ms for an acknowledgement.
    wbufsize = 65_536

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        received = {"method": self.command, "path": self.path, "headers": dict(self.headers)}
        body = json.dumps(received).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_DELETE = do_OPTIONS = do_HEAD = _answer

    def log_message(self, format: str, *args: object) -> None:
        return None


@contextlib.contextmanager
def lone_gateway(folder: Path, **overrides: object) -> Iterator[Settings]:
    """The settings of a running gateway."""
    settings = make_test_settings(folder, **overrides).model_copy(
        update={"token_private_key": SecretStr(token_keys.generate_private_key())}
    )
    settings.state.mkdir(exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", settings.port("api")), _Mirror)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with running(gateway(settings), settings.state):
            yield settings
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Sender:
    """A client on one connection from one loopback address; it changes nothing of the path."""

    def __init__(self, settings: Settings, address: str = "127.0.0.1") -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", settings.port("gateway"), timeout=20, source_address=(address, 0)
        )

    def send(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """(status, headers by lower-case name, body)."""
        self._connection.request(method, path, headers=dict(headers or {}))
        answer = self._connection.getresponse()
        body = answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body

    def statuses(self, count: int, method: str, path: str, headers: Mapping[str, str] | None = None) -> list[int]:
        """The statuses of `count` equal requests."""
        return [self.send(method, path, headers)[0] for _ in range(count)]

    def close(self) -> None:
        self._connection.close()


def refused(
    sender: Sender, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """(requests that passed before it, headers, body) of the first refusal."""
    for passed in range(1000):
        status, answered, body = sender.send(method, path, headers)
        if status == 429:
            return passed, answered, body
    raise AssertionError(f"1000 times {method} {path} were not refused")
