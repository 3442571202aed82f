"""Which engine a store's URL names: the scheme decides.

Also the facts about URLs that must be known without importing an engine's client, because those imports take long: the schemes
of Valkey and Elasticsearch, and a PostgreSQL URL without the one parameter that is ours.
"""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from marquee.errors import SettingsInvalid

VALKEY_SCHEMES = {"valkey": "valkeys", "valkeys": "valkeys", "redis": "rediss", "rediss": "rediss"}
"""Scheme of one Valkey server -> the scheme with TLS."""

ELASTICSEARCH_SCHEMES = {"elasticsearch": "http", "elasticsearchs": "https"}
"""Scheme of Elasticsearch -> the protocol to speak."""

CLUSTER_SCHEMES = {
    "valkey-cluster": "valkeys-cluster",
    "valkeys-cluster": "valkeys-cluster",
    "redis-cluster": "rediss-cluster",
    "rediss-cluster": "rediss-cluster",
}
"""Scheme of a Valkey cluster -> the scheme with TLS."""

POOL_PARAMETER: Final = "pool_size"
"""Parameter of a PostgreSQL URL that only Marquee reads: the size of the pool."""


def scheme_of(url: str, *, setting: str, known: Collection[str]) -> str:
    """The URL's scheme. Raises `SettingsInvalid` if it is not in `known`; the message names both and `setting`."""
    scheme = urlsplit(url).scheme
    if scheme not in known:
        raise SettingsInvalid(
            f"{setting} has the scheme {scheme!r}; it has to begin with one of: {', '.join(sorted(known))}.",
            field=setting,
        )
    return scheme


def libpq_url(url: str) -> str:
    """The PostgreSQL URL without `pool_size`: libpq refuses parameters that it does not know."""
    before, _, query = url.partition("?")
    kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0] != POOL_PARAMETER]
    return f"{before}?{'&'.join(kept)}" if kept else before
