"""A Valkey by URL, one server or a cluster, in the terms of its client.

`valkey://[user:password@]host[:port][/db][?parameter=value&...]` and `valkey-cluster://[user:password@]host[:port][,host...]`;
`valkeys://` and `valkeys-cluster://` with TLS and the parameters of `marquee.stores.tls` (a `ca` counts beside the machine's
authorities). `redis` instead of `valkey` means the same.
"""

from collections.abc import Sequence
from typing import Any, Final

from marquee.stores.cluster_url import ClusterUrl, parse_cluster_url
from marquee.stores.tls import TLS_PARAMETERS, tls_of
from marquee.stores.urls import CLUSTER_SCHEMES, VALKEY_SCHEMES

PORT: Final = 6379
_MOST_DATABASE: Final = 10_000


def parse_valkey_url(url: str, *, setting: str, known: Sequence[str] = ()) -> ClusterUrl:
    """`known` are the parameters besides those of TLS. Raises `SettingsInvalid`."""
    return parse_cluster_url(url, setting=setting, port=PORT, known=(*known, *TLS_PARAMETERS))


def access_of(found: ClusterUrl) -> dict[str, Any]:
    """Login and TLS as the client's arguments; `ssl` is True where there is TLS. Raises `SettingsInvalid`."""
    login = {name: value for name, value in (("username", found.user), ("password", found.password)) if value}
    tls = tls_of(found, scheme={**VALKEY_SCHEMES, **CLUSTER_SCHEMES}[found.scheme])
    if tls is None:
        return login
    files = {"ca": "ssl_ca_certs", "certificate": "ssl_certfile", "key": "ssl_keyfile"}
    given = {argument: found.parameters[name] for name, argument in files.items() if found.parameters.get(name)}
    return {**login, **given, "ssl": True, "ssl_check_hostname": tls.check_hostname}


def database_of(found: ClusterUrl) -> int:
    """Of one server. Raises `SettingsInvalid`."""
    if found.name and not (found.name.isdecimal() and int(found.name) <= _MOST_DATABASE):
        raise found.refused(f"the database {found.name!r} has to be a number, such as /0")
    return int(found.name or 0)
