"""Access tokens: JWTs signed with Ed25519, with the claims iss, sub (account), profile, role, iat, exp and jti.

A player sends the same token every 4 s. Verifying a signature costs 0.1 ms, more than all other work of a progress
write, so the last `CACHE_ENTRIES` verified tokens are cached. An access token cannot be revoked: it ends at `exp`. The
refresh token that renews it can be revoked (`api.auth.service`).
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import jwt
from cachetools import LRUCache

from marquee import token_keys
from marquee.domain.roles import Role, is_role
from marquee.errors import NotAuthenticated
from marquee.stores.accounts.contract import Account

CACHE_ENTRIES: Final = 20_000
"""Verified tokens that a process keeps."""


@dataclass(frozen=True)
class Caller:
    """Who sent a request, as the claims of a verified access token say."""

    account_id: str
    profile_id: str
    role: Role
    expires_at: float
    """Unix seconds."""


class AccessTokens:
    """Issues and verifies access tokens with one private key (PEM).

    `life_seconds` is a token's lifetime, `clock` gives Unix seconds.
    """

    def __init__(self, private_key: str, *, life_seconds: int, clock: Callable[[], float] = time.time) -> None:
        self.life_seconds = life_seconds
        self.jwks = token_keys.public_jwks(token_keys.public_key(private_key))
        self._key = token_keys.private_key(private_key)
        self._public = self._key.public_key()
        self._headers = {"kid": self.jwks["keys"][0]["kid"]}
        self._clock = clock
        self._verified: LRUCache[str, Caller] = LRUCache(CACHE_ENTRIES)

    def issue(self, account: Account, profile_id: str) -> str:
        """A new access token for one profile of the account."""
        now = int(self._clock())
        claims = {
            "iss": token_keys.TOKEN_ISSUER,
            "sub": account.account_id,
            "profile": profile_id,
            "role": account.role,
            "iat": now,
            "exp": now + self.life_seconds,
            "jti": secrets.token_urlsafe(12),
        }
        return jwt.encode(claims, self._key, algorithm=token_keys.TOKEN_ALGORITHM, headers=self._headers)

    def read(self, token: str) -> Caller:
        """Who the token is for. Raises `NotAuthenticated` for a token that is forged, changed or expired."""
        caller = self._verified.get(token)
        if caller is None:
            caller = self._verify(token)
            self._verified[token] = caller
        if caller.expires_at <= self._clock():
            self._verified.pop(token, None)
            raise NotAuthenticated("The access token has expired: refresh the session.")
        return caller

    def _verify(self, token: str) -> Caller:
        try:
            claims = jwt.decode(
                token,
                self._public,
                algorithms=[token_keys.TOKEN_ALGORITHM],
                issuer=token_keys.TOKEN_ISSUER,
                options={"require": ["iss", "sub", "exp", "iat"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise NotAuthenticated("The access token has expired: refresh the session.") from error
        except (jwt.InvalidTokenError, ValueError, UnicodeError, RecursionError) as error:
            raise NotAuthenticated("This platform did not issue the access token: log in again.") from error
        subject, profile, role = claims["sub"], claims.get("profile"), claims.get("role")
        if not isinstance(subject, str) or not isinstance(profile, str) or not is_role(role):
            raise NotAuthenticated("The access token lacks a claim: log in again.")
        return Caller(subject, profile, role, float(claims["exp"]))
