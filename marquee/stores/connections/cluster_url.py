"""A cluster by URL: `scheme://[user:password@]host[:port][,host...][/name][?parameter=value&...]` in typed parts.

The one parser of the URLs of Kafka, Cassandra, Elasticsearch and Valkey's cluster; what a name or a parameter may be is each
engine's own. A mistake is `SettingsInvalid`: it names the setting and says what to write. It never repeats the password, not
even one that is written without its escapes or its host: hosts go by their number, ports are not shown.
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
_WHOLE: Final = re.compile(r"[0-9]{1,18}")


class Host(NamedTuple):
    name: str
    """Of an IPv6 address without its brackets."""
    port: int

    @property
    def address(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return f"{bracketed(self.name)}:{self.port}"


@dataclass(frozen=True)
class ClusterUrl:
    """User, password and name are empty where there is none."""

    setting: str
    scheme: str
    hosts: tuple[Host, ...]
    user: str
    password: str = field(repr=False)
    name: str
    parameters: Mapping[str, str]

    def refused(self, why: str) -> SettingsInvalid:
        return refused(self.setting, why)

    def whole(self, parameter: str, *, minimum: int, maximum: int) -> int | None:
        """A parameter that is a whole number; None where it is not given. Raises `SettingsInvalid`."""
        value = self.parameters.get(parameter)
        if value is None:
            return None
        if not _WHOLE.fullmatch(value) or not minimum <= int(value) <= maximum:
            raise self.refused(f"{parameter} is {value!r}; it has to be a number from {minimum} to {maximum}")
        return int(value)

    def seconds(self, parameter: str, *, maximum: float) -> float | None:
        """A parameter that is more than 0 s; None where it is not given. Raises `SettingsInvalid`."""
        value = self.parameters.get(parameter)
        if value is None:
            return None
        try:
            found = float(value)
        except ValueError:
            found = 0.0
        if not 0 < found <= maximum:
            raise self.refused(f"{parameter} is {value!r}; it has to be a number of seconds up to {maximum:g}")
        return found


def parse_cluster_url(url: str, *, setting: str, port: int, known: Collection[str]) -> ClusterUrl:
    """`port` is of hosts without one, `known` are the parameters. Raises `SettingsInvalid`."""
    parts = _PARTS.fullmatch(url)
    if parts is None:
        raise refused(setting, "it has to be such as scheme://user:password@host:port,host:port, with # as %23")
    after = (parts["name"] or "") + (parts["query"] or "")
    if "@" in after:
        raise refused(setting, "there is an @ after its hosts: write / ? # in a password as %2F %3F %23, and @ as %40")
    scheme = parts["scheme"].lower()
    login, _, hosts = parts["authority"].rpartition("@")
    user, _, password = login.partition(":")
    pairs = parse_qsl(parts["query"] or "", keep_blank_values=True)
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise refused(setting, "a parameter stands there twice: leave one of them out")
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
    return SettingsInvalid(f"{setting} cannot be used: {why}.", field=setting)


def _host(text: str, number: int, scheme: str, setting: str, default_port: int) -> Host:
    found = _HOST.fullmatch(text)
    port = int(found["port"] or default_port) if found else 0
    if not found or not 1 <= port <= _MAX_PORT or not _is_v6(found["v6"]):
        raise refused(
            setting,
            f"host no. {number} is not a host or host:port (with a port from 1 to {_MAX_PORT}); "
            f"write {scheme}://host:port,host:port",
        )
    return Host((found["v6"] or found["name"]).lower(), port)


def _is_v6(address: str | None) -> bool:
    """Whether what stands in brackets, if anything does, is an IPv6 address."""
    try:
        return address is None or bool(IPv6Address(address))
    except AddressValueError:
        return False
