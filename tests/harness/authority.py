"""A private authority, and the certificates that it issues for a test's public endpoints."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOSTS = ("localhost", "127.0.0.1", "127.0.0.2")


@dataclass
class Authority:
    """An authority and an intermediate one that signs. `root` is the PEM file that clients trust."""

    folder: Path

    def __post_init__(self) -> None:
        self._root_key, self._middle_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = self._signed("Test Root", self._root_key, "Test Root", self._root_key, authority=True)
        self._middle = self._signed("Test Issuer", self._middle_key, "Test Root", self._root_key, authority=True)
        self.root = self.folder / "root.pem"
        self.root.write_bytes(root)

    def issue(self, *, begins_days: float = -1, ends_days: float = 90, chain: bool = True) -> tuple[bytes, bytes]:
        """(certificate file, key file) as PEM, for `HOSTS`."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._signed(
            "public", key, "Test Issuer", self._middle_key, begins_days=begins_days, ends_days=ends_days
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return leaf + (self._middle if chain else b""), pem

    def _signed(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: str,
        issuer_key: ec.EllipticCurvePrivateKey,
        *,
        authority: bool = False,
        begins_days: float = -1,
        ends_days: float = 365,
    ) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        hosts = [_host(host) for host in HOSTS]
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=begins_days))
            .not_valid_after(now + datetime.timedelta(days=ends_days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )
        if not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
