"""The S3 logins of one machine and their rights, in the format of SeaweedFS's configuration.

There are three logins. "ingest" and "published" each own one bucket and have no right on the other. "edges" may read the
objects of the published bucket and nothing else; it cannot list. The lake's bucket, if it is one of this S3, has a login of its
own where its keys are set; else it belongs to "ingest". There is no identity "anonymous", so S3 refuses a request
without a login. A presigned URL is signed by the login of its bucket and is valid for one request only. `local_engines`
writes the result into SeaweedFS's configuration file.
"""

from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from marquee.errors import SettingsInvalid
from marquee.settings import Settings

LAKE_BUCKET: Final = "marquee-lake"
"""The bucket for a lake in this machine's S3, whether or not MARQUEE_LAKE_URL names it."""
OWNER_ACTIONS: Final = ("Admin", "Read", "Write", "List", "Tagging")
"""What an owner may do with its own bucket. `Admin` is the right to create the bucket and to set its CORS rules."""


def identities(settings: Settings) -> dict[str, list[dict[str, object]]]:
    """The content of SeaweedFS's S3 configuration.

    Raises `SettingsInvalid` for a login without keys: SeaweedFS without identities accepts every request.
    """
    ingest, published = (urlsplit(url).path.strip("/") for url in (settings.objects, settings.published))
    has_lake_login = bool(settings.s3_lake_access_key.get_secret_value())
    lake = _owner(LAKE_BUCKET)
    return {
        "identities": [
            _identity(settings, "ingest", "s3", _owner(ingest) + ([] if has_lake_login else lake)),
            _identity(settings, "published", "s3_published", _owner(published)),
            *([_identity(settings, "lake", "s3_lake", lake)] if has_lake_login else []),
            # `/*`: objects only. `Read` on the bucket itself would include its unfinished uploads and its policy.
            _identity(settings, "edges", "s3_edge", [f"Read:{published}/*"]),
        ]
    }


def _owner(bucket: str) -> list[str]:
    return [f"{action}:{bucket}" for action in OWNER_ACTIONS]


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
        raise SettingsInvalid(
            f"{variable} is not set, and S3 does not start without it: set it to the value that the other hosts have.",
            field=variable,
        )
    return secret.get_secret_value()
