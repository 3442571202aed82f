"""The key pair of access tokens: how it is made, read and published.

The API signs access tokens with Ed25519 (`api/auth/tokens.py`). The gateway, and anybody else, verifies them by the JWKS,
which is made of the public half alone.
"""

import base64
import hashlib
import json

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from marquee.errors import SettingsInvalid

TOKEN_ISSUER = "marquee"  # noqa: S105
TOKEN_ALGORITHM = "EdDSA"  # noqa: S105


def generate_private_key() -> str:
    """A new Ed25519 private key in the form of `MARQUEE_TOKEN_PRIVATE_KEY`: PKCS8 PEM, base64 on one line."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return base64.b64encode(pem).decode()


def private_key(setting: str) -> Ed25519PrivateKey:
    """Raises `SettingsInvalid` for what is no Ed25519 key of that form."""
    try:
        key = serialization.load_pem_private_key(base64.b64decode(setting), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsInvalid(
            "MARQUEE_TOKEN_PRIVATE_KEY has to be an Ed25519 key: PKCS8 PEM, base64 on one line.",
            field="MARQUEE_TOKEN_PRIVATE_KEY",
        )
    return key


def public_key(setting: str) -> str:
    """The public half of a private key, in the form of `MARQUEE_TOKEN_PUBLIC_KEY`: PEM, base64 on one line."""
    pem = (
        private_key(setting)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return base64.b64encode(pem).decode()


def public_jwks(setting: str) -> dict[str, list[dict[str, str]]]:
    """The JSON Web Key Set (RFC 7517) that verifies this platform's access tokens, from the public half of their key.

    Raises `SettingsInvalid` for what is no Ed25519 key of that form.
    """
    try:
        public = serialization.load_pem_public_key(base64.b64decode(setting))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        public = None
    if not isinstance(public, Ed25519PublicKey):
        raise SettingsInvalid(
            "MARQUEE_TOKEN_PUBLIC_KEY has to be an Ed25519 key: PEM, base64 on one line.",
            field="MARQUEE_TOKEN_PUBLIC_KEY",
        )
    jwk = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(public))
    thumbprint = hashlib.sha256(
        json.dumps({"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"]}, separators=(",", ":")).encode()
    ).digest()
    key_id = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
    return {"keys": [{**jwk, "kid": key_id, "alg": TOKEN_ALGORITHM, "use": "sig"}]}
