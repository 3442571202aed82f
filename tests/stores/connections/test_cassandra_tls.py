"""Cassandra by TLS: the certificate is checked, and the host's name too unless the URL says otherwise.

The Cassandra of all tests has no TLS; a proxy of the test ends TLS in front of it.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from marquee.errors import StoreUnavailable
from marquee.stores.connections import cassandra
from marquee.stores.resume_positions import open_movable
from marquee.stores.resume_positions.contract import ResumePosition
from tests.harness.tls import make_certificate, tls_in_front_of

pytestmark = pytest.mark.xdist_group("cassandra")

POSITION = ResumePosition("p_tls", "m_tls", 5, 1_800_000_000_000)


@pytest.fixture
async def proxied(cassandra_url: str, tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """The URL of the TLS port, and the port's certificate, which is for the host localhost."""
    certificate, key = make_certificate(tmp_path, "localhost")
    parts = urlsplit(cassandra_url)
    assert parts.port is not None
    async with tls_in_front_of(parts.port, certificate, key) as port:
        yield (
            cassandra_url.replace("cassandra://", "cassandras://").replace(f":{parts.port}/", f":{port}/"),
            certificate,
        )


async def test_a_checked_certificate_opens_the_way(proxied: tuple[str, Path]) -> None:
    url, certificate = proxied
    positions = open_movable(f"{url}&ca={certificate}&check_hostname=false")
    await positions.record(POSITION)
    assert await positions.get(POSITION.user_id, POSITION.movie_id) == POSITION
    await positions.close()


@pytest.mark.parametrize("known", [False, True])
async def test_an_unknown_certificate_or_another_hosts_does_not(
    proxied: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    monkeypatch.setattr(cassandra, "RETRY_SECONDS", 0.2)
    url, certificate = proxied
    # The certificate does not contain the IP address.
    positions = open_movable(f"{url}&ca={certificate}" if known else url)
    with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        await positions.record(POSITION)
    await positions.close()
