"""Shared bytes of home rows; the engine is chosen by the URL's scheme."""

from marquee.stores.connections.urls import CLUSTER_SCHEMES, VALKEY_SCHEMES, scheme_of
from marquee.stores.row_cache.contract import SETTING, RowCache


def open_row_cache(url: str) -> RowCache:
    scheme_of(url, setting=SETTING, known={**VALKEY_SCHEMES, **CLUSTER_SCHEMES})
    from marquee.stores.row_cache.valkey import ValkeyRowCache

    return ValkeyRowCache(url)
