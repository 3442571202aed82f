"""An index on an Elasticsearch cluster by URL: everything that a service may want to say stands in it.

`elasticsearch://[user:password@]host[:port][,host...]/alias[?replicas=N]`, `elasticsearchs://` with TLS and the parameters of
`marquee.stores.connections.tls`. `alias` is what the names of indices and aliases begin with; without `replicas` there
is one more copy as soon as a second node can hold it.
"""

import re
import ssl
from dataclasses import dataclass, field
from typing import Final

from marquee.stores.connections.cluster_url import parse_cluster_url
from marquee.stores.connections.tls import TLS_PARAMETERS, tls_of
from marquee.stores.connections.urls import ELASTICSEARCH_SCHEMES

PORT: Final = 9200
MAX_REPLICAS: Final = 20
_ALIAS: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_PARAMETERS: Final = ("replicas", *TLS_PARAMETERS)


@dataclass(frozen=True)
class Target:
    """`hosts` are `http(s)://host:port`; `replicas` None: one where there is a node for it."""

    hosts: tuple[str, ...]
    login: tuple[str, str] | None = field(repr=False)
    alias: str
    replicas: int | None
    tls: ssl.SSLContext | None


def parse_target(url: str, *, setting: str = "MARQUEE_SEARCH_URL") -> Target:
    """Raises `SettingsInvalid` that says which part of the URL cannot be used, and what it may be."""
    found = parse_cluster_url(url, setting=setting, port=PORT, known=_PARAMETERS)
    scheme = ELASTICSEARCH_SCHEMES[found.scheme]
    if not _ALIAS.fullmatch(found.name):
        raise found.refused(f"it ends with {found.name!r}; it has to be an alias of small letters, digits, - and _")
    return Target(
        hosts=tuple(f"{scheme}://{host.address}" for host in found.hosts),
        login=(found.user, found.password) if found.user else None,
        alias=found.name,
        replicas=found.whole("replicas", minimum=0, maximum=MAX_REPLICAS),
        tls=tls_of(found, scheme="elasticsearchs"),
    )
