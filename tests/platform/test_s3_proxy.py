"""The public S3 endpoint bounds what one client may hold: time, bytes a second, connections. Others are served meanwhile."""

import asyncio
import contextlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marquee.settings import Settings
from marquee.stores.objects.contract import Objects
from marquee.stores.opened import open_bucket
from tests.harness.http_probes import MALFORMED as MALFORMED_REQUESTS
from tests.harness.http_probes import Probe, check_problem
from tests.harness.raw_http import exchange
from tests.harness.s3 import public_s3_client
from tests.harness.servers import make_test_settings, running_s3

OUTER_SECONDS = 30.0
"""Far above each bound of these settings, so a slow machine fails no test."""
CONNECTIONS_PER_ADDRESS = 10
MIN_BYTES_PER_SECOND = 256 * 1024
PART_BYTES = 8 * 1024**2
ELSEWHERE = "127.0.0.2"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = make_test_settings(
        tmp_path_factory.mktemp("s3-proxy"),
        client_header_seconds=1,
        client_idle_seconds=2,
        s3_answer_seconds=3,
        upload_min_bytes_per_second=MIN_BYTES_PER_SECOND,
        s3_connections_per_address=CONNECTIONS_PER_ADDRESS,
    )
    with running_s3(settings):
        yield settings


async def new_upload(objects: Objects) -> str:
    await objects.ensure_bucket(allowed_origins=["http://web.test"])
    return await objects.create_multipart("uploads/proxy", content_type="video/mp4")


def part_url(settings: Settings, number: int = 1, *, size_bytes: int = PART_BYTES) -> str:
    async def sign() -> str:
        objects = open_bucket(settings, settings.objects)
        multipart_id = await new_upload(objects)
        url = await objects.part_url("uploads/proxy", multipart_id, number, size_bytes=size_bytes, seconds=600)
        await objects.close()
        return url

    return asyncio.run(sign())


def connected(settings: Settings, *, source: str = ELSEWHERE) -> socket.socket:
    client = socket.create_connection(
        ("127.0.0.1", settings.port("s3")), timeout=OUTER_SECONDS, source_address=(source, 0)
    )
    client.settimeout(OUTER_SECONDS)
    return client


def put_head(url: str, *headers: str, length: int | None = PART_BYTES) -> bytes:
    parts = urlsplit(url)
    lines = [f"PUT {parts.path}?{parts.query} HTTP/1.1", f"Host: {parts.netloc}", *headers]
    lines += [f"Content-Length: {length}"] if length is not None else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_to_end(client: socket.socket) -> bytes:
    """All bytes until the server closes the connection. `TimeoutError` if it does not."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while block := client.recv(65536):
            received += block
    return received


def trickle(client: socket.socket, data: bytes) -> None:
    """Send a byte at a time until the server closes the connection."""
    until = time.monotonic() + OUTER_SECONDS
    client.setblocking(False)
    place = 0
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < until:
            with contextlib.suppress(BlockingIOError):
                client.send(data[place : place + 1])
                place += 1
            with contextlib.suppress(BlockingIOError):
                if client.recv(1, socket.MSG_PEEK) is not None:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(f"a byte at a time holds a connection for {OUTER_SECONDS} s")
    client.settimeout(OUTER_SECONDS)


def test_headers_that_do_not_come_end(door: Settings) -> None:
    with connected(door) as nothing, connected(door) as half, connected(door) as slow:
        half.sendall(b"PUT /marquee-ingest/uploads/proxy HTTP/1.1\r\nHost: x\r\nX-A: ")
        trickle(slow, b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 1000)
        for client in (nothing, half, slow):
            read_to_end(client)


def test_a_body_that_stops_or_trickles_ends_with_408(door: Settings) -> None:
    url = part_url(door)
    with connected(door) as stalled, connected(door) as slow:
        stalled.sendall(put_head(url, "Origin: http://web.test") + b"x" * 1000)
        slow.sendall(put_head(url, "Origin: http://web.test"))
        trickle(slow, b"x" * 1000)
        for name, client in (("a stalled body", stalled), ("a trickled body", slow)):
            head, _, body = read_to_end(client).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408"), f"{name}: {head!r}"
            assert json.loads(body)["code"] == "part-too-slow"
            assert b"access-control-allow-origin: *" in head.lower(), "a browser must be able to read why"


def test_a_slow_client_that_keeps_the_minimum_is_served(door: Settings) -> None:
    size = 3 * MIN_BYTES_PER_SECOND
    url = part_url(door, size_bytes=size)
    with connected(door) as client:
        client.sendall(put_head(url, "Connection: close", length=size))
        step = MIN_BYTES_PER_SECOND // 4
        for _ in range(0, size, step):
            client.sendall(b"x" * step)
            time.sleep(0.15)  # the client's own pace
        assert read_to_end(client).startswith(b"HTTP/1.1 200")


def test_a_client_that_does_not_read_its_answer_is_dropped(door: Settings) -> None:
    body = os.urandom(64 * 1024**2)

    async def store() -> str:
        objects = open_bucket(door, door.objects)
        await new_upload(objects)
        await objects.put("large", body, content_type="video/mp4")
        await objects.close()
        url: str = public_s3_client(door, "s3").generate_presigned_url(
            "get_object", Params={"Bucket": "marquee-ingest", "Key": "large"}, ExpiresIn=600
        )
        return url

    url = urlsplit(asyncio.run(store()))
    with connected(door) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
        until = time.monotonic() + OUTER_SECONDS
        while connections_of(client) and time.monotonic() < until:
            time.sleep(0.2)
        assert not connections_of(client), "an answer that nobody reads is held open"
        assert len(read_to_end(client)) < len(body)


def connections_of(client: socket.socket) -> bool:
    """Whether the server's end of this connection is still established."""
    port = f":{client.getsockname()[1]:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(line[2].endswith(port) and line[3] == "01" for line in lines)


def test_one_address_holds_its_share_of_connections_while_another_uploads(door: Settings) -> None:
    url = part_url(door)
    body = os.urandom(PART_BYTES)
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connected(door)).settimeout(0.0)
        refused = stack.enter_context(connected(door))
        assert read_to_end(refused) == b"", "one address may hold more connections than the setting says"
        answer = httpx.put(url, content=body, timeout=OUTER_SECONDS)
    assert answer.status_code == 200
    assert len(answer.headers["etag"].strip('"')) == 32


OTHERWISE = {
    "PUT without a body": (403, "not-presigned"),
    "a body that is too large": (405, "method-not-allowed"),  # 2000 bytes are no large part
    "a large body that is announced": (413, "part-too-large"),
}
"""Malformed requests that S3's proxy answers otherwise than an edge."""
MALFORMED = (
    "X-Amz-Credential=",
    "X-Amz-Credential=a",
    "X-Amz-Credential=a%2Fb",
    "X-Amz-Credential=%2F%2F%2F%2F",
    "X-Amz-Credential=a%2F20260101%2Fus-east-1%2Fs3",
    "X-Amz-Date=",
    "X-Amz-Date=2026",
    "X-Amz-Date=99999999T999999",
    "X-Amz-Expires=",
    "X-Amz-Expires=-1",
    "X-Amz-Expires=99999999999999999999",
    "X-Amz-SignedHeaders=",
    "X-Amz-Signature=",
    "X-Amz-Signature=zz",
    "X-Amz-Algorithm=AWS4-HMAC-SHA1",
    "X-Amz-Signature=%ff",
    "X-Amz-Date=%",
)


@pytest.mark.parametrize("instead", MALFORMED)
def test_a_malformed_presigned_query_does_not_reach_s3(door: Settings, instead: str) -> None:
    url = part_url(door)
    name = instead.split("=")[0]
    changed = re.sub(rf"{name}=[^&]*", instead, url)
    missing = re.sub(rf"&?{name}=[^&]*", "", url).replace("?&", "?")
    for each in (changed, missing, f"{url}&{instead}"):
        parts = urlsplit(each)
        with connected(door) as client:
            client.sendall(put_head(each, "Connection: close", length=0))
            answer = read_to_end(client)
        assert answer.startswith(b"HTTP/1.1 403"), f"{parts.query}: {answer[:200]!r}"
        assert b"not-presigned" in answer, f"S3 itself was asked: {parts.query}"


@hypothesis_settings(max_examples=60, deadline=None)
@given(query=st.text(alphabet=st.sampled_from("XAmzSigntureCdl-=&%/0129af+;"), max_size=120))
def test_no_query_that_is_made_up_reaches_s3(door: Settings, query: str) -> None:
    with connected(door) as client:
        client.sendall(f"GET /marquee-ingest/a?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert read_to_end(client).startswith((b"HTTP/1.1 403", b"HTTP/1.1 400"))


def test_what_clients_do_not_need_is_refused_by_the_proxy(door: Settings) -> None:
    url = part_url(door)
    with httpx.Client(timeout=OUTER_SECONDS) as http:
        for method in ("POST", "DELETE", "PATCH", "PROPFIND", "TRACE", "LINK"):
            answer = http.request(method, url)
            assert answer.status_code == 405, f"{method}: {answer.status_code}"
        listing = http.get(url.replace("/uploads/proxy", "/"))
        assert (listing.status_code, listing.json()["code"]) == (403, "not-presigned")
        preflight = http.options(
            url.split("?")[0], headers={"Origin": "http://web.test", "Access-Control-Request-Method": "PUT"}
        )
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
        unsigned = http.put(url.split("?")[0], content=b"x", headers={"Origin": "http://web.test"})
        assert (unsigned.status_code, unsigned.headers["access-control-allow-origin"]) == (403, "*"), (
            "a page can read why its part is refused"
        )
        in_chunks = http.put(url, content=iter([b"x"]))
        assert (in_chunks.status_code, in_chunks.json()["code"]) == (411, "length-required")
    with connected(door) as client:
        client.sendall(put_head(url, length=20 * 1024**3))
        assert read_to_end(client).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("probe", MALFORMED_REQUESTS, ids=lambda probe: probe.name)
def test_malformed_requests_get_a_problem_document(door: Settings, probe: Probe) -> None:
    answer = exchange(door.public_s3, probe.request)
    status, code = OTHERWISE.get(probe.name, (probe.status, probe.code))
    check_problem(answer, replace(probe, status=status, code=code))
    assert answer.header("access-control-allow-origin") == "*", "a page must be able to read the error"


def test_an_error_of_s3_itself_is_not_cacheable_and_readable(door: Settings) -> None:
    url = part_url(door)
    for origin in ("http://web.test", "http://elsewhere.test"):
        forged = httpx.put(url[:-4] + "0000", content=b"x", headers={"Origin": origin}, timeout=OUTER_SECONDS)
        assert (forged.status_code, forged.headers["content-type"]) == (403, "application/xml")
        assert forged.headers["cache-control"] == "no-store", "a cache may keep the error"
        assert forged.headers["access-control-allow-origin"] == "*", "a page cannot read why its part is refused"
    good = httpx.put(url, content=b"x" * PART_BYTES, headers={"Origin": "http://web.test"}, timeout=OUTER_SECONDS)
    assert (good.status_code, good.headers["access-control-allow-origin"]) == (200, "http://web.test")
    assert "etag" in good.headers["access-control-expose-headers"].lower(), "a page reads a part's checksum"


def test_nothing_is_stored_by_the_proxy_and_s3_did_not_fail(door: Settings) -> None:
    stored = [path for path in (door.state / "s3-proxy" / "temp").rglob("*") if path.is_file()]
    assert stored == [], "a part is buffered on disk"
    log = (door.state / "seaweedfs.log").read_text(errors="replace")
    assert "panic" not in log, log[log.index("panic") - 200 :][:2000]
