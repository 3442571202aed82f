"""What a Kafka URL may say, and how a mistake in it is told."""

import pytest

from marquee.errors import SettingsInvalid
from marquee.stores.event_log.contract import SETTING
from marquee.stores.event_log.kafka.clients import LEASE_SECONDS, parse_options


def test_the_shortest_url_is_one_broker_that_acknowledges_everywhere() -> None:
    found = parse_options("kafka://broker1")
    assert (found.servers, found.acks, found.lease_seconds) == (("broker1:9092",), "all", LEASE_SECONDS)
    assert (found.replication, found.min_insync) == (3, 2)
    assert found.access == {"security_protocol": "PLAINTEXT"}


def test_everything_that_a_url_can_say() -> None:
    found = parse_options(
        "kafkas://us%40er:p%3Aw%2F%40@broker1:9093,broker2,[::1]:9094"
        "?acks=1&replication=3&min_insync=2&lease_seconds=1.5&sasl=PLAIN"
    )
    assert found.servers == ("broker1:9093", "broker2:9092", "[::1]:9094")
    assert (found.acks, found.replication, found.min_insync, found.lease_seconds) == ("1", 3, 2, 1.5)
    access = dict(found.access)
    assert access.pop("ssl_context").check_hostname
    assert access == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "us@er",
        "sasl_plain_password": "p:w/@",
    }
    assert "p:w/@" not in repr(found)


def test_of_fewer_than_three_copies_one_is_enough() -> None:
    for copies in (1, 2):
        found = parse_options(f"kafka://a?replication={copies}")
        assert (found.replication, found.min_insync) == (copies, 1)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("kafka://", "not a host"),
        ("kafka://a,,b", "host no. 2 is not a host"),
        ("kafka://a b:9092", "not a host"),
        ("kafka://a:0", "port"),
        ("kafka://a/topic", "leave out"),
        ("kafka://a?acks=0", "acks.*all or 1"),
        ("kafka://a?replication=0", "replication.*from 1"),
        ("kafka://a?replication=-1", "replication.*from 1"),
        ("kafka://a?min_insync=0", "min_insync.*from 1"),
        ("kafka://a?replication=2&min_insync=3", "min_insync.*at most replication"),
        ("kafka://a?min_insync=4", "min_insync.*at most replication"),
        ("kafka://a?lease_seconds=0", "lease_seconds.*seconds up to"),
        ("kafka://a?lease_seconds=-5", "lease_seconds.*seconds up to"),
        ("kafka://a?lease_seconds=nan", "lease_seconds.*seconds up to"),
        ("kafka://a?lease_seconds=inf", "lease_seconds.*seconds up to"),
        ("kafka://a?lease_seconds=long", "lease_seconds.*seconds up to"),
        ("kafka://a:1?sasl=PLAIN", "sasl goes with a user"),
        ("kafka://u:p@a?sasl=GSSAPI", "sasl.*one of SCRAM-SHA-512"),
        ("kafka://a?ca=/x.pem", "ca goes with kafkas://"),
        ("kafkas://a?ca=/no/such.pem", "ca is.*no such file"),
        ("kafkas://a?key=/no/such.pem", "key goes with certificate"),
        ("kafkas://a?certificate=/no/such.pem", "certificate is.*no such file"),
        ("kafkas://a?check_hostname=perhaps", "check_hostname has to be"),
        ("kafka://a?retries=3", "no parameter retries; known are acks"),
    ],
)
def test_a_mistake_is_named_with_what_it_may_be(url: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said) as refused:
        parse_options(url)
    assert refused.value.field == SETTING
