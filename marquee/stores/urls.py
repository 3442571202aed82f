"""Which engine a store's URL names: the scheme decides, and an unknown one says which are known."""

from collections.abc import Collection
from urllib.parse import urlsplit

from marquee.errors import SettingsInvalid

VALKEY_SCHEMES = {"valkey": "redis", "valkeys": "rediss", "redis": "redis", "rediss": "rediss"}
"""Valkey's schemes, and the client's names for them; here, so that asking for them does not load the client."""

ELASTICSEARCH_SCHEMES = {"elasticsearch": "http", "elasticsearchs": "https"}
"""Elasticsearch's schemes, and what is spoken."""

CLUSTER_SCHEMES = {
    "valkey-cluster": "redis",
    "valkeys-cluster": "rediss",
    "redis-cluster": "redis",
    "rediss-cluster": "rediss",
}
"""Valkey's for a cluster."""


def scheme_of(url: str, *, setting: str, known: Collection[str]) -> str:
    """The URL's scheme. Raises `SettingsInvalid` naming the MARQUEE_... setting and the schemes it may have."""
    scheme = urlsplit(url).scheme
    if scheme not in known:
        raise SettingsInvalid(
            f"{setting} has the scheme {scheme or 'of nothing'!r}; known are: {', '.join(sorted(known))}.",
            field=setting,
        )
    return scheme
