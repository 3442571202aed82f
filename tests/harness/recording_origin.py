"""A bucket that has every object and records its requests: the origin of an edge under test."""

import http.server
import threading
from dataclasses import dataclass, field

BODY = b"0123456789" * 100
ETAG = '"as-it-was-stored"'


@dataclass
class Heard:
    path: str
    headers: dict[str, str]


@dataclass
class RecordingOrigin:
    """A bucket that has every object, and that records its requests."""

    heard: list[Heard] = field(default_factory=list)

    def __enter__(self) -> "RecordingOrigin":
        heard = self.heard

        class Answer(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                heard.append(Heard(self.path, {name.lower(): value for name, value in self.headers.items()}))
                unchanged = self.headers.get("If-None-Match") == ETAG
                self.send_response(304 if unchanged else 200)
                self.send_header("ETag", ETAG)
                self.send_header("Content-Length", "0" if unchanged else str(len(BODY)))
                self.end_headers()
                self.wfile.write(b"" if unchanged else BODY)

            def log_message(self, format: str, *args: object) -> None:
                return None

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *failure: object) -> None:
        self._server.shutdown()
        self._server.server_close()
