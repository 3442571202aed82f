"""The lock on SeaweedFS's other listener: gRPC of its S3, on the same address as the public door.

Whoever calls it makes logins, and SeaweedFS asks nobody who he is unless it is told to speak TLS to known clients only. So it
is told: with one certificate that the first start makes and that is the only authority. Its key is in the state folder
(mode 0600) and is handed to nobody, so nobody can call. SeaweedFS cannot leave this listener out.
"""

from collections.abc import Mapping
from pathlib import Path

from marquee.platform.state import write_privately
from marquee.settings import Settings


def grpc_lock(settings: Settings) -> Mapping[str, str]:
    """Environment variables of SeaweedFS; makes the certificate if it is not there yet."""
    certificate, key = (settings.state / "config" / f"seaweedfs-grpc.{kind}" for kind in ("crt", "key"))
    if not certificate.exists() or not key.exists():
        _make(certificate, key)
    return {
        "WEED_GRPC_CA": str(certificate),
        "WEED_GRPC_S3_CERT": str(certificate),
        "WEED_GRPC_S3_KEY": str(key),
    }


def _make(certificate: Path, key: Path) -> None:
    # Imported where it is needed, once in a platform's life: it takes longer to import than a stop takes.
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
