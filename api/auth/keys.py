"""The keys of access tokens as a process of the API has them: one that signs, and those that it accepts.

`marquee keys rotate` replaces the keys in `marquee.env` while the platform runs. So before a token is issued, and before
one is verified that the process does not know, the file's time is compared (2 us). A process therefore knows the new key
before it meets a token of that key. Where the keys come from the environment they change with a restart only.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from marquee import token_keys
from marquee.errors import SettingsInvalid
from marquee.logs import get_logger
from marquee.settings import ENVIRONMENT_FILE, Settings, load_settings

log = get_logger()

KeySettings = tuple[str, str]
"""`MARQUEE_TOKEN_PRIVATE_KEY` and `MARQUEE_TOKEN_OTHER_PUBLIC_KEYS`."""


@dataclass(frozen=True)
class KeyFile:
    """A file that gives other keys when it is replaced. `read` reads the settings that it makes."""

    path: Path
    read: Callable[[], KeySettings]

    def version(self) -> object:
        """Changes when the file is replaced; None without a file."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


class TokenKeys:
    """One private key, and the public keys that are accepted beside its own half. `clock` gives Unix seconds."""

    def __init__(
        self,
        private_key: str,
        other_public_keys: str = "",
        *,
        file: KeyFile | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._file = file
        self._version: object = None
        self._adopt(private_key, other_public_keys)

    def signing(self) -> tuple[str, Ed25519PrivateKey]:
        """The id and the private half of the key that signs now."""
        self._follow()
        return self._signing

    def accepted(self, key_id: str | None) -> Sequence[Ed25519PublicKey]:
        """The public keys that may have signed a token whose header names `key_id`; all of them where it names none."""
        keys = {key["kid"]: key for key in self.jwks()["keys"]}
        chosen = keys.values() if key_id is None else [keys[key_id]] if key_id in keys else []
        return [self._public[key["kid"]] for key in chosen]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys that are accepted now; the one that signs comes first."""
        self._follow()
        now = self._clock()
        return {"keys": [key for key, until in self._published if until is None or until > now]}

    def _follow(self) -> None:
        if self._file is None or (version := self._file.version()) == self._version or version is None:
            return
        self._version = version
        try:
            self._adopt(*self._file.read())
        except SettingsInvalid as error:
            log.error("changed token keys are not used", file=str(self._file.path), reason=error.detail)

    def _adopt(self, private_key: str, other_public_keys: str) -> None:
        """Raises `SettingsInvalid`; the keys from before then stay."""
        signing = token_keys.private_key(private_key)
        entries = [(token_keys.public_key(private_key), None), *token_keys.other_public_keys(other_public_keys)]
        published = [(token_keys.public_jwks(public)["keys"][0], until) for public, until in entries]
        self._published = published
        self._public = {key["kid"]: _public(key) for key, _ in published}
        self._signing = (published[0][0]["kid"], signing)


def _public(key: dict[str, str]) -> Ed25519PublicKey:
    public = jwt.PyJWK(key).key
    assert isinstance(public, Ed25519PublicKey), key["kty"]
    return public


def keys_of(settings: Settings, *, follow: bool) -> TokenKeys:
    """The keys of these settings. `follow`: also the later ones, which a rotation writes into `marquee.env`.

    Raises `SettingsInvalid`.
    """

    def read() -> KeySettings:
        return _settings_of(load_settings(state=settings.state))

    file = KeyFile(settings.state / ENVIRONMENT_FILE, read) if follow else None
    return TokenKeys(*_settings_of(settings), file=file)


def _settings_of(settings: Settings) -> KeySettings:
    return settings.token_private_key.get_secret_value(), settings.token_other_public_keys.get_secret_value()
