"""A topic on Kafka has the copies that its URL asks for, or it is not made."""

import secrets

import pytest

from marquee.errors import StoreUnavailable
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.kafka import clients
from marquee.stores.event_log.kafka.clients import administer, parse_options
from marquee.stores.event_log.kafka.topics import count_streams
from tests.harness.compose_file import compose, environment

pytestmark = pytest.mark.xdist_group("kafka")


async def test_a_cluster_with_too_few_brokers_is_said_so_and_nothing_is_made(
    kafka_log_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "OUTLAST_SECONDS", 0.5)
    topic = f"test-{secrets.token_hex(6)}"
    log = open_event_log(kafka_log_url.replace("replication=1&", ""))
    with pytest.raises(StoreUnavailable, match=r"fewer brokers than the 3 copies.*\?replication=1"):
        await log.ensure_topic(topic, streams=1)
    await log.close()
    client = administer(parse_options(kafka_log_url))
    assert count_streams(client, topic) is None
    client.close()


def test_the_compose_files_one_broker_is_asked_for_one_copy() -> None:
    urls = {environment(service).get("MARQUEE_EVENT_LOG_URL") for service in compose()["services"].values()} - {None}
    assert urls
    assert {parse_options(str(url)).replication for url in urls} == {1}
