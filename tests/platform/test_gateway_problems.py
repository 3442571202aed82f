"""Every error of the gateway itself is a problem document that no cache keeps; a scheme has no case; GET implies HEAD."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from marquee.platform.programs.gateway_tokens import OPEN_PATHS
from marquee.settings import Settings
from marquee.token_keys import TOKEN_ALGORITHM, TOKEN_ISSUER, private_key
from tests.harness.gateways import lone_gateway
from tests.harness.http_probes import MALFORMED, Probe, check_problem, chunked, framing, get, line, with_header
from tests.harness.raw_http import BadAnswer, exchange

SAFE_AT_ENVOY = {"a folded header", "a header with a bare CR", "HTTP/2 without its preface's rest"}
"""Envoy mends the first two as RFC 9112 allows (the upstream gets one line), and takes the third for HTTP/2."""
CLOSED_AT_ENVOY = {"a TLS hello"}
"""On a plain listener nobody who speaks TLS could read an answer: the connection ends."""
AT_ENVOY = {
    "OPTIONS *": (400, "request-target-refused"),
    "a method in lower case": (400, "request-malformed"),
    "a method of nobody": (400, "request-malformed"),
    "a long method": (400, "request-malformed"),
    "chunked twice": (501, "not-implemented"),
    "HTTP/3.0": (426, "http-version-refused"),
    "HTTP/2.0": (426, "http-version-refused"),
    "CONNECT": (403, "upgrade-refused"),
    # The web client's server answers these before it reads the body.
    "a chunk longer than its size": (405, "method-not-allowed"),
}
"""Where Envoy's answer differs from nginx's."""
ABOVE_ROOT = {"a path above the root", "a path above the root, escaped"}
"""Envoy removes the dots, as browsers do: it is a page of the web client."""
OWN = (
    Probe("HTTP/1.0", b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", 426, "http-version-refused"),
    Probe("HTTP/0.9", b"GET /\r\n\r\n", 426, "http-version-refused"),
    Probe("a header with an underscore", with_header(b"X_A: b"), 400, "request-malformed"),
    Probe("a header with a control character", with_header(b"X-A: b\x01c"), 400, "request-malformed"),
    Probe("a header without a colon", with_header(b"X-A"), 400, "request-malformed"),
    Probe("a header with a wrong name", with_header(b"X(A: b"), 400, "request-malformed"),
    Probe("many headers", with_header(b"\r\n".join(b"X-%d: a" % n for n in range(150))), 431, "headers-too-large"),
    Probe("a huge path", line(b"GET /" + b"a" * 200_000 + b" HTTP/1.1"), 431, "headers-too-large"),
    Probe("a whole URL of the API", line(b"GET http://localhost/api/v1/home HTTP/1.1"), 401, "not-authenticated"),
    Probe("a whole URL of nothing", line(b"GET http://localhost/assets/x.js HTTP/1.1"), 404, "not-found"),
    Probe("a URL of another scheme", line(b"GET ftp://elsewhere.example/ HTTP/1.1"), 400, "request-malformed"),
    Probe("a picture that is missing, in capitals", get("/X.PNG"), 404, "not-found"),
    Probe("an escaped slash", get("/api%2fv1/home"), 400, "request-malformed"),
    Probe("an escaped backslash", get("/api%5cv1/home"), 400, "request-malformed"),
    Probe("a fragment", get("/a#b"), 400, "request-malformed"),
    Probe("a WebSocket", get("/", "Connection: Upgrade", "Upgrade: websocket"), 403, "upgrade-refused"),
    Probe("TRACE of the API", get("/api/v1/home", method="TRACE"), 401, "not-authenticated"),
    Probe("metrics", get("/metrics"), 404, "not-found"),
    Probe("metrics, HEAD", get("/metrics", method="HEAD"), 404, "not-found"),
    Probe("no token", get("/api/v1/home"), 401, "not-authenticated"),
    Probe("no token, HEAD", get("/api/v1/home", method="HEAD"), 401, "not-authenticated"),
    Probe("two lengths of one value", framing(*2 * (b"Content-Length: 1",)), 400, "request-malformed"),
    Probe("chunks to the API", chunked(b"zz\r\n", path=b"/api/v1/sessions"), 400, "request-malformed"),
    Probe("a missing script", get("/assets/x.js"), 404, "not-found"),
)


@pytest.mark.parametrize("probe", MALFORMED, ids=lambda probe: probe.name)
def test_the_gateway_refuses_malformed_requests(platform: Settings, probe: Probe) -> None:
    if probe.name in SAFE_AT_ENVOY:
        return
    if probe.name in CLOSED_AT_ENVOY:
        with pytest.raises(BadAnswer):
            exchange(platform.public, probe.request)
        return
    answer = exchange(platform.public, probe.request)
    if probe.name in ABOVE_ROOT:
        assert answer.status in (200, 404), probe.name
        return
    status, code = AT_ENVOY.get(probe.name, (probe.status, probe.code))
    check_problem(answer, Probe(probe.name, probe.request, status, code))


@pytest.mark.parametrize("probe", OWN, ids=lambda probe: probe.name)
def test_the_gateways_own_errors_are_problems(platform: Settings, probe: Probe) -> None:
    answer = exchange(platform.public, probe.request)
    check_problem(answer, probe)
    assert bool(answer.header("www-authenticate")) == (probe.status == 401)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A gateway with a mirror as its API, and no web client's server."""
    with lone_gateway(tmp_path_factory.mktemp("gateway")) as settings:
        yield settings


def test_a_whole_url_is_its_path_and_its_host_counts(alone: Settings) -> None:
    for host in (b"localhost", b"elsewhere.example"):
        answer = exchange(alone.public_endpoint("gateway"), line(b"GET http://" + host + b"/api/v1/healthz HTTP/1.1"))
        assert (answer.status, answer.header("server")) == (200, "marquee"), (
            "RFC 9112 3.2.2: a server accepts this form"
        )


def test_readiness_is_the_apis_also_at_the_root(alone: Settings) -> None:
    assert exchange(alone.public_endpoint("gateway"), get("/readyz")).status == 200, (
        "the web client's page would answer"
    )


def token(settings: Settings) -> str:
    claims = {"iss": TOKEN_ISSUER, "sub": "a_1", "exp": int(time.time()) + 600}
    return jwt.encode(claims, private_key(settings.token_private_key.get_secret_value()), algorithm=TOKEN_ALGORITHM)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "bEARer ", "Bearer   ", "bearer\t", "Bearer \t "])
def test_the_schemes_name_has_no_case(alone: Settings, scheme: str) -> None:
    url = alone.public_endpoint("gateway")
    answer = exchange(url, get("/api/v1/home", f"Authorization: {scheme}{token(alone)}"))
    assert answer.status == 200, answer.body


def test_two_tokens_are_refused(alone: Settings) -> None:
    url, one = alone.public_endpoint("gateway"), f"Authorization: Bearer {token(alone)}"
    for headers in ((one, one), (one, "Authorization: Bearer x"), (f"{one}, Bearer x",), (f"{one} x",)):
        check_problem(
            exchange(url, get("/api/v1/home", *headers)), Probe("two tokens", get(""), 401, "not-authenticated")
        )


def test_open_paths_are_open_to_head_and_every_path_to_options(alone: Settings) -> None:
    url = alone.public_endpoint("gateway")
    for method, path in OPEN_PATHS:
        assert exchange(url, get(path, method=method)).status == 200, path
        if method == "GET":
            answer = exchange(url, get(path, method="HEAD"))
            assert (answer.status, answer.body) == (200, b""), path
            assert exchange(url, get(path, method="POST")).status == 401, "open to reading alone"
    assert exchange(url, get("/api/v1/home", method="OPTIONS")).status == 200
    assert exchange(url, get("/api/v1/home", method="HEAD")).status == 401


def test_a_part_that_is_down_is_503_with_a_time_to_wait(alone: Settings) -> None:
    url = alone.public_endpoint("gateway")
    for method in ("GET", "HEAD", "POST"):
        request = get("/", method=method)
        check_problem(exchange(url, request), Probe("no web server", request, 503, "platform-unavailable"))


@pytest.mark.parametrize(("said", "status"), [(b"", 503), (b"noise\r\n\r\n", 502)])
def test_a_part_that_answers_no_http(tmp_path: Path, said: bytes, status: int) -> None:
    with lone_gateway(tmp_path) as settings, socket.create_server(("127.0.0.1", settings.port("web"))) as server:
        threading.Thread(target=_say, args=(server, said), daemon=True).start()
        answer = exchange(settings.public_endpoint("gateway"), get("/"))
        code = {502: "upstream-invalid", 503: "platform-unavailable"}[status]
        check_problem(answer, Probe("a part that fails", get("/"), status, code))


def _say(server: socket.socket, said: bytes) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(65_536)
            connection.sendall(said)
