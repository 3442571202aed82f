"""The signed token in a telemetry URL: which playback session may be told of, and until when.

Form: `{session}.{profile}.{title}.{version}.{1 for a preview, else 0}.{expiry}.{signature}`. It stands in the path, so a
player that can send no header reports too. Whoever has the URL may add events to this one session, and can read nothing. The
signature is HMAC-SHA256 with MARQUEE_CURSOR_SECRET. The API signs and reads it (`api/stream`, `api/telemetry`).
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from itsdangerous import BadSignature, Signer

from marquee.errors import MarqueeError
from marquee.settings import Settings

TELEMETRY_PATH: Final = "/api/v1/telemetry/"
MIN_LIFE_SECONDS: Final = 24 * 3600
"""A viewer pauses in the evening and goes on in the morning: the session's exit still counts."""
MAX_TOKEN_CHARACTERS: Final = 200
_SEPARATOR: Final = "."


class TelemetryUrlInvalid(MarqueeError):
    """The token in a telemetry URL was not signed by this platform, or was changed or cut."""

    status = 403
    code = "signature-invalid"
    title = "The signature does not fit this address"


class TelemetryUrlExpired(MarqueeError):
    """The telemetry URL is too old: its session takes no more events."""

    status = 403
    code = "url-expired"
    title = "The signed address has expired"


@dataclass(frozen=True)
class TelemetrySession:
    """What a token says. `is_preview`: somebody looks who may edit titles. `expires_at`: Unix seconds."""

    session_id: str
    profile_id: str
    movie_id: str
    version: int
    is_preview: bool
    expires_at: int

    @property
    def event_fields(self) -> dict[str, Any]:
        """The fields that every `ViewingEvent` of the session has."""
        return {
            "session_id": self.session_id,
            "profile_id": self.profile_id,
            "movie_id": self.movie_id,
            "version": self.version,
            "is_preview": self.is_preview,
        }


def life_seconds(stream_url_seconds: int) -> int:
    """How long a telemetry URL is valid: as long as the stream's, and MIN_LIFE_SECONDS at least."""
    return max(stream_url_seconds, MIN_LIFE_SECONDS)


class TelemetryTokens:
    """Signs and reads the tokens with the secret of the settings, `cursor_secret`."""

    def __init__(self, settings: Settings) -> None:
        self._public = settings.public
        self._signer = Signer(
            settings.cursor_secret.get_secret_value(),
            salt="telemetry-url",
            sep=_SEPARATOR,
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )

    def url(self, session: TelemetrySession) -> str:
        """The address to which the session's player posts, at the gateway."""
        return f"{self._public}{TELEMETRY_PATH}{self.sign(session)}"

    def sign(self, session: TelemetrySession) -> str:
        said = (
            session.session_id,
            session.profile_id,
            session.movie_id,
            str(session.version),
            "1" if session.is_preview else "0",
            str(session.expires_at),
        )
        return self._signer.sign(_SEPARATOR.join(said)).decode()

    def read(self, token: str, *, now: float) -> TelemetrySession:
        """What the token says. Raises `TelemetryUrlInvalid`, `TelemetryUrlExpired`."""
        try:
            said = self._signer.unsign(token).decode()
        except (BadSignature, UnicodeError) as error:
            raise TelemetryUrlInvalid(
                "This platform did not sign the telemetry URL, or it was changed or cut: use the telemetry_url of "
                "GET /api/v1/stream as it is.",
                field="token",
            ) from error
        session_id, profile_id, movie_id, version, preview, expires_at = said.split(_SEPARATOR)
        session = TelemetrySession(session_id, profile_id, movie_id, int(version), preview == "1", int(expires_at))
        check_life(session, now=now)
        return session


def check_life(session: TelemetrySession, *, now: float) -> None:
    """Raises `TelemetryUrlExpired`. `now`: Unix seconds."""
    if session.expires_at <= now:
        raise TelemetryUrlExpired(
            "The telemetry URL has expired: drop the events, and ask GET /api/v1/stream for a new session.",
            field="token",
        )
