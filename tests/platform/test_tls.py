"""Gateway, S3 and edges with a certificate: what they accept, what they say, and a renewal under open connections."""

import asyncio
import contextlib
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from marquee.platform.certificates import PemFiles
from marquee.platform.supervisor.supervision import start, stop
from marquee.settings import Settings
from marquee.stores.opened import open_bucket
from tests.harness.authority import Authority
from tests.harness.servers import make_test_settings
from tests.platform.conftest import without_all_but

PROGRAMS = ("seaweedfs", "s3-pace", "s3-proxy", "edge-1", "edge-2", "web", "gateway", "postgres", "valkey-log")
DOORS = ("gateway", "s3", "edge_1", "edge_2")
RENEWAL_SECONDS = 60.0


@dataclass(frozen=True)
class Secured:
    settings: Settings
    authority: Authority
    files: PemFiles

    def write(self, pair: tuple[bytes, bytes]) -> None:
        self.files.certificate.write_bytes(pair[0])
        self.files.key.write_bytes(pair[1])

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.root))

    def presented(self, door: str) -> bytes:
        """The certificate that a new client gets, as PEM."""
        with (
            socket.create_connection(("127.0.0.1", self.settings.port(door)), timeout=10) as plain,
            self.context().wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            return ssl.DER_cert_to_PEM_cert(secured.getpeercert(binary_form=True) or b"").encode()


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    authority, files = Authority(folder), PemFiles(folder / "public.pem", folder / "public.key")
    settings = make_test_settings(
        folder / "state",
        without=without_all_but(*PROGRAMS),
        tls_certificate=str(files.certificate),
        tls_key=str(files.key),
        tls_authorities=str(authority.root),
    )
    found = Secured(settings, authority, files)
    found.write(authority.issue())
    settings = asyncio.run(start(settings))
    yield Secured(settings, authority, files)
    asyncio.run(stop(settings))


def urls(settings: Settings) -> dict[str, str]:
    return dict(zip(DOORS, (settings.public, settings.public_s3, *settings.edges), strict=True))


def test_every_endpoint_presents_the_chain_and_sends_hsts_with_every_answer(secured: Secured) -> None:
    with httpx.Client(verify=secured.context()) as http:
        for door, url in urls(secured.settings).items():
            assert url.startswith("https://")
            for path in ("/", "/healthz", "/nothing", "/api/v1/home", "/v/a/1/m_a/v1/x.m3u8", "/%2e%2e"):
                answer = http.get(url + path)
                assert answer.headers.get("strict-transport-security") == "max-age=31536000", (
                    f"{door} {path}: {answer.status_code} {dict(answer.headers)}"
                )


@pytest.mark.parametrize("door", DOORS)
def test_an_endpoint_answers_no_plain_http_and_no_old_tls(secured: Secured, door: str) -> None:
    address = ("127.0.0.1", secured.settings.port(door))
    with socket.create_connection(address, timeout=20) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            answer = plain.recv(65536)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 400"), answer[:200]
    old = secured.context()
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(address, timeout=20) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(plain, server_hostname="localhost")
    weak = secured.context()
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("AES128-SHA:AES256-SHA256:@SECLEVEL=0")
    with socket.create_connection(address, timeout=20) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        weak.wrap_socket(plain, server_hostname="localhost")


def test_the_gateway_speaks_http2_to_who_asks(secured: Secured) -> None:
    for offered, spoken in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")):
        context = secured.context()
        context.set_alpn_protocols(offered)
        with (
            socket.create_connection(("127.0.0.1", secured.settings.port("gateway")), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as opened,
        ):
            assert opened.selected_alpn_protocol() == spoken


def test_the_pages_policy_and_s3s_cors_name_https(secured: Secured) -> None:
    with httpx.Client(verify=secured.context()) as http:
        policy = http.get(secured.settings.public).headers["content-security-policy"]
    assert "http://" not in policy.replace("https://", "")
    assert secured.settings.public_s3 in policy


def wait_until(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + RENEWAL_SECONDS
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.2)


async def signed_part(settings: Settings, size_bytes: int) -> str:
    objects = open_bucket(settings, settings.objects)
    await objects.ensure_bucket(allowed_origins=[settings.public])
    multipart_id = await objects.create_multipart("uploads/tls", content_type="video/mp4")
    url = await objects.part_url("uploads/tls", multipart_id, 1, size_bytes=size_bytes, seconds=600)
    await objects.close()
    return url


def test_a_renewal_is_presented_and_no_connection_is_lost(secured: Secured) -> None:
    size = 6 * 1024**2
    body = os.urandom(size)
    url = httpx.URL(asyncio.run(signed_part(secured.settings, size)))
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(httpx.Client(verify=secured.context(), timeout=20))
        assert kept.get(secured.settings.public).status_code in (200, 404)
        plain = stack.enter_context(socket.create_connection(("127.0.0.1", secured.settings.port("s3")), timeout=60))
        upload = stack.enter_context(secured.context().wrap_socket(plain, server_hostname="localhost"))
        head = f"PUT {url.raw_path.decode()} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nContent-Length: {size}\r\n\r\n"
        upload.sendall(head.encode() + body[: size // 2])
        new = secured.authority.issue()
        secured.write(new)
        leaf = x509.load_pem_x509_certificates(new[0])[0].serial_number
        for door in DOORS:
            wait_until(
                lambda door=door: x509.load_pem_x509_certificate(secured.presented(door)).serial_number == leaf,  # type: ignore[misc]
                f"{door} presents the old certificate",
            )
        upload.sendall(body[size // 2 :])
        assert upload.recv(65536).startswith(b"HTTP/1.1 200"), "the renewal ended an upload"
        assert kept.get(secured.settings.public).status_code in (200, 404)


def test_a_wrong_renewal_is_not_presented_and_is_logged(secured: Secured) -> None:
    before = {door: secured.presented(door) for door in DOORS}
    certificate, _ = secured.authority.issue()
    secured.files.certificate.write_bytes(certificate)
    logs = [secured.settings.state / "logs" / f"{name}.log" for name in ("gateway", "s3-proxy", "edge-1", "edge-2")]

    def said(log: Path) -> bool:
        return "the renewed certificate is not used" in log.read_text(errors="replace")

    for log in logs:
        wait_until(lambda log=log: said(log), f"{log.name} does not say that the renewal is wrong")  # type: ignore[misc]
    assert {door: secured.presented(door) for door in DOORS} == before
    for door, url in urls(secured.settings).items():
        assert httpx.get(f"{url}/", verify=secured.context()).status_code, door
