"""Parses the URL of a Cassandra cluster and keyspace into a `CassandraUrl`. Connects to nothing.

`cassandra://[user:password@]host[:port][,host...]/keyspace[?parameter=value&...]`; `cassandras://` with TLS. Parameters:
`consistency` (default LOCAL_QUORUM), `local_dc` (default: the data centre of the first host that answers), `replication` of
a keyspace that must be created (`3` = copies in each data centre, or `dc1:3,dc2:2`), `in_flight` (default 256 requests at
once), and those of `marquee.stores.connections.tls`. Every option of a deployment is in the URL.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cassandra import ConsistencyLevel

from marquee.stores.connections.cluster_url import ClusterUrl, parse_cluster_url
from marquee.stores.connections.tls import TLS_PARAMETERS, tls_of

SCHEMES: Final = ("cassandra", "cassandras")
PORT: Final = 9042
DEFAULT_REPLICATION: Final = "3"
DEFAULT_IN_FLIGHT: Final = 256
MAX_IN_FLIGHT: Final = 16_384
"""Half of what one connection can carry (32,768 streams). Past its limit the driver would block the event loop."""

CONSISTENCIES: Final[Mapping[str, int]] = {
    name: ConsistencyLevel.name_to_value[name]
    for name in ("ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_ONE", "LOCAL_QUORUM")
}
"""Only levels that are valid for reads and for writes."""

_PARAMETERS: Final = ("consistency", "local_dc", "replication", "in_flight", *TLS_PARAMETERS)
_KEYSPACE: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_DATA_CENTRE: Final = re.compile(r"[A-Za-z0-9_.\-]+")


@dataclass(frozen=True)
class CassandraUrl:
    """A parsed URL. User and password are empty where the URL has none; `tls` is None for `cassandra://`."""

    contact_points: tuple[tuple[str, int], ...]
    keyspace: str
    user: str
    password: str = field(repr=False)
    consistency: int
    """A number of `cassandra.ConsistencyLevel`."""
    local_dc: str
    """Empty: the data centre of the first host that answers."""
    replication: Mapping[str, str]
    """Data centre -> copies; the key `replication_factor` means every data centre."""
    in_flight: int
    tls: ssl.SSLContext | None


def parse(url: str, *, setting: str) -> CassandraUrl:
    """Raises `SettingsInvalid`, which names `setting`, the unusable part of the URL, and what to write."""

    parsed = parse_cluster_url(url, setting=setting, port=PORT, known=_PARAMETERS)
    options = parsed.parameters
    if not _KEYSPACE.fullmatch(parsed.name):
        raise parsed.refused(
            f"the keyspace {parsed.name!r} has to be lower-case letters, digits and _, 48 at most, such as /marquee"
        )
    consistency = options.get("consistency", "LOCAL_QUORUM").upper()
    if consistency not in CONSISTENCIES:
        raise parsed.refused(f"the consistency {consistency!r} is not one of {', '.join(CONSISTENCIES)}")
    return CassandraUrl(
        contact_points=parsed.hosts,
        keyspace=parsed.name,
        user=parsed.user,
        password=parsed.password,
        consistency=CONSISTENCIES[consistency],
        local_dc=options.get("local_dc", ""),
        replication=_replication(parsed, options.get("replication", DEFAULT_REPLICATION)),
        in_flight=parsed.whole_number("in_flight", minimum=1, maximum=MAX_IN_FLIGHT) or DEFAULT_IN_FLIGHT,
        tls=tls_of(parsed, scheme="cassandras"),
    )


def _replication(url: ClusterUrl, value: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for each in value.split(","):
        data_centre, colon, copies = each.rpartition(":")
        name = data_centre if colon else "replication_factor"
        if not _DATA_CENTRE.fullmatch(name) or not copies.isdecimal() or int(copies) < 1:
            raise url.refused(f"replication is {value!r}; it has to be a number of copies, or such as dc1:3,dc2:2")
        found[name] = copies
    return found
