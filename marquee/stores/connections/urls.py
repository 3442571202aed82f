"""Which engine a store's URL names: the scheme decides, and an unknown one says which are known.

Also what is said of a URL without loading the engine's client: what libpq takes of a PostgreSQL one.
"""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from marquee.errors import SettingsInvalid

VALKEY_SCHEMES = {"valkey": "valkeys", "valkeys": "valkeys", "redis": "rediss", "rediss": "rediss"}
"""Valkey's schemes, and what each is with TLS; here, so that asking for them does not load the client."""

ELASTICSEARCH_SCHEMES = {"elasticsearch": "http", "elasticsearchs": "https"}
"""Elasticsearch's schemes, and what is spoken."""

CLUSTER_SCHEMES = {
    "valkey-cluster": "valkeys-cluster",
    "valkeys-cluster": "valkeys-cluster",
    "redis-cluster": "rediss-cluster",
    "rediss-cluster": "rediss-cluster",
}
"""The same for a cluster."""

POOL_PARAMETER: Final = "pool_size"
"""Of a PostgreSQL URL: ours alone."""


def scheme_of(url: str, *, setting: str, known: Collection[str]) -> str:
    """The URL's scheme. Raises `SettingsInvalid` naming the MARQUEE_... setting and the schemes it may have."""
    scheme = urlsplit(url).scheme
    if scheme not in known:
        raise SettingsInvalid(
            f"{setting} has the scheme {scheme or 'of nothing'!r}; known are: {', '.join(sorted(known))}.",
            field=setting,
        )
    return scheme


def libpq_url(url: str) -> str:
    """A PostgreSQL URL without `pool_size`: libpq refuses a parameter that it does not know."""
    before, _, query = url.partition("?")
    kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0] != POOL_PARAMETER]
    return f"{before}?{'&'.join(kept)}" if kept else before
