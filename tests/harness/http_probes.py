"""Requests as bytes, with the answer that they must get: what every HTTP server of the platform is asked.

`MALFORMED` is for nginx; Envoy and the API differ in some lines, which their tests state.
"""

import json
from dataclasses import dataclass
from typing import Final

from marquee.http_problems import PROBLEM_MEDIA_TYPE
from tests.harness.raw_http import RawAnswer

HOST: Final = b"Host: localhost\r\n"
END: Final = b"\r\n"


@dataclass(frozen=True)
class Probe:
    """One request. `code` is that of the problem document; it is not compared for HEAD."""

    name: str
    request: bytes
    status: int
    code: str


def check_problem(answer: RawAnswer, probe: Probe) -> None:
    """The answer has the probe's status and code, and is a problem document that is not cacheable."""
    assert answer.status == probe.status, f"{probe.name}: {answer.status} {answer.body[:200]!r}"
    assert answer.header("cache-control") == "no-store", f"{probe.name}: {answer.header('cache-control')}"
    assert answer.header("content-type").split(";")[0] == PROBLEM_MEDIA_TYPE, (
        f"{probe.name}: {answer.header('content-type')}"
    )
    for header in ("etag", "last-modified", "expires"):
        assert not answer.header(header), f"{probe.name}: an error must not have {header}"
    assert bool(answer.header("retry-after")) == (probe.status in (429, 502, 503, 504)), probe.name
    assert bool(answer.header("allow")) == (probe.status == 405), probe.name
    if probe.request[:4] == b"HEAD":
        assert answer.body == b"", f"{probe.name}: HEAD has no body"
        return
    problem = json.loads(answer.body)
    assert (problem["status"], problem["code"]) == (probe.status, probe.code), f"{probe.name}: {problem}"
    assert problem["title"], probe.name
    assert problem["detail"], probe.name


def get(path: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    """A well-formed request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def line(request_line: bytes) -> bytes:
    """A request with this request line and nothing unusual beside it."""
    return request_line + b"\r\n" + HOST + END


def with_header(header: bytes, *, method: bytes = b"GET") -> bytes:
    """A request with this header line."""
    return method + b" / HTTP/1.1\r\n" + HOST + header + b"\r\n" + END


def chunked(body: bytes, *, path: bytes = b"/", headers: bytes = b"") -> bytes:
    """A POST whose chunked body is `body`, framing included."""
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + headers + b"Transfer-Encoding: chunked\r\n\r\n" + body


def framing(*headers: bytes, body: bytes = b"x") -> bytes:
    """A POST with these framing headers."""
    return b"POST / HTTP/1.1\r\n" + HOST + b"".join(each + b"\r\n" for each in headers) + END + body


_400: Final = (400, "request-malformed")
MALFORMED: Final = (
    Probe("no Host", b"GET / HTTP/1.1\r\n\r\n", *_400),
    Probe("an empty Host", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", *_400),
    Probe("two Hosts", with_header(b"Host: b"), *_400),
    Probe("a Host with a space", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", *_400),
    Probe("a Host with a path", b"GET / HTTP/1.1\r\nHost: a/../b\r\n\r\n", *_400),
    Probe("noise", b"\x00\x01\x02\x03\r\n\r\n", *_400),
    Probe("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", *_400),
    Probe("a method in lower case", line(b"get / HTTP/1.1"), *_400),
    Probe("a path with a space", line(b"GET /a b HTTP/1.1"), *_400),
    Probe("a path with a NUL", line(b"GET /a\x00b HTTP/1.1"), *_400),
    Probe("a path with %00", line(b"GET /a%00b HTTP/1.1"), *_400),
    Probe("a path with a broken escape", line(b"GET /a%zz HTTP/1.1"), *_400),
    Probe("a path above the root", line(b"GET /../../etc/passwd HTTP/1.1"), *_400),
    Probe("a path above the root, escaped", line(b"GET /%2e%2e/%2e%2e/etc HTTP/1.1"), *_400),
    Probe("*", line(b"GET * HTTP/1.1"), *_400),
    Probe("OPTIONS *", line(b"OPTIONS * HTTP/1.1"), *_400),
    Probe("a folded header", with_header(b"X-A: b\r\n c"), *_400),
    Probe("a space before the colon", with_header(b"X-A : b"), *_400),
    Probe("a header without a name", with_header(b": b"), *_400),
    Probe("a header with a NUL", with_header(b"X-A: b\x00c"), *_400),
    Probe("a header with a bare CR", with_header(b"X-A: b\rc"), *_400),
    Probe("HTTP/2 without its preface's rest", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", *_400),
    Probe("a length that is no number", framing(b"Content-Length: abc"), *_400),
    Probe("a negative length", framing(b"Content-Length: -1"), *_400),
    Probe("a length with a sign", framing(b"Content-Length: +1"), *_400),
    Probe("a huge length", framing(b"Content-Length: 99999999999999999999999"), *_400),
    Probe("two lengths", framing(b"Content-Length: 1", b"Content-Length: 2"), *_400),
    Probe("length and chunks", framing(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), *_400),
    Probe("chunked twice", framing(*2 * (b"Transfer-Encoding: chunked",), body=b"0\r\n\r\n"), *_400),
    Probe("another transfer coding", framing(b"Transfer-Encoding: gzip"), 501, "not-implemented"),
    Probe("a chunk without a size", chunked(b"zz\r\nabc\r\n0\r\n\r\n"), *_400),
    Probe("a chunk of negative size", chunked(b"-1\r\nabc\r\n0\r\n\r\n"), *_400),
    Probe("a chunk longer than its size", chunked(b"3\r\nabcdef\r\n0\r\n\r\n"), *_400),
    Probe("a chunk of huge size", chunked(b"ffffffffffffffffff\r\nabc\r\n0\r\n\r\n"), *_400),
    Probe("HTTP/3.0", line(b"GET / HTTP/3.0"), 505, "http-version-unknown"),
    Probe("HTTP/2.0", line(b"GET / HTTP/2.0"), 505, "http-version-unknown"),
    Probe("CONNECT", line(b"CONNECT elsewhere:443 HTTP/1.1"), 405, "method-not-allowed"),
    Probe("TRACE", line(b"TRACE / HTTP/1.1"), 405, "method-not-allowed"),
    Probe("a method of nobody", line(b"FOO / HTTP/1.1"), 405, "method-not-allowed"),
    Probe("a long method", line(b"A" * 5000 + b" / HTTP/1.1"), 405, "method-not-allowed"),
    Probe("POST", framing(b"Content-Length: 1"), 405, "method-not-allowed"),
    Probe("PUT without a body", line(b"PUT / HTTP/1.1"), 405, "method-not-allowed"),
    Probe("a body that is too large", framing(b"Content-Length: 2000", body=b"x" * 2000), 413, "request-too-large"),
    Probe("a large body that is announced", framing(b"Content-Length: 200000000", body=b""), 413, "request-too-large"),
    Probe("a long path", line(b"GET /" + b"a" * 9_000 + b" HTTP/1.1"), 414, "address-too-long"),
    Probe("a very long path", line(b"GET /" + b"a" * 70_000 + b" HTTP/1.1"), 414, "address-too-long"),
    Probe("a long query", line(b"GET /?" + b"a" * 20_000 + b" HTTP/1.1"), 414, "address-too-long"),
    Probe("a large header", with_header(b"X-A: " + b"a" * 9_000), 431, "headers-too-large"),
    Probe("a very large header", with_header(b"X-A: " + b"a" * 70_000), 431, "headers-too-large"),
    Probe(
        "large headers",
        with_header(b"\r\n".join(b"X-%d: %s" % (n, b"a" * 4000) for n in range(50))),
        431,
        "headers-too-large",
    ),
)
