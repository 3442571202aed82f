"""Valkey by TLS: only the URL's authority is trusted, and the host's name is checked unless the URL says otherwise.

The Valkey of all tests has no TLS; a proxy of the test ends TLS in front of it.
"""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from marquee.errors import StoreUnavailable
from marquee.settings import Settings
from marquee.stores.connections.valkey import open_client
from marquee.stores.connections.valkey_cluster import open_cluster
from marquee.stores.connections.valkey_url import parse_valkey_url
from marquee.stores.row_cache import open_row_cache
from marquee.stores.row_cache.contract import RowCache
from tests.harness.tls import make_certificate, tls_in_front_of


@pytest.fixture
async def proxied(valkey_cache_server: Settings, tmp_path: Path) -> AsyncIterator[tuple[int, Path]]:
    """The TLS port and its certificate, which is for the host localhost."""
    certificate, key = make_certificate(tmp_path, "localhost")
    async with tls_in_front_of(valkey_cache_server.port("cache"), certificate, key) as port:
        yield port, certificate


async def kept(cache: RowCache) -> bool:
    generation = await cache.generation("tls")
    await cache.fill("tls", b"row", generation=generation, fresh_seconds=10, keep_seconds=20)
    row = await cache.get("tls")
    return row is not None and row.body == b"row"


@pytest.mark.parametrize("host", ["localhost?", "127.0.0.1?check_hostname=false&"])
async def test_a_checked_certificate_opens_the_way(proxied: tuple[int, Path], host: str) -> None:
    port, certificate = proxied
    cache = open_row_cache(f"valkeys://{host.replace('?', f':{port}?')}ca={certificate}")
    assert await kept(cache)
    await cache.close()


@pytest.mark.parametrize("why", ["an unknown authority", "another host", "no authority of ours"])
async def test_an_unknown_certificate_or_another_hosts_does_not(
    proxied: tuple[int, Path], tmp_path: Path, why: str
) -> None:
    port, certificate = proxied
    stranger, _ = make_certificate(tmp_path, "another-authority")
    url = {
        "an unknown authority": f"valkeys://localhost:{port}?ca={stranger}",
        "another host": f"valkeys://127.0.0.1:{port}?ca={certificate}",
        "no authority of ours": f"valkeys://localhost:{port}",
    }[why]
    cache = open_row_cache(url)
    with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        await cache.get("tls")
    await cache.close()


async def test_one_context_serves_every_connection_and_knows_the_urls_authority_alone(tmp_path: Path) -> None:
    """The library would make a context for each connection, in the event loop, and also trust the machine's authorities."""
    ca, key = make_certificate(tmp_path, "localhost")
    parameters = f"?ca={ca}&certificate={ca}&key={key}"
    single = open_client(parse_valkey_url(f"valkeys://a:1{parameters}", setting="S"), timeout_seconds=1, connections=3)
    made = [single.connection_pool.make_connection() for _ in range(2)]
    url = parse_valkey_url(f"valkeys-cluster://a:1,b:2{parameters}", setting="S")
    cluster = open_cluster(url, timeout_seconds=1.0, connections=3)
    nodes = [node.acquire_connection() for node in cluster.nodes_manager.startup_nodes.values()]
    for first, second in (made, nodes):
        context = first.ssl_context.get()
        assert context is second.ssl_context.get()
        assert (len(context.get_ca_certs()), context.verify_mode) == (1, ssl.CERT_REQUIRED)
    found_later = cluster.nodes_manager.connection_kwargs
    assert found_later["tls"] is nodes[0].ssl_context.get(), "a node that the cluster tells of has the same"
