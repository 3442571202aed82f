"""Parses `scheme://[user:password@]host[:port][,host...][/name][?parameter=value&...]` into a `ClusterUrl`.

The only parser of the URLs of Kafka, Cassandra, Elasticsearch, S3 and Valkey; each engine's own module checks the name and the
values of the parameters. A mistake raises `SettingsInvalid`, which names the setting and says what to write. The message never
shows a password, even one that stands in the wrong place or is not escaped: so it names hosts by their number and shows no
ports.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv6Address
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote

from marquee.errors import SettingsInvalid
from marquee.ports import bracketed

_PARTS: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<name>/[^?#]*)?(\?(?P<query>[^#]*))?"
)
_HOST: Final = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<name>[A-Za-z0-9_.-]+))(?::(?P<port>[0-9]{1,5}))?")
_MAX_PORT: Final = 65_535
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,18}")


class Host(NamedTuple):
    """One host of a URL."""

    name: str
    """An IPv6 address is without its brackets."""
    port: int

    @property
    def address(self) -> str:
        """`host:port`; an IPv6 address is in brackets."""
        return f"{bracketed(self.name)}:{self.port}"


@dataclass(frozen=True)
class ClusterUrl:
    """A parsed URL. `user`, `password` and `name` are empty where the URL has none. Escapes (%40) are decoded."""

    setting: str
    scheme: str
    hosts: tuple[Host, ...]
    user: str
    password: str = field(repr=False)
    name: str
    parameters: Mapping[str, str]

    def refused(self, why: str) -> SettingsInvalid:
        """The error to raise for this URL; see `refused` below."""
        return refused(self.setting, why)

    def whole_number(self, parameter: str, *, minimum: int, maximum: int) -> int | None:
        """A parameter as a whole number; None if it is not given. Raises `SettingsInvalid` outside the bounds."""
        value = self.parameters.get(parameter)
        if value is None:
            return None
        if not _WHOLE_NUMBER.fullmatch(value) or not minimum <= int(value) <= maximum:
            raise self.refused(f"{parameter} is {value!r}; it must be a number from {minimum} to {maximum}")
        return int(value)

    def seconds(self, parameter: str, *, maximum: float) -> float | None:
        """A parameter as seconds above 0; None if it is not given. Raises `SettingsInvalid` above `maximum`."""
        value = self.parameters.get(parameter)
        if value is None:
            return None
        try:
            found = float(value)
        except ValueError:
            found = 0.0
        if not 0 < found <= maximum:
            raise self.refused(
                f"{parameter} is {value!r}; it must be a number of seconds up to {maximum:g}, more than 0"
            )
        return found


def parse_cluster_url(url: str, *, setting: str, port: int, known: Collection[str]) -> ClusterUrl:
    """`port`: the default of hosts without one. `known`: the parameters that the engine has. Raises `SettingsInvalid`."""
    parts = _PARTS.fullmatch(url)
    if parts is None:
        raise refused(setting, "write it as scheme://user:password@host:port,host:port, and a # as %23")
    after_hosts = (parts["name"] or "") + (parts["query"] or "")
    if "@" in after_hosts:
        raise refused(setting, "there is an @ after_hosts the hosts; write / ? # @ in a password as %2F %3F %23 %40")
    scheme = parts["scheme"].lower()
    login, _, hosts = parts["authority"].rpartition("@")
    user, _, password = login.partition(":")
    pairs = parse_qsl(parts["query"] or "", keep_blank_values=True)
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise refused(setting, "a parameter is given twice; remove one of the two")
    if unknown := sorted(set(parameters) - set(known)):
        raise refused(setting, f"there is no parameter {', '.join(unknown)}; known are {', '.join(known)}")
    return ClusterUrl(
        setting=setting,
        scheme=scheme,
        hosts=tuple(_host(host, at, scheme, setting, port) for at, host in enumerate(hosts.split(","), 1)),
        user=unquote(user),
        password=unquote(password),
        name=(parts["name"] or "").strip("/"),
        parameters=parameters,
    )


def refused(setting: str, why: str) -> SettingsInvalid:
    """The error to raise for an unusable URL: `why` is what is wrong and what to write, without a full stop."""
    return SettingsInvalid(f"{setting} cannot be used: {why}.", field=setting)


def _host(text: str, number: int, scheme: str, setting: str, default_port: int) -> Host:
    found = _HOST.fullmatch(text)
    port = int(found["port"] or default_port) if found else 0
    if not found or not 1 <= port <= _MAX_PORT or not _is_v6_or_absent(found["v6"]):
        raise refused(
            setting,
            f"host no. {number} is not a host or host:port (with a port from 1 to {_MAX_PORT}); "
            f"write {scheme}://host:port,host:port",
        )
    return Host((found["v6"] or found["name"]).lower(), port)


def _is_v6_or_absent(address: str | None) -> bool:
    """Whether the text in brackets is an IPv6 address; True if there are no brackets."""
    try:
        return address is None or bool(IPv6Address(address))
    except AddressValueError:
        return False
