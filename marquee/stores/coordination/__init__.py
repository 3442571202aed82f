"""Locks and rate limits; the engine is chosen by the URL's scheme."""

from marquee.stores.connections.urls import CLUSTER_SCHEMES, VALKEY_SCHEMES, scheme_of
from marquee.stores.coordination.contract import SETTING, Coordination


def open_coordination(url: str) -> Coordination:
    scheme_of(url, setting=SETTING, known={**VALKEY_SCHEMES, **CLUSTER_SCHEMES})
    from marquee.stores.coordination.valkey import ValkeyCoordination

    return ValkeyCoordination(url)
