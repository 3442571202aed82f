"""The gateway's check of access tokens: which keys it accepts, and which API paths need no token.

The filter is a file of its own in the state folder. Envoy reads it again when it is replaced (extension config discovery):
the new keys count for the next request, within half a second, and no connection ends. Envoy keeps the filter of before where
the new file cannot be used. A JWKS file beside the configuration would not do: Envoy 1.40 reads it at its start only.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from marquee.platform.programs.gateway_limits import JWT_PAYLOAD
from marquee.platform.state import configuration
from marquee.platform.templates import render
from marquee.settings import Settings

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
    from marquee.token_keys import TOKEN_ISSUER, public_jwks

    jwks = json.dumps(public_jwks(*keys))
    text = render(
        "envoy/access-tokens.yaml.jinja",
        version=hashlib.sha256(jwks.encode()).hexdigest()[:16],
        name=FILTER_NAME,
        issuer=TOKEN_ISSUER,
        jwks=jwks,
        jwt_payload=JWT_PAYLOAD,
        open_paths=OPEN_PATHS,
    )
    return configuration(settings, FILTER_FILE, text)
