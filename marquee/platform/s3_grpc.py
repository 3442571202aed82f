"""Closes the gRPC listener of SeaweedFS's S3 to every client.

SeaweedFS opens this listener on the address of the public S3 endpoint and has no option to disable it. A caller can create
S3 logins through it. Without TLS SeaweedFS does not authenticate callers. With mutual TLS it accepts only clients whose
certificate the configured authority has signed. The first start makes one certificate, which is also the only authority. Its
key lies in the state folder (mode 0600) and is given to no client, so no client can connect.
"""

from collections.abc import Mapping
from pathlib import Path

from marquee.platform.state import write_privately
from marquee.settings import Settings


def grpc_lock(settings: Settings) -> Mapping[str, str]:
    """SeaweedFS's environment variables that switch mutual TLS on. Makes the certificate if it does not exist yet."""
    certificate, key = (settings.state / "config" / f"seaweedfs-grpc.{kind}" for kind in ("crt", "key"))
    if not certificate.exists() or not key.exists():
        _make(certificate, key)
    return {
        "WEED_GRPC_CA": str(certificate),
        "WEED_GRPC_S3_CERT": str(certificate),
        "WEED_GRPC_S3_KEY": str(key),
    }


def _make(certificate: Path, key: Path) -> None:
    # Imported only when a certificate is made, once in a platform's life: the import takes longer than a stop.
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "marquee")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.parent.mkdir(parents=True, exist_ok=True)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_privately(key, pem.decode())
    write_privately(certificate, made.public_bytes(serialization.Encoding.PEM).decode())
