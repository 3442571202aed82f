"""An edge and the gateway end what is slow, and one address gets its share of an edge."""

import contextlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from marquee.documents.keys import images_prefix, poster
from marquee.platform.programs import edges
from marquee.settings import Settings
from tests.harness.s3 import MOVIE, store_every_kind
from tests.harness.servers import make_test_settings, running, running_s3

OUTER_SECONDS = 30.0
"""Far above each bound of these settings, so a slow machine fails no test."""
CONNECTIONS_PER_ADDRESS = 8
POSTER = f"/{images_prefix(MOVIE, 1)}{poster(640, 360)}"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = make_test_settings(
        tmp_path_factory.mktemp("slow-viewers"),
        client_header_seconds=1,
        client_idle_seconds=1,
        edge_connections=600,
        edge_connections_per_address=CONNECTIONS_PER_ADDRESS,
    )
    with running_s3(settings), running(edges.edge(settings, 1), settings.state):
        store_every_kind(settings)
        yield settings


def connected(settings: Settings, *, source: str = "127.0.0.2") -> socket.socket:
    address = ("127.0.0.1", settings.port("edge_1"))
    return socket.create_connection(address, timeout=OUTER_SECONDS, source_address=(source, 0))


def end_of(client: socket.socket) -> bytes:
    """All bytes until the server closes the connection. `TimeoutError` if it does not."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while block := client.recv(65536):
            received += block
    return received


def test_an_edge_ends_requests_that_do_not_come(edge: Settings) -> None:
    with connected(edge) as nothing, connected(edge) as half, connected(edge) as body:
        half.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
        body.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
        for client in (nothing, half, body):
            end_of(client)


def test_an_edge_serves_others_while_one_address_holds_what_it_can(edge: Settings) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(2_000):
            with contextlib.suppress(OSError):
                client = stack.enter_context(connected(edge))
                client.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        until = time.monotonic() + OUTER_SECONDS
        answers = []
        while not answers and time.monotonic() < until:
            with contextlib.suppress(httpx.HTTPError):
                answers.append(httpx.get(edge.edges[0] + POSTER, timeout=OUTER_SECONDS).status_code)
    assert answers == [200], "an edge answers nobody while one address holds 2,000 connections"
