"""URLs of Valkey clusters: several nodes, a login, TLS; and the error for each mistake."""

from pathlib import Path

import pytest

from marquee.errors import SettingsInvalid
from marquee.stores.connections.valkey_cluster import open_cluster
from marquee.stores.connections.valkey_url import TlsConnection, parse_valkey_url
from marquee.stores.coordination import open_coordination
from marquee.stores.event_log import open_event_log
from marquee.stores.row_cache import open_row_cache
from tests.harness.tls import make_certificate


async def test_every_node_of_the_url_is_asked_with_the_login_and_over_tls(tmp_path: Path) -> None:
    ca, key = make_certificate(tmp_path, "one.test")
    cluster = open_cluster(
        parse_valkey_url(
            f"valkeys-cluster://app:s%40cret@one.test:7001,[::1]:7002,two.test?ca={ca}&certificate={ca}&key={key}",
            setting="A_SETTING",
        ),
        timeout_seconds=1.0,
        connections=3,
    )
    nodes = list(cluster.nodes_manager.startup_nodes.values())
    assert [(node.host, node.port) for node in nodes] == [("one.test", 7001), ("::1", 7002), ("two.test", 6379)]
    for node in nodes:
        connection = node.acquire_connection()
        assert isinstance(connection, TlsConnection), "TLS was asked for"
        assert connection.ssl_context.get().check_hostname
        assert (connection.username, connection.password) == ("app", "s@cret")
        assert node.max_connections == 6, "a node's connections have no bound of ours"


@pytest.mark.parametrize("hosts", ["", "a,,b", "a:port", "a:7001/3"])
async def test_a_url_that_names_no_nodes_is_refused_in_words(hosts: str) -> None:
    with pytest.raises(SettingsInvalid, match="host:port,host:port"):
        open_row_cache(f"valkey-cluster://{hosts}")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("valkey://a:1,b:2", "one server"),
        ("valkey://a:1/films", "database.*number"),
        ("valkey://a:1?ca=/x.pem", "ca goes with valkeys://"),
        ("rediss://a:1?ca=/no/such.pem", "ca is.*no such file"),
        ("redis-cluster://a:1?ca=/x.pem", "ca goes with rediss-cluster://"),
        ("valkey://a:1?ssl_ca_certs=/x.pem", "no parameter ssl_ca_certs; known are ca"),
    ],
)
def test_a_mistake_is_named_with_its_setting(url: str, said: str) -> None:
    for open_store, setting in (
        (open_row_cache, "MARQUEE_ROW_CACHE_URL"),
        (open_coordination, "MARQUEE_COORDINATION_URL"),
    ):
        with pytest.raises(SettingsInvalid, match=said) as refused:
            open_store(url)
        assert refused.value.field == setting


async def test_a_lease_that_is_no_time_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match=r"lease_seconds.*number of seconds"):
        open_event_log("valkey://a:1?lease_seconds=soon")


async def test_the_event_log_says_that_it_takes_no_cluster() -> None:
    with pytest.raises(SettingsInvalid, match="MARQUEE_EVENT_LOG_URL"):
        open_event_log("valkey-cluster://127.0.0.1:7001")
