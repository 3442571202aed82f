"""Locks and rate limits between processes. The URL's scheme chooses the engine."""

from marquee.stores.connections.urls import CLUSTER_SCHEMES, VALKEY_SCHEMES, scheme_of
from marquee.stores.coordination.contract import SETTING, Coordination


def open_coordination(url: str) -> Coordination:
    """The store of locks and limits at this URL; connects at the first call. Raises `SettingsInvalid`."""
    scheme_of(url, setting=SETTING, known={**VALKEY_SCHEMES, **CLUSTER_SCHEMES})
    from marquee.stores.coordination.valkey import ValkeyCoordination

    return ValkeyCoordination(url)
