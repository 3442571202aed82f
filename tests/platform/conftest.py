"""One real platform of engines, edges and gateway for all tests of this folder. A small server of the tests is its API."""

import asyncio
import http.server
import threading
from collections.abc import Iterator

import pytest

from marquee.platform.supervisor.supervision import start, stop
from marquee.platform.topology import PARTS
from marquee.settings import Settings
from tests.harness.s3 import store_every_kind
from tests.harness.servers import make_test_settings

APPLICATIONS = ("api", "transcode", "search-sync", "change-capture", "outbox", "housekeeping", "edge-logs")
DAGSTER = ("dagster-code-ingest", "dagster-code-analytics", "dagster-webserver", "dagster-daemon")


def without_all_but(*names: str) -> str:
    """Value of MARQUEE_WITHOUT that leaves out every program except these."""
    return ",".join(part.name for part in PARTS if part.name not in names)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Engines, edges, web and gateway under a real supervisor."""
    settings = make_test_settings(
        # A space, and a path longer than a socket's may be.
        tmp_path_factory.mktemp("a state folder whose path is far longer than a unix socket path may be") / "state",
        without=",".join((*APPLICATIONS, *DAGSTER)),
    )
    settings = asyncio.run(start(settings))
    yield settings
    asyncio.run(stop(settings))


@pytest.fixture(scope="module")
def every_kind(s3_server: Settings) -> Settings:
    """S3 alone, with an object of every kind in it."""
    store_every_kind(s3_server)
    return s3_server


class _Echo(http.server.BaseHTTPRequestHandler):
    """Answers every request with the request's path, so that a test sees what the gateway forwarded."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = f"{self.command} {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = _answer

    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture(scope="session")
def upstream(platform: Settings) -> Iterator[None]:
    """A server on each port where the gateway expects a process of the API."""
    ports = [int(url.rpartition(":")[2]) for url in platform.apis]
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", port), _Echo) for port in ports]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    for server in servers:
        server.shutdown()
