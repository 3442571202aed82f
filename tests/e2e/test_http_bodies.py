"""Bodies over a limit, bodies that end early, and clients that go away.

A body over the limit is 413 and nothing else: 3 of 61 were 503, because the API answered and closed before it had read the body.
"""

import itertools
import socket
import struct

import pytest

from tests.harness.api_doors import JSON, PROGRESS, Doors
from tests.harness.http_probes import Probe, check_problem, chunked, get
from tests.harness.raw_http import exchange

KIB = 1024
UPLOAD = "/api/v1/uploads/u_00000000000000000000"
GOOD = b'{"movie_id":"m_00000000000000000001","position_seconds":1}'


def framed(doors: Doors, path: str, size: int, way: str) -> list[bytes]:
    """A request with a body of this size, cut into what is sent at once."""
    body = b'{"a":"' + b"x" * (size - 8) + b'"}'
    if way == "chunked":
        head = chunked(b"", path=path.encode(), headers=f"{doors.login}\r\n{JSON}\r\n".encode())
        pieces = [body[n : n + 65_536] for n in range(0, size, 65_536)]
        return [head, *(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces), b"0\r\n\r\n"]
    more = ("Expect: 100-continue",) if way == "expecting" else ()
    whole = get(path, doors.login, JSON, *more, method="POST", body=body)
    head, step = whole[: len(whole) - size], size // 4 + 1
    return [head, *(body[n : n + step] for n in range(0, size, step))]


LIMITS = {PROGRESS: 64 * KIB, "/api/v1/sessions": 64 * KIB, f"{UPLOAD}/complete": 2 * KIB * KIB}


@pytest.mark.parametrize("way", ["sized", "slow", "expecting", "chunked"])
@pytest.mark.parametrize("path", LIMITS)
def test_a_body_over_the_limit_is_413_and_nothing_else(doors: Doors, path: str, way: str) -> None:
    limit = LIMITS[path]
    sizes = [limit + 1, limit + 7000, 2 * limit - 100, 4 * KIB * KIB - 1, 4 * KIB * KIB + 1, 6 * KIB * KIB]
    for size, url in itertools.product(sizes, (doors.gateway, doors.api)):
        answer = exchange(url, *framed(doors, path, size, way), pause=0.01 if way == "slow" else 0.0)
        code = "request-too-large" if url == doors.gateway and size > 4 * KIB * KIB else "body-too-large"
        check_problem(answer, Probe(f"{size} bytes, {way}, at {url}", b"POST", 413, code))
    for url in (doors.gateway, doors.api):
        answer = exchange(url, *framed(doors, path, limit, way))
        assert answer.status == 400, "a body of exactly the limit is read"


def test_a_client_that_goes_away_is_no_error_of_ours(doors: Doors) -> None:
    logs = {log: log.stat().st_size for log in (doors.settings.state / "logs").glob("api*.log")}
    assert logs, "the API's log has another name"
    halves = [
        doors.post(b"x" * 1000)[:-500],
        get("/api/v1/nothing", doors.login, method="POST", body=b"x" * 1000)[:-500],
        chunked(b"5\r\nabcde\r\n", path=PROGRESS.encode(), headers=f"{doors.login}\r\n{JSON}\r\n".encode()),
        get("/api/v1/home", doors.login),
        doors.post(GOOD),
    ]
    for url, half, reset in itertools.product((doors.gateway, doors.api), halves, (False, True)):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(half)
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for bad in (b"zz\r\nabc\r\n0\r\n\r\n", b"3\r\nabc\r\nzz\r\n", b"-1\r\n\r\n"):
        request = chunked(bad, path=PROGRESS.encode(), headers=f"{doors.login}\r\n{JSON}\r\n".encode())
        for url, code in ((doors.gateway, "request-malformed"), (doors.api, "body-incomplete")):
            check_problem(exchange(url, request), Probe(f"{bad!r} at {url}", request, 400, code))
    assert exchange(doors.api, get("/healthz")).status == 200
    for log, before in logs.items():
        said = log.read_bytes()[before:].decode().lower()
        assert "traceback" not in said, said
        assert "error" not in said, said
