"""Cassandra by TLS: the certificate is checked, and so is the host's name unless the URL says otherwise.

The server behind is the suites' own; a proxy of the test ends the TLS in front of it.
"""

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from marquee.errors import StoreUnavailable
from marquee.stores import cassandra
from marquee.stores.resume_positions import open_movable
from marquee.stores.resume_positions.contract import ResumePosition

pytestmark = pytest.mark.xdist_group("cassandra")

POSITION = ResumePosition("p_tls", "m_tls", 5, 1_800_000_000_000)


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that signs itself, for a host of this name alone, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


@pytest.fixture
async def proxied(cassandra_url: str, tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """The URL of the TLS port, and the certificate that it shows, which is for the host localhost."""
    certificate, key = make_certificate(tmp_path, "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    parts = urlsplit(cassandra_url)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while block := await reader.read(65536):
                writer.write(block)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", parts.port)
        await asyncio.gather(pump(reader, behind_writer), pump(behind_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    yield cassandra_url.replace("cassandra://", "cassandras://").replace(f":{parts.port}/", f":{port}/"), certificate
    server.close()


async def test_a_checked_certificate_opens_the_way(proxied: tuple[str, Path]) -> None:
    url, certificate = proxied
    positions = await open_movable(f"{url}&ca={certificate}&check_hostname=false")
    await positions.record(POSITION)
    assert await positions.get(POSITION.user_id, POSITION.movie_id) == POSITION
    await positions.close()


@pytest.mark.parametrize("known", [False, True])
async def test_an_unknown_certificate_or_another_hosts_does_not(
    proxied: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    monkeypatch.setattr(cassandra, "RETRY_SECONDS", 0.2)
    url, certificate = proxied
    # By its number the host is not localhost.
    positions = await open_movable(f"{url}&ca={certificate}" if known else url)
    with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        await positions.record(POSITION)
    await positions.close()
