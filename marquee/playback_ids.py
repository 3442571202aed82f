"""Ids of playback sessions that show whose they are: one profile plays one title, from the first address to the exit.

Of an id's 52 lower bits 16 are random and 36 are an HMAC-SHA256 over its time, these 16 bits, the profile and the title, with
a key derived from MARQUEE_CURSOR_SECRET. So `GET /stream` knows a session that it gave out without storing it. A guessed id
passes once in 2**36 tries, and then joins two viewings of the guesser's own profile. After a change of the secret, earlier
sessions are not continued.
"""

import hashlib
import hmac
import secrets
import time
from typing import Final

from marquee.domain.ids import is_playback_id, low_bits_of, made_at_ms, playback_id_of
from marquee.settings import Settings

SIGNATURE_BITS: Final = 36
NONCE_BITS: Final = 16


class PlaybackIds:
    """Makes and recognises the ids."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.cursor_secret.get_secret_value().encode()
        self._key = hmac.digest(secret, b"marquee: ids of playback sessions", "sha256")

    def new(self, profile_id: str, movie_id: str, *, at_ms: int | None = None) -> str:
        """`at_ms`: Unix milliseconds; None: now."""
        began_ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
        nonce = secrets.randbits(NONCE_BITS)
        signature = self._signature(began_ms, nonce, profile_id, movie_id)
        return playback_id_of(began_ms, nonce << SIGNATURE_BITS | signature)

    def is_of(self, session_id: str, profile_id: str, movie_id: str) -> bool:
        """Whether `new` made this id for the profile and the title, at any time."""
        if not is_playback_id(session_id):
            return False
        nonce, signature = divmod(low_bits_of(session_id), 1 << SIGNATURE_BITS)
        return hmac.compare_digest(
            signature.to_bytes(8), self._signature(made_at_ms(session_id), nonce, profile_id, movie_id).to_bytes(8)
        )

    def _signature(self, began_ms: int, nonce: int, profile_id: str, movie_id: str) -> int:
        said = f"{began_ms}.{nonce}.{profile_id}.{movie_id}".encode()
        return int.from_bytes(hmac.digest(self._key, said, hashlib.sha256)[:8]) >> 64 - SIGNATURE_BITS
