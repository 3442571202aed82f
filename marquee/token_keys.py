"""The key pairs of access tokens: how they are made, read and published.

The API signs access tokens with one Ed25519 key (`api/auth/tokens.py`). The gateway, and anybody else, verifies them by the
JWKS, which is made of public halves alone. During a rotation it has two: that of the key that signs, and that of the next or
the previous key (`marquee/platform/key_rotation.py`).
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
OTHER_KEYS_VARIABLE = "MARQUEE_TOKEN_OTHER_PUBLIC_KEYS"


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


def with_end(public: str, until: float) -> str:
    """An entry of `MARQUEE_TOKEN_OTHER_PUBLIC_KEYS`: a key that is accepted until that time, in Unix seconds."""
    return f"{public}@{int(until)}"


def other_public_keys(setting: str) -> list[tuple[str, float | None]]:
    """The entries of `MARQUEE_TOKEN_OTHER_PUBLIC_KEYS`: (key, end of its acceptance in Unix seconds or None).

    Raises `SettingsInvalid` for an entry that is neither `key` nor `key@time`.
    """
    found: list[tuple[str, float | None]] = []
    for entry in filter(None, (part.strip() for part in setting.split(","))):
        public, _, until = entry.partition("@")
        if until and not until.isdecimal():
            raise SettingsInvalid(
                f"{OTHER_KEYS_VARIABLE} has the end {until[:20]!r}, which is no time: write a key as key@unix-seconds.",
                field=OTHER_KEYS_VARIABLE,
            )
        _read_public(public, OTHER_KEYS_VARIABLE)
        found.append((public, float(until) if until else None))
    return found


def public_jwks(*settings: str) -> dict[str, list[dict[str, str]]]:
    """The JSON Web Key Set (RFC 7517) that verifies this platform's access tokens, from public keys; each key once.

    Raises `SettingsInvalid` for what is no Ed25519 key of the form of `MARQUEE_TOKEN_PUBLIC_KEY`.
    """
    keys = {}
    for setting in settings:
        jwk = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(_read_public(setting, "MARQUEE_TOKEN_PUBLIC_KEY")))
        thumbprint = hashlib.sha256(
            json.dumps({"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"]}, separators=(",", ":")).encode()
        ).digest()
        key_id = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
        keys[key_id] = {**jwk, "kid": key_id, "alg": TOKEN_ALGORITHM, "use": "sig"}
    return {"keys": list(keys.values())}


def _read_public(setting: str, variable: str) -> Ed25519PublicKey:
    try:
        public = serialization.load_pem_public_key(base64.b64decode(setting))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        public = None
    if not isinstance(public, Ed25519PublicKey):
        raise SettingsInvalid(f"{variable} has to be an Ed25519 key: PEM, base64 on one line.", field=variable)
    return public
