"""The cache of home rows that all API processes share. The URL's scheme chooses the engine."""

from marquee.stores.connections.urls import CLUSTER_SCHEMES, VALKEY_SCHEMES, scheme_of
from marquee.stores.row_cache.contract import SETTING, RowCache


def open_row_cache(url: str) -> RowCache:
    """The row cache at this URL; connects at the first call. Raises `SettingsInvalid`."""
    scheme_of(url, setting=SETTING, known={**VALKEY_SCHEMES, **CLUSTER_SCHEMES})
    from marquee.stores.row_cache.valkey import ValkeyRowCache

    return ValkeyRowCache(url)
