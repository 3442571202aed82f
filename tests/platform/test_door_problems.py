"""Every error of an edge and of the web client's server is a problem document that no cache keeps.

The probes are bytes, because no HTTP library sends most of them. Each is one line: what it is, the bytes, the status, the code.
"""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from marquee.cdn.signed_paths import stream_path
from marquee.http_problems import BY_STATUS, EDGE_REASONS, GATEWAY_REASONS
from marquee.platform.programs import edges
from marquee.settings import Settings
from tests.harness.http_probes import MALFORMED, Probe, check_problem, get
from tests.harness.raw_http import exchange
from tests.harness.s3 import BODY, PUBLISHED_KEYS, UNPUBLISHED, store_every_kind
from tests.harness.servers import make_test_settings, running

PICTURE = next(key for key in PUBLISHED_KEYS if key.startswith("images/"))
CORS = "access-control-allow-origin"


@pytest.fixture(scope="module")
def edge(platform: Settings) -> Settings:
    store_every_kind(platform)
    return platform


def signed(settings: Settings, *, seconds: int = 600) -> str:
    secret = settings.edge_secret.get_secret_value()
    return stream_path(secret, UNPUBLISHED, 1, expires_at=int(time.time()) + seconds)


@pytest.mark.parametrize("probe", MALFORMED, ids=lambda probe: probe.name)
def test_an_edge_refuses_malformed_requests(edge: Settings, probe: Probe) -> None:
    answer = exchange(edge.edges[0], probe.request)
    check_problem(answer, probe)
    assert answer.header(CORS) == "*", "a player must be able to read the error"


def test_an_edge_names_its_reason(edge: Settings) -> None:
    good, expired = signed(edge), signed(edge, seconds=-10)
    file = "video/360p/seg_00001.m4s"
    probes = [
        Probe("no signature", get("/nothing"), 403, "path-unsigned"),
        Probe("no signature, HEAD", get("/nothing", method="HEAD"), 403, "path-unsigned"),
        Probe("another signature", get("/v/" + "A" * 22 + good[25:] + file), 403, "signature-invalid"),
        Probe("a forged and expired one", get("/v/" + "A" * 22 + expired[25:] + file), 403, "signature-invalid"),
        Probe("an expired one", get(expired + file), 403, "url-expired"),
        Probe("an expired one, HEAD", get(expired + file, method="HEAD"), 403, "url-expired"),
        Probe("a missing file", get(good + "video/360p/seg_99999.m4s"), 403, "file-unavailable"),
        Probe("a missing picture", get("/images/m_00000000000000000099/v1/poster.jpg"), 403, "file-unavailable"),
        Probe("a method", get(good + file, method="POST"), 405, "method-not-allowed"),
        Probe("a method on a picture", get("/" + PICTURE, method="PATCH"), 405, "method-not-allowed"),
        Probe("a range past the end", get(good + file, "Range: bytes=999999-"), 416, "range-not-satisfiable"),
        Probe("a range past the end, HEAD", get(good + file, "Range: bytes=999999-", method="HEAD"), 416, ""),
        Probe("a range on an error", get("/nothing", "Range: bytes=0-3"), 403, "path-unsigned"),
        Probe("If-Match", get(good + file, 'If-Match: "another"'), 412, "precondition-failed"),
        Probe(
            "If-Unmodified-Since",
            get("/" + PICTURE, "If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT"),
            412,
            "precondition-failed",
        ),
    ]
    for probe in probes:
        answer = exchange(edge.edges[0], probe.request)
        if probe.name.startswith("a missing"):
            assert answer.status in (403, 404), "S3 says 404 only to a login that may list the bucket"
            probe = Probe(probe.name, probe.request, answer.status, {403: probe.code, 404: "not-found"}[answer.status])
        check_problem(answer, probe)
        assert answer.header(CORS) == "*", probe.name
        assert ("content-range" in dict(answer.headers)) == (probe.status == 416), probe.name
    for path in (good + file, "/" + PICTURE):
        answer = exchange(edge.edges[0], get(path))
        assert (answer.status, answer.body) == (200, BODY), "the refusals must not spoil a good request"


def test_an_edge_without_its_origin_says_so(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path)
    with running(edges.edge(settings, 1), tmp_path):
        url = f"http://127.0.0.1:{settings.port('edge_1')}"
        for path in (signed(settings) + "video/360p/seg_00001.m4s", "/" + PICTURE):
            for method in ("GET", "HEAD"):
                check_problem(
                    exchange(url, get(path, method=method)),
                    Probe("no origin", get("", method=method), 502, "upstream-invalid"),
                )


class StatusOrigin(http.server.BaseHTTPRequestHandler):
    """An origin that answers `.../500.jpg` with 500 and a page of its own; `.../0.jpg` waits until the test is over."""

    waiting = threading.Event()
    over = threading.Event()

    def do_GET(self) -> None:
        status = int(self.path.rpartition("/")[2].partition(".")[0])
        if status == 0:
            self.waiting.set()
            self.over.wait(30)
        self.send_response(status or 200)
        self.send_header("Location", "http://elsewhere.example/")
        self.send_header("Content-Length", "17")
        self.end_headers()
        self.wfile.write(b"the origin's page")

    def log_message(self, format: str, *args: object) -> None:
        return None


def test_what_the_origin_says_is_not_passed_on(tmp_path: Path) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StatusOrigin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = make_test_settings(
        tmp_path,
        published_url=f"s3+http://127.0.0.1:{server.server_address[1]}/films",
        edge_connections_per_address=1,
    )
    own = {401: (403, "file-unavailable"), 403: (403, "file-unavailable"), 404: (404, "not-found")}
    own |= {503: (503, "platform-unavailable"), 502: (502, "upstream-invalid"), 504: (504, "platform-timeout")}
    try:
        with running(edges.edge(settings, 1), tmp_path):
            url = f"http://127.0.0.1:{settings.port('edge_1')}"
            for said in (301, 302, 307, 400, 401, 403, 404, 405, 409, 411, 500, 501, 502, 503, 504):
                request = get(f"/images/m_1/v1/{said}.jpg")
                status, code = own.get(said, (502, "origin-failed"))
                answer = exchange(url, request)
                check_problem(answer, Probe(f"the origin's {said}", request, status, code))
                assert not answer.header("location"), "a viewer cannot follow the origin's redirect"
            with socket.create_connection(("127.0.0.1", settings.port("edge_1"))) as first:
                first.sendall(get("/images/m_1/v1/0.jpg"))
                assert StatusOrigin.waiting.wait(20), "the edge did not ask its origin"
                for path in ("/images/m_1/v1/1.jpg", signed(settings) + "a.m4s"):
                    probe = Probe("one request too many", get(path), 429, "too-many-requests")
                    check_problem(exchange(url, probe.request), probe)
    finally:
        StatusOrigin.over.set()
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The web client's server, with a small build of a client."""
    folder = tmp_path_factory.mktemp("web")
    build = folder / "dist"
    (build / "assets").mkdir(parents=True)
    (build / "index.html").write_text("<!doctype html><title>A client</title>")
    (build / "assets" / "index-1.js").write_text("'a script';")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edges, "WEB_CLIENT", build)
        settings = make_test_settings(folder / "state")
        program = edges.web(settings)
    with running(program, folder):
        yield settings.loopback("web")


@pytest.mark.parametrize("probe", MALFORMED, ids=lambda probe: probe.name)
def test_the_web_server_refuses_malformed_requests(web: str, probe: Probe) -> None:
    check_problem(exchange(web, probe.request), probe)


WEB = [
    Probe("a missing script", get("/assets/x.js"), 404, "not-found"),
    Probe("a missing script, HEAD", get("/assets/x.js", method="HEAD"), 404, "not-found"),
    Probe("a missing picture", get("/a.png"), 404, "not-found"),
    Probe("a folder", get("/assets/"), 404, "not-found"),
    Probe("an error document itself", get("/.problems/503"), 404, "not-found"),
    Probe("a range of a missing script", get("/assets/x.js", "Range: bytes=0-3"), 404, "not-found"),
    Probe("a range past the end", get("/assets/index-1.js", "Range: bytes=99-"), 416, "range-not-satisfiable"),
    Probe("If-Match", get("/assets/index-1.js", 'If-Match: "another"'), 412, "precondition-failed"),
    Probe("POST to a page", get("/title/m_1", method="POST"), 405, "method-not-allowed"),
    Probe("DELETE of a script", get("/assets/index-1.js", method="DELETE"), 405, "method-not-allowed"),
    Probe("OPTIONS", get("/", method="OPTIONS"), 405, "method-not-allowed"),
]


@pytest.mark.parametrize("probe", WEB, ids=lambda probe: probe.name)
def test_the_web_servers_errors_are_problems(web: str, probe: Probe) -> None:
    answer = exchange(web, probe.request)
    check_problem(answer, probe)
    assert answer.header("content-security-policy"), "errors keep the security headers"


def test_what_the_web_client_has_is_served(web: str) -> None:
    script = exchange(web, get("/assets/index-1.js"))
    assert (script.status, "immutable" in script.header("cache-control")) == (200, True)
    for path in ("/", "/title/m_00000000000000000001", "/a/deep/link?with=query", "/index.html"):
        page = exchange(web, get(path))
        assert (page.status, page.header("cache-control")) == (200, "no-cache"), path
        assert page.header("content-type").startswith("text/html"), path
    tag = script.header("etag")
    again = exchange(web, get("/assets/index-1.js", f"If-None-Match: {tag}"))
    assert (again.status, "immutable" in again.header("cache-control")) == (304, True)


def test_a_web_client_that_is_not_built_says_what_to_do(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edges, "WEB_CLIENT", tmp_path / "none")
        settings = make_test_settings(tmp_path / "state")
        program = edges.web(settings)
    with running(program, tmp_path):
        for path in ("/", "/title/m_1", "/index.html"):
            answer = exchange(settings.loopback("web"), get(path))
            check_problem(answer, Probe(path, get(path), 404, "web-client-missing"))
            assert b"make web" in answer.body or b"wheel" in answer.body


def test_every_code_has_one_meaning_and_fits_its_status() -> None:
    entries = [*BY_STATUS.values(), *EDGE_REASONS, *GATEWAY_REASONS]
    assert len({one.code for one in entries}) == len(entries), "a code has one meaning"
    for status, one in BY_STATUS.items():
        assert (status, bool(one.retry_after_seconds)) == (one.status, status in (429, 502, 503, 504))
        assert "$" not in one.document, "nginx would read a variable"
