"""nginx counts an IPv6 client by its /64, and an IPv4 client by its address, in whatever form the address comes."""

import os
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marquee.platform.programs.edges import nginx
from marquee.platform.templates import render
from tests.harness.servers import make_test_settings, running

CONFIGURATION = """
daemon off;
{user}
pid "{folder}/nginx.pid";
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path "{folder}/body";
    proxy_temp_path "{folder}/proxy";
    fastcgi_temp_path "{folder}/fastcgi";
    uwsgi_temp_path "{folder}/uwsgi";
    scgi_temp_path "{folder}/scgi";
{network}
    server {{
        listen 127.0.0.1:{port};
        set_real_ip_from 127.0.0.1;
        real_ip_header X-Address;
        location / {{ return 200 $client_network; }}
    }}
}}
"""

NO_ADDRESS = IPv4Address("255.255.255.255")
"""nginx takes it for no address, and no client has it."""


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    settings = make_test_settings(tmp_path_factory.mktemp("network"))
    folder = settings.state / "counter"
    folder.mkdir(parents=True)
    port = settings.port("edge_1")
    user = "user root root;" if os.geteuid() == 0 else ""
    text = CONFIGURATION.format(user=user, folder=folder, port=port, network=render("nginx/client_network.conf.jinja"))
    url = f"http://127.0.0.1:{port}"
    with (
        running(nginx(settings, "counter", text, question=f"{url}/", port=port, stage=20), Path(settings.state)),
        httpx.Client(base_url=url) as client,
    ):
        yield client


def counted(client: httpx.Client, address: object) -> bytes:
    return client.get("/", headers={"X-Address": str(address)}).content


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    network=st.one_of(st.binary(min_size=8, max_size=8), st.just(b"\n" * 8), st.just(b"\0" * 7 + b"\1")),
    hosts=st.lists(st.binary(min_size=8, max_size=8), min_size=2, max_size=2, unique=True),
)
def test_all_addresses_of_a_64_count_as_one(counter: httpx.Client, network: bytes, hosts: list[bytes]) -> None:
    for host in hosts:
        address = IPv6Address(network + host)
        if not address.ipv4_mapped:
            assert counted(counter, address) == network, f"{address} is not counted by its /64"


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    address=st.one_of(st.ip_addresses(v=4).filter(lambda one: one != NO_ADDRESS), st.just(IPv4Address("10.10.10.10")))
)
def test_an_ipv4_client_counts_by_its_address_also_as_ipv6(counter: httpx.Client, address: IPv4Address) -> None:
    assert counted(counter, address) == address.packed
    assert counted(counter, f"::ffff:{address}") == address.packed
