"""Who may do what at the S3 of one machine: three logins, in the form of SeaweedFS's configuration.

The ingest bucket's login and the published bucket's each own their bucket and cannot open the other one. The edges' login
reads the published bucket's objects; it lists nothing. Without a login nothing is answered: there is no identity "anonymous".
Presigned URLs are signed by the login of their bucket, and hold for the one request that was signed.
"""

from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from marquee.errors import SettingsInvalid
from marquee.settings import Settings

OWNER_ACTIONS: Final = ("Admin", "Read", "Write", "List", "Tagging")
"""Of its own bucket alone. `Admin` is the right to create it and to say which web pages may use it (CORS)."""


def identities(settings: Settings) -> dict[str, list[dict[str, object]]]:
    """Raises `SettingsInvalid` for a login without keys: SeaweedFS without identities would answer everybody."""
    ingest, published = (urlsplit(url).path.strip("/") for url in (settings.objects, settings.published))
    return {
        "identities": [
            _identity(settings, "ingest", "s3", [f"{action}:{ingest}" for action in OWNER_ACTIONS]),
            _identity(settings, "published", "s3_published", [f"{action}:{published}" for action in OWNER_ACTIONS]),
            # With the path, as reading a bucket itself would be more: its unfinished uploads, its policy.
            _identity(settings, "edges", "s3_edge", [f"Read:{published}/*"]),
        ]
    }


def _identity(settings: Settings, name: str, prefix: str, actions: list[str]) -> dict[str, object]:
    credentials = {
        "accessKey": _given(settings, f"{prefix}_access_key"),
        "secretKey": _given(settings, f"{prefix}_secret_key"),
    }
    return {"name": name, "credentials": [credentials], "actions": actions}


def _given(settings: Settings, name: str) -> str:
    secret: SecretStr = getattr(settings, name)
    if not secret.get_secret_value():
        variable = f"MARQUEE_{name.upper()}"
        raise SettingsInvalid(f"{variable} is not set, and S3 does not start without it.", field=variable)
    return secret.get_secret_value()
