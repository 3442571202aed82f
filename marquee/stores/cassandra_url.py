"""A Cassandra cluster and keyspace by URL: everything that a service may want to say stands in it.

`cassandra://[user:password@]host[:port][,host...]/keyspace[?option=value&...]`, `cassandras://` with TLS. Options:
`consistency` (LOCAL_QUORUM), `local_dc` (that of the first host that answers), `replication` of a keyspace that is not there
yet (`3`, copies in each data centre, or `dc1:3,dc2:2`), `in_flight` (256 requests at once), and with TLS `ca`, `certificate`,
`key` (PEM files) and `check_hostname` (true).
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from cassandra import ConsistencyLevel

from marquee.errors import SettingsInvalid

SCHEMES: Final = ("cassandra", "cassandras")
PORT: Final = 9042
COPIES: Final = "3"
IN_FLIGHT: Final = 256
MOST_IN_FLIGHT: Final = 16_384
"""Half of what one connection of the protocol can carry; past it the driver would block the event loop."""

CONSISTENCIES: Final[Mapping[str, int]] = {
    name: ConsistencyLevel.name_to_value[name]
    for name in ("ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_ONE", "LOCAL_QUORUM")
}
"""Those that serve reads and writes alike."""

_TLS_OPTIONS: Final = ("ca", "certificate", "key", "check_hostname")
_OPTIONS: Final = ("consistency", "local_dc", "replication", "in_flight", *_TLS_OPTIONS)
_KEYSPACE: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_DATA_CENTRE: Final = re.compile(r"[A-Za-z0-9_.\-]+")


@dataclass(frozen=True)
class CassandraUrl:
    contact_points: tuple[tuple[str, int], ...]
    keyspace: str
    user: str
    password: str = field(repr=False)
    consistency: int
    """As the driver numbers them."""
    local_dc: str
    """Empty: that of the first host that answers."""
    replication: Mapping[str, str]
    """Data centre -> copies; `replication_factor` stands for every data centre."""
    in_flight: int
    tls: ssl.SSLContext | None


def parse(url: str, *, setting: str) -> CassandraUrl:
    """Raises `SettingsInvalid` that says which part of the setting's URL cannot be used, and what it may be."""

    def refused(why: str) -> SettingsInvalid:
        return SettingsInvalid(f"{setting} cannot be used: {why}.", field=setting)

    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise refused(f"there is no option {', '.join(unknown)}; known are: {', '.join(_OPTIONS)}")
    tls = parts.scheme == "cassandras"
    if not tls and (with_tls := [name for name in _TLS_OPTIONS if name in options]):
        raise refused(f"{', '.join(with_tls)} goes with cassandras://")
    keyspace = parts.path.removeprefix("/")
    if not _KEYSPACE.fullmatch(keyspace):
        raise refused(
            f"the keyspace {keyspace!r} has to be lower-case letters, digits and _, 48 at most, such as /marquee"
        )
    consistency = options.get("consistency", "LOCAL_QUORUM").upper()
    if consistency not in CONSISTENCIES:
        raise refused(f"the consistency {consistency!r} is not one of {', '.join(CONSISTENCIES)}")
    in_flight = options.get("in_flight", str(IN_FLIGHT))
    if not in_flight.isdecimal() or not 1 <= int(in_flight) <= MOST_IN_FLIGHT:
        raise refused(f"in_flight has to be a number from 1 to {MOST_IN_FLIGHT}")
    try:
        return CassandraUrl(
            contact_points=tuple(_contact_point(host) for host in hosts.split(",")),
            keyspace=keyspace,
            user=unquote(user),
            password=unquote(password),
            consistency=CONSISTENCIES[consistency],
            local_dc=options.get("local_dc", ""),
            replication=_replication(options.get("replication", COPIES)),
            in_flight=int(in_flight),
            tls=_tls(options) if tls else None,
        )
    except (ValueError, OSError) as error:
        raise refused(str(error)) from error


def _contact_point(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname or parts.path or parts.query:
        raise ValueError(f"{host!r} is not a host or host:port")
    return parts.hostname, parts.port or PORT


def _replication(value: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for each in value.split(","):
        data_centre, colon, copies = each.rpartition(":")
        name = data_centre if colon else "replication_factor"
        if not _DATA_CENTRE.fullmatch(name) or not copies.isdecimal() or int(copies) < 1:
            raise ValueError(f"replication is {value!r}; it has to be a number of copies, or such as dc1:3,dc2:2")
        found[name] = copies
    return found


def _tls(options: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.get("ca") or None)
    if options.get("certificate"):
        context.load_cert_chain(options["certificate"], options.get("key") or None)
    checked = options.get("check_hostname", "true").lower()
    if checked not in ("true", "false"):
        raise ValueError("check_hostname has to be true or false")
    # The certificate itself is always checked.
    context.check_hostname = checked == "true"
    return context
