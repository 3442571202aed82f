"""An index on an Elasticsearch cluster by URL: everything that a service may want to say stands in it.

`elasticsearch://[user:password@]host[:port][,host...]/alias[?replicas=N]`, `elasticsearchs://` with TLS and its option `ca`
(a PEM file; without it the machine's authorities). `alias` is what the names of indices and aliases begin with; without
`replicas` there is one more copy as soon as a second node can hold it.
"""

import re
import ssl
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from marquee.errors import SettingsInvalid
from marquee.stores.urls import ELASTICSEARCH_SCHEMES

PORT: Final = 9200
MOST_REPLICAS: Final = 20
_ALIAS: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_OPTIONS: Final = ("replicas", "ca")


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
    try:
        return _parsed(url)
    except (ValueError, OSError) as error:
        raise SettingsInvalid(f"{setting} cannot be used: {error}.", field=setting) from error


def _parsed(url: str) -> Target:
    parts = urlsplit(url)
    scheme = ELASTICSEARCH_SCHEMES[parts.scheme]
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    alias = parts.path.strip("/")
    if not _ALIAS.fullmatch(alias):
        raise ValueError(f"it ends with {alias!r}; it has to be an alias of small letters, digits, - and _")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := set(options) - set(_OPTIONS):
        raise ValueError(f"there is no option {', '.join(sorted(unknown))}; known are {', '.join(_OPTIONS)}")
    replicas = options.get("replicas")
    if replicas is not None and not (replicas.isdecimal() and int(replicas) <= MOST_REPLICAS):
        raise ValueError(f"replicas is {replicas!r}; it has to be a number up to {MOST_REPLICAS}")
    if "ca" in options and scheme != "https":
        raise ValueError("ca is for TLS: write elasticsearchs://")
    return Target(
        hosts=tuple(_host(host, scheme) for host in hosts.split(",")),
        login=(unquote(user), unquote(password)) if user else None,
        alias=alias,
        replicas=int(replicas) if replicas is not None else None,
        tls=ssl.create_default_context(cafile=options.get("ca")) if scheme == "https" else None,
    )


def _host(host: str, scheme: str) -> str:
    parts = urlsplit(f"//{host}")
    if not parts.hostname or parts.path or parts.query:
        raise ValueError(f"{host!r} is not a host or host:port")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{scheme}://{name}:{parts.port or PORT}"
