"""Kafka that asks for TLS and says who may come: by password (SCRAM, PLAIN) or by certificate; and what a refusal says."""

import secrets
from collections.abc import Iterator

import pytest
from kafka.errors import KafkaError

from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.kafka.clients import administer, parse_options
from tests.harness.event_log.records import gather, in_order_by_key, publish
from tests.harness.event_log.worker import KAFKAS_WORKER
from tests.harness.secured import SecuredKafka, secured_kafka

pytestmark = KAFKAS_WORKER

RECORDS = 200


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with secured_kafka(tmp_path_factory.mktemp("secured-kafka")) as found:
        yield found


@pytest.fixture(params=["SCRAM-SHA-512", "PLAIN", "certificate", "another host"])
def url(request: pytest.FixtureRequest, secured: SecuredKafka) -> str:
    if request.param == "another host":
        return secured.by_password(host="127.0.0.1", rest="&check_hostname=false")
    return (
        secured.by_certificate()
        if request.param == "certificate"
        else secured.by_password(rest=f"&sasl={request.param}")
    )


async def test_whoever_may_come_in_publishes_and_consumes(url: str) -> None:
    log = open_event_log(url)
    topic = f"test-{secrets.token_hex(6)}"
    await log.ensure_topic(topic, streams=4)
    await publish(log, topic, RECORDS)
    # More than one block of TLS, in one answer.
    await log.publish(topic, "large", b"x" * 800_000)
    consumer = await log.subscribe(topic, "g")
    records = await gather(consumer, RECORDS + 1)
    assert sorted(int(record.value) for record in records if record.key != "large") == list(range(RECORDS))
    assert in_order_by_key([record for record in records if record.key != "large"])
    await consumer.acknowledge(records)
    assert await log.lag(topic, "g") == 0
    await log.close()


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("a wrong password", "Authentication failed|are user and password right"),
        ("an unknown authority", "CERTIFICATE_VERIFY_FAILED.*self-signed"),
        ("another host", "CERTIFICATE_VERIFY_FAILED.*not valid for '127.0.0.1'"),
    ],
)
def test_who_may_not_is_told_why(secured: SecuredKafka, who: str, why: str) -> None:
    url = {
        "a wrong password": secured.by_password(password="wrong"),
        "an unknown authority": secured.by_password().replace(str(secured.ca), str(secured.client)),
        "another host": secured.by_password(host="127.0.0.1"),
    }[who]
    with pytest.raises(KafkaError, match=why):
        administer(parse_options(url), seconds=2.0)
