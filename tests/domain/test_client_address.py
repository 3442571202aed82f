"""What limits count for a client's address: the address itself, or the /64 of an IPv6 address."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.domain.client_address import limited_network


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_counts_alone_in_either_notation(address: IPv4Address) -> None:
    assert limited_network(str(address)) == limited_network(f"::ffff:{address}") == str(address)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(1, 2**63 - 1))
def test_an_ipv6_client_cannot_leave_its_network(first: int, second: int, network: int) -> None:
    found = {limited_network(str(IPv6Address((network << 64) | host))) for host in (first, second)}
    assert len(found) == 1, f"two addresses of one /64 are counted apart: {found}"
    assert ip_network(found.pop()).prefixlen == 64


@pytest.mark.parametrize("text", ["", "testclient", "@"])
def test_what_is_no_address_counts_as_it_is(text: str) -> None:
    assert limited_network(text) == text
