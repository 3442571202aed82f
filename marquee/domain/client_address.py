"""The client's address, as the gateway hands it to the API, and the network that limits count.

The gateway overwrites CLIENT_ADDRESS_HEADER in every request, so a client cannot choose it. An IPv6 client owns a whole /64 and
could use a new address for each request: limits count the /64.
"""

import ipaddress
from typing import Final

CLIENT_ADDRESS_HEADER: Final = "x-marquee-client-address"
HOPS_HEADER: Final = "x-marquee-trusted-hops"
"""The number of proxies that the gateway believes. The gateway overwrites this header too."""
IPV4_PREFIX: Final = 32
IPV6_PREFIX: Final = 64
NEWCOMER_IPV6_PREFIX: Final = 48
"""One customer of a provider has up to a /48: 65,536 networks that limits count one by one."""


def limited_network(address: str) -> str:
    """What limits count for this address: an IPv4 address, the /64 of an IPv6 address; any other text is returned as it is."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))


def newcomer_network(network: str) -> str:
    """The network whose first logins count as a newcomer's: of a `limited_network` an IPv4 address, or the /48 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_network(network)
    except ValueError:
        return network
    return str(parsed.supernet(new_prefix=NEWCOMER_IPV6_PREFIX)) if parsed.version == 6 else network
