"""Refresh tokens: how they are made, and how a used one gives its successor once more.

Only the SHA-256 of a token is stored. During the overlap the store also keeps the successor, encrypted with a key that is
derived from the used token. A client that presents that token gets the same successor, in any process; the database alone
reveals none. No secret of the platform is involved, so none can be lost, and rotating one disturbs nobody (ADR 0020).
"""

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet

from marquee.stores.sessions.contract import Successor


def new_token() -> str:
    """A new refresh token: 256 random bits, 43 characters."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_successor(token: str) -> Successor:
    """A new token, sealed for `token`, its predecessor."""
    successor = new_token()
    return Successor(hash_of(successor), _sealing(token).encrypt(successor.encode()).decode())


def open_sealed(token: str, sealed: str) -> str:
    """The successor that was sealed for `token`."""
    return _sealing(token).decrypt(sealed).decode()


def _sealing(token: str) -> Fernet:
    # Not the stored hash: with that one the database could open what it stores.
    return Fernet(base64.urlsafe_b64encode(hmac.digest(token.encode(), b"marquee: seal of the successor", "sha256")))
