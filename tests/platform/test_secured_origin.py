"""An edge whose origin uses TLS: it fetches only from an origin whose certificate the configured authority has signed."""

import asyncio
import secrets
import time
from pathlib import Path

import httpx
import pytest

from marquee.cdn.signed_paths import stream_path
from marquee.errors import SettingsInvalid, StoreUnavailable
from marquee.platform.programs import edges
from marquee.settings import Settings
from marquee.stores.objects.bucket_url import parse_bucket
from marquee.stores.objects.origin import origin
from marquee.stores.opened import open_bucket
from tests.harness.s3 import keys_of
from tests.harness.servers import make_test_settings, running
from tests.harness.tls import make_certificate, tls_in_front_of

SEGMENT = secrets.token_bytes(100_000)
MOVIE = "m_00000000000000000001"


def asked_of_an_edge(settings: Settings, folder: Path) -> httpx.Response:
    path = stream_path(settings.edge_secret.get_secret_value(), MOVIE, 1, expires_at=int(time.time()) + 600)
    with running(edges.edge(settings, 1), folder):
        return httpx.get(f"{settings.edges[0]}{path}video/360/1.m4s", timeout=20)


@pytest.mark.parametrize(
    ("name", "vouched", "status"), [("localhost", True, 200), ("localhost", False, 502), ("b", True, 502)]
)
async def test_the_origins_certificate_is_checked(
    s3_server: Settings, tmp_path: Path, name: str, vouched: bool, status: int
) -> None:
    """Cases: the right host and authority; another authority; the right authority with another host's certificate."""
    certificate, key = make_certificate(tmp_path, name)
    stranger, _ = make_certificate(tmp_path, "another-authority")
    plain = open_bucket(s3_server, s3_server.published)
    await plain.ensure_bucket()
    await plain.put(f"{MOVIE}/v1/video/360/1.m4s", SEGMENT, content_type="video/iso.segment")
    await plain.close()
    async with tls_in_front_of(s3_server.port("s3_inner"), certificate, key) as port:
        url = f"s3+https://localhost:{port}/marquee-published?ca={certificate if vouched else stranger}"
        login = {f"s3_edge_{name}": value for name, value in keys_of(s3_server, "s3_edge").items()}
        secured = make_test_settings(tmp_path, published_url=url, objects_url=url, **login)
        answer = await asyncio.to_thread(asked_of_an_edge, secured, tmp_path)
    assert answer.status_code == status, (tmp_path / "edge-1.log").read_text()
    assert (answer.content == SEGMENT) == (status == 200)


@pytest.mark.parametrize("vouched", [True, False])
async def test_our_own_client_checks_it_too(s3_server: Settings, tmp_path: Path, vouched: bool) -> None:
    certificate, key = make_certificate(tmp_path, "localhost")
    stranger, _ = make_certificate(tmp_path, "another-authority")
    async with tls_in_front_of(s3_server.port("s3_inner"), certificate, key) as port:
        url = f"s3+https://localhost:{port}/marquee-published?ca={certificate if vouched else stranger}"
        bucket = open_bucket(s3_server.model_copy(update={"published_url": url}), url)
        if vouched:
            await bucket.ensure_bucket()
            await bucket.put("secured", SEGMENT, content_type="video/iso.segment")
            assert await bucket.get("secured") == SEGMENT
        else:
            with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                await bucket.get("secured")
        await bucket.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3+http://a:1/b?ca=/x.pem", "ca goes with s3"),
        ("s3+https://a:1/b?ca=/no/such.pem", "no such file"),
        (f"s3+https://a:1/b?ca={__file__}", "no PEM file of authorities"),
        ("s3://a?ca=/x.pem", "ca goes with s3"),
        ("s3+https://a:99999/b", "port from 1"),
        ("s3+https://a:1/b/c", "one bucket"),
        ("s3+https://a:1", "one bucket"),
        ("s3://a/b", "one bucket"),
        ("s3+https://a,b/c", "several hosts"),
        ("s3+https://key:secret@a/b", "MARQUEE_S3_SECRET_KEY"),
        ("s3+https://a:1/b?verify=no", "no parameter verify; known are region, ca"),
    ],
)
def test_a_mistake_in_a_buckets_url_is_named(url: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said) as refused:
        parse_bucket(url, setting="MARQUEE_PUBLISHED_URL")
    assert refused.value.field == "MARQUEE_PUBLISHED_URL"
    assert "secret@" not in refused.value.detail


@pytest.mark.parametrize("host", ["10.0.0.1:9000", "[::1]:9000"])
def test_an_address_is_no_host_for_an_edge_that_checks_it(host: str) -> None:
    """nginx compares only a certificate's host names, not its addresses."""
    with pytest.raises(SettingsInvalid, match="give a name that its certificate has"):
        origin(f"s3+https://{host}/films", setting="MARQUEE_PUBLISHED_URL")
