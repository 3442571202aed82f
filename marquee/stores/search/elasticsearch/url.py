"""Parses the URL of an index on an Elasticsearch cluster into a `Target`. Connects to nothing.

`elasticsearch://[user:password@]host[:port][,host...]/alias[?replicas=N]`; `elasticsearchs://` with TLS and the parameters of
`marquee.stores.connections.tls`. The names of all indices and aliases begin with `alias`. Without `replicas` the index has one
replica as soon as the cluster has a second node.
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
    """A parsed URL. `hosts` are `http(s)://host:port`. `replicas` None: one replica as soon as a second node exists."""

    hosts: tuple[str, ...]
    login: tuple[str, str] | None = field(repr=False)
    alias: str
    replicas: int | None
    tls: ssl.SSLContext | None


def parse_target(url: str, *, setting: str = "MARQUEE_SEARCH_URL") -> Target:
    """Raises `SettingsInvalid`, which names `setting`, the unusable part of the URL, and what to write."""
    parsed = parse_cluster_url(url, setting=setting, port=PORT, known=_PARAMETERS)
    scheme = ELASTICSEARCH_SCHEMES[parsed.scheme]
    if not _ALIAS.fullmatch(parsed.name):
        raise parsed.refused(
            f"it ends with {parsed.name!r}; it has to end with an alias of lower-case letters, digits, - and _"
        )
    return Target(
        hosts=tuple(f"{scheme}://{host.address}" for host in parsed.hosts),
        login=(parsed.user, parsed.password) if parsed.user else None,
        alias=parsed.name,
        replicas=parsed.whole_number("replicas", minimum=0, maximum=MAX_REPLICAS),
        tls=tls_of(parsed, scheme="elasticsearchs"),
    )
