"""The gateway's check of access tokens: which keys it accepts, and which API paths need no token.

The filter is a file of its own in the state folder. Envoy reads it again when it is replaced (extension config discovery):
the new keys count for the next request, within half a second, and no connection ends. Envoy keeps the filter of before where
the new file cannot be used. A JWKS file beside the configuration would not do: Envoy 1.40 reads it at its start only.

Envoy knows no end of a key. Housekeeping therefore replaces the file when a key has ended (`drop_ended_keys`).
"""

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from marquee.errors import PlatformUnavailable, SettingsInvalid
from marquee.logs import get_logger
from marquee.platform.programs.gateway_limits import JWT_PAYLOAD
from marquee.platform.state import configuration, start_stop_lock
from marquee.platform.templates import render
from marquee.settings import Settings, load_settings
from marquee.telemetry_token import TELEMETRY_PATH

FILTER_NAME: Final = "envoy.filters.http.jwt_authn"
FILTER_FILE: Final = "access-tokens.yaml"
OPEN_PATHS: Final = (
    ("POST", "/api/v1/accounts"),
    ("POST", "/api/v1/sessions"),
    ("POST", "/api/v1/sessions/refresh"),
    ("DELETE", "/api/v1/sessions/current"),
    ("GET", "/api/v1/healthz"),
    ("GET", "/api/v1/readyz"),
)
OPEN_PREFIXES: Final = (("POST", TELEMETRY_PATH),)
"""Below these, the path itself is signed."""

log = get_logger()


def accepted_keys(settings: Settings) -> list[str]:
    """The public keys that count now, in the form of `MARQUEE_TOKEN_PUBLIC_KEY`; that of the key that signs comes first.

    Raises `SettingsInvalid`.
    """
    # Imported here: `marquee status` and `marquee down` import this module too, and importing cryptography is slow.
    from marquee.token_keys import other_public_keys, public_key

    own = settings.token_public_key or public_key(settings.token_private_key.get_secret_value())
    others = other_public_keys(settings.token_other_public_keys.get_secret_value())
    return [own, *(key for key, until in others if until is None or until > time.time())]


def write_filter(settings: Settings, keys: Sequence[str]) -> Path:
    """Replace the file of the filter, atomically, by one that accepts these public keys. Returns its path."""
    return configuration(settings, FILTER_FILE, _filter(keys))


def drop_ended_keys(settings: Settings) -> bool:
    """Write the filter again if its keys are not those that count now. True if it was written.

    The keys are read from `marquee.env` again: a rotation changes them while the platform runs. Where this state folder has no
    filter, another host has the gateway. While a command starts, stops or rotates, the next call does it.
    """
    if not (settings.state / "config" / FILTER_FILE).is_file() or _is_current(settings):
        return False
    try:
        with start_stop_lock(settings):
            # Looked at again: the command that held the lock may have changed the keys.
            if _is_current(settings):
                return False
            write_filter(settings, accepted_keys(load_settings(state=settings.state)))
    except PlatformUnavailable:
        return False
    log.info("the gateway's keys are written again: one has ended")
    return True


def _is_current(settings: Settings) -> bool:
    try:
        wanted = _filter(accepted_keys(load_settings(state=settings.state)))
    except SettingsInvalid as error:
        log.error("changed token keys are not used at the gateway", reason=error.detail)
        return True
    return (settings.state / "config" / FILTER_FILE).read_text() == wanted


def _filter(keys: Sequence[str]) -> str:
    from marquee.token_keys import TOKEN_ISSUER, public_jwks

    # Sorted: the same keys give the same text, whichever of them signs.
    jwks = json.dumps(public_jwks(*sorted(keys)))
    return render(
        "envoy/access-tokens.yaml.jinja",
        version=hashlib.sha256(jwks.encode()).hexdigest()[:16],
        name=FILTER_NAME,
        issuer=TOKEN_ISSUER,
        jwks=jwks,
        jwt_payload=JWT_PAYLOAD,
        open_paths=OPEN_PATHS,
        open_prefixes=OPEN_PREFIXES,
    )
