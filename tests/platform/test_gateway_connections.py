"""Many idle connections of one address at the gateway: others are served, and the idle ones end."""

import contextlib
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from marquee.platform.programs import gateway
from marquee.settings import Settings
from tests.harness.gateways import Sender, lone_gateway

IDLE = 3_000
OUTER_SECONDS = 60.0
"""Less than the usual bound of an idle connection (75 s), and far above those that are tested."""
STRANGER, HONEST = "127.0.0.61", "127.0.0.62"


@pytest.fixture
def many_files() -> Iterator[None]:
    """This process may have a socket for each idle connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = IDLE + 1_000 if hard == resource.RLIM_INFINITY else min(hard, IDLE + 1_000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, enough), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connected(settings: Settings, request: bytes = b"") -> socket.socket:
    """A connection of the stranger. With a request its answer has come."""
    address = ("127.0.0.1", settings.port("gateway"))
    client = socket.create_connection(address, timeout=OUTER_SECONDS, source_address=(STRANGER, 0))
    if request:
        client.sendall(request)
        assert client.recv(65_536).startswith(b"HTTP/1.1 ")
    return client


def until_closed(client: socket.socket) -> None:
    """Return when the gateway has closed the connection. `TimeoutError` after OUTER_SECONDS."""
    with contextlib.suppress(ConnectionResetError):
        while client.recv(65_536):
            pass


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("begin", [b"", b"GE"], ids=["nothing", "half a method"])
def test_connections_without_a_request_hold_nobody_up_and_end(
    tmp_path: Path, begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "FIRST_BYTES_SECONDS", 4)
    with lone_gateway(tmp_path / "state") as settings, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connected(settings)) for _ in range(IDLE if not begin else 20)]
        for client in idle:
            client.sendall(begin)
        honest = Sender(settings, HONEST)
        assert honest.send("GET", "/api/v1/readyz")[0] == 200, f"{len(idle)} idle connections keep others out"
        for client in idle:
            until_closed(client)
        assert honest.send("GET", "/api/v1/readyz")[0] == 200


def test_idle_connections_end_sooner_when_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has sent one request. With this bound of the memory one connection counts as many."""
    monkeypatch.setattr(gateway, "HEAP_BYTES", 16 * 1024**2)
    with lone_gateway(tmp_path / "state") as settings:
        with connected(settings, b"GET /api/v1/readyz HTTP/1.1\r\nHost: x\r\n\r\n") as idle:
            until_closed(idle)
        assert Sender(settings, HONEST).send("GET", "/api/v1/readyz")[0] == 200


def test_past_the_most_connections_a_new_one_is_refused_until_one_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "MAX_CONNECTIONS", 40)
    monkeypatch.setattr(gateway, "FIRST_BYTES_SECONDS", 1)
    request = b"GET /api/v1/readyz HTTP/1.1\r\nHost: x\r\n\r\n"
    with lone_gateway(tmp_path / "state") as settings:
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(connected(settings)) for _ in range(80)]
            for client in held:
                until_closed(client)
        with connected(settings, request):
            pass
