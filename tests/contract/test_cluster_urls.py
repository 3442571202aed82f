"""What a cluster's URL says: several nodes, a login, TLS; and who takes none."""

import pytest
from redis.asyncio.connection import SSLConnection

from marquee.errors import SettingsInvalid
from marquee.stores.event_log import open_event_log
from marquee.stores.row_cache import open_row_cache
from marquee.stores.valkey_cluster import open_cluster


async def test_every_node_of_the_url_is_asked_with_the_login_and_over_tls() -> None:
    cluster = open_cluster(
        "valkeys-cluster://app:s%40cret@one.test:7001,[::1]:7002,two.test?ssl_ca_certs=/ca.pem",
        timeout_seconds=1.0,
        connections=3,
    )
    nodes = list(cluster.nodes_manager.startup_nodes.values())
    assert [(node.host, node.port) for node in nodes] == [("one.test", 7001), ("::1", 7002), ("two.test", 6379)]
    for node in nodes:
        connection = node.acquire_connection()
        assert isinstance(connection, SSLConnection), "TLS was asked for"
        assert connection.check_hostname
        assert connection.ca_certs == "/ca.pem"
        assert (connection.username, connection.password) == ("app", "s@cret")
        assert node.max_connections == 6, "a node's connections have no bound of ours"


@pytest.mark.parametrize("hosts", ["", "a,,b", "a:port", "a:7001/3", "a:7001?no_such_option=1"])
async def test_a_url_that_names_no_nodes_is_refused_in_words(hosts: str) -> None:
    with pytest.raises(SettingsInvalid, match="host:port,host:port"):
        await open_row_cache(f"valkey-cluster://{hosts}")


async def test_the_event_log_says_that_it_takes_no_cluster() -> None:
    with pytest.raises(SettingsInvalid, match="MARQUEE_EVENT_LOG_URL"):
        await open_event_log("valkey-cluster://127.0.0.1:7001")
