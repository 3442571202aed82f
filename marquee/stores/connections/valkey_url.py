"""Parses the URL of a Valkey server or cluster, and translates its parts into arguments of the redis-py client.

`valkey://[user:password@]host[:port][/db][?parameter=value&...]` is one server, `valkey-cluster://[user:password@]host[:port]
[,host...]` a cluster. `valkeys://` and `valkeys-cluster://` use TLS and have the parameters of
`marquee.stores.connections.tls`. `redis` instead of `valkey` means the same.
"""

import ssl
from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import SSLConnection

from marquee.stores.connections.cluster_url import ClusterUrl, parse_cluster_url
from marquee.stores.connections.tls import TLS_PARAMETERS, tls_of
from marquee.stores.connections.urls import CLUSTER_SCHEMES, VALKEY_SCHEMES

PORT: Final = 6379


def parse_valkey_url(url: str, *, setting: str, known: Sequence[str] = ()) -> ClusterUrl:
    """Parse the URL. `known`: the parameters that it may have besides those of TLS. Raises `SettingsInvalid`."""
    return parse_cluster_url(url, setting=setting, port=PORT, known=(*known, *TLS_PARAMETERS))


def login_of(parsed: ClusterUrl) -> dict[str, Any]:
    """User and password as arguments of the client; empty without a login."""
    return {name: value for name, value in (("username", parsed.user), ("password", parsed.password)) if value}


def connection_of(parsed: ClusterUrl) -> dict[str, Any]:
    """TLS as arguments of the client's pools and nodes; empty without TLS. Raises `SettingsInvalid`."""
    tls = tls_of(parsed, scheme={**VALKEY_SCHEMES, **CLUSTER_SCHEMES}[parsed.scheme])
    return {} if tls is None else {"connection_class": TlsConnection, "tls": tls}


def database_of(parsed: ClusterUrl) -> int:
    """The number of the database of one server, 0 by default. Raises `SettingsInvalid`."""
    if parsed.name and not (parsed.name.isascii() and parsed.name.isdecimal()):
        raise parsed.refused(f"the database is {parsed.name!r}; it has to be a number, such as /0")
    return int(parsed.name or 0)


class TlsConnection(SSLConnection):
    """Uses one TLS context for all connections. The library would make one for each, which blocks the event loop for 36 ms."""

    def __init__(self, *, tls: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = tls
