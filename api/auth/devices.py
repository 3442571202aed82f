"""Device tokens (OWASP, "device cookies"): strangers' wrong attempts do not slow a client that has logged in before.

A token is signed, and bound to the e-mail address of its account. It is no login: it only says that somebody who knew the
password has used this device. Browsers hold it in a cookie (`api.auth.cookies`), apps send it in the login request.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from itsdangerous import BadData, URLSafeTimedSerializer

from api.auth.cookies import DEVICE_SECONDS

MAX_TOKEN_CHARACTERS: Final = 300


@dataclass(frozen=True)
class Devices:
    """Issues and reads device tokens with one secret."""

    secret: str

    def issue(self, account_key: str, device_id: str | None = None) -> str:
        """A token for the account whose address has this key (`attempts.account_key`). A known device keeps its id."""
        return str(self._serializer().dumps([account_key, device_id or secrets.token_urlsafe(9)]))

    def read(self, token: str | None, account_key: str) -> str | None:
        """The device's id. None for a token that is forged, too old, or of another account: the device is unknown then."""
        if not token or len(token) > MAX_TOKEN_CHARACTERS:
            return None
        try:
            content: Any = self._serializer().loads(token, max_age=DEVICE_SECONDS)
        except BadData:
            return None
        if not isinstance(content, list) or len(content) != 2 or content[0] != account_key:
            return None
        return str(content[1])

    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt="device")
