"""Access tokens: JWTs signed with Ed25519, with the claims iss, sub (account), sid (session), profile, role, iat, exp, jti.

A player sends the same token every 4 s. Verifying a signature costs 0.1 ms, more than all other work of a progress
write, so the last `CACHE_ENTRIES` verified tokens are cached. A token ends at `exp`, or soon after its session ended
(`api/auth/ended_sessions.py`). A token of 0.1.0 has no `sid`, so it ends at `exp` only.
"""

import contextlib
import secrets
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cachetools import LRUCache
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from api.auth.keys import TokenKeys
from marquee import token_keys
from marquee.domain.roles import Role, is_role
from marquee.errors import NotAuthenticated
from marquee.stores.accounts.contract import Account

CACHE_ENTRIES: Final = 20_000
"""Verified tokens that a process keeps."""
CLOCK_SKEW_SECONDS: Final = 10
"""How far the clock of the host that issued a token may be ahead of this one's. The gateway allows as much."""


@dataclass(frozen=True)
class Caller:
    """Who sent a request, as the claims of a verified access token say."""

    account_id: str
    profile_id: str
    role: Role
    expires_at: float
    """Unix seconds."""
    session_id: str | None = None
    """None: a token of 0.1.0."""


class AccessTokens:
    """Issues and verifies access tokens.

    `life_seconds` is a token's lifetime, `clock` gives Unix seconds. `ended` holds the ids of sessions whose tokens are
    refused; it may change at any time.
    """

    def __init__(
        self,
        keys: TokenKeys,
        *,
        life_seconds: int,
        ended: Container[str] = frozenset(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.life_seconds = life_seconds
        self.keys = keys
        self._ended = ended
        self._clock = clock
        self._verified: LRUCache[str, Caller] = LRUCache(CACHE_ENTRIES)

    def issue(self, account: Account, profile_id: str, session_id: str) -> str:
        """A new access token for one profile of the account."""
        now = int(self._clock())
        key_id, key = self.keys.signing()
        claims = {
            "iss": token_keys.TOKEN_ISSUER,
            "sub": account.account_id,
            "sid": session_id,
            "profile": profile_id,
            "role": account.role,
            "iat": now,
            "exp": now + self.life_seconds,
            "jti": secrets.token_urlsafe(12),
        }
        return jwt.encode(claims, key, algorithm=token_keys.TOKEN_ALGORITHM, headers={"kid": key_id})

    def read(self, token: str) -> Caller:
        """Who the token is for.

        Raises `NotAuthenticated` for a token that is forged, changed or expired, and for one whose session ended.
        """
        caller = self._verified.get(token)
        if caller is None:
            caller = self._verify(token)
            self._verified[token] = caller
        if caller.expires_at <= self._clock():
            self._verified.pop(token, None)
            raise NotAuthenticated("The access token has expired: refresh the session.")
        if caller.session_id is not None and caller.session_id in self._ended:
            self._verified.pop(token, None)
            raise NotAuthenticated("This session was ended: log in again.")
        return caller

    def _verify(self, token: str) -> Caller:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            claims = self._claims(token, self.keys.accepted(key_id))
        except jwt.ExpiredSignatureError as error:
            raise NotAuthenticated("The access token has expired: refresh the session.") from error
        except (jwt.InvalidTokenError, ValueError, UnicodeError, RecursionError) as error:
            raise NotAuthenticated("This platform did not issue the access token: log in again.") from error
        subject, profile, role, session = claims["sub"], claims.get("profile"), claims.get("role"), claims.get("sid")
        if not isinstance(subject, str) or not isinstance(profile, str) or not is_role(role):
            raise NotAuthenticated("The access token lacks a claim: log in again.")
        if session is not None and not isinstance(session, str):
            raise NotAuthenticated("The access token has a wrong claim: log in again.")
        return Caller(subject, profile, role, float(claims["exp"]), session)

    def _claims(self, token: str, keys: Sequence[Ed25519PublicKey]) -> dict[str, Any]:
        """The claims of a token that one of the keys has signed. Raises `jwt.InvalidTokenError`."""
        for key in keys:
            with contextlib.suppress(jwt.InvalidSignatureError):
                return jwt.decode(
                    token,
                    key,
                    algorithms=[token_keys.TOKEN_ALGORITHM],
                    issuer=token_keys.TOKEN_ISSUER,
                    leeway=CLOCK_SKEW_SECONDS,
                    options={"require": ["iss", "sub", "exp", "iat"]},
                )
        raise jwt.InvalidSignatureError("no accepted key has signed the token")
