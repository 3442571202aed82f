"""What a Cassandra URL may contain, and the error for each mistake."""

import pytest

from marquee.errors import SettingsInvalid
from marquee.stores.connections.cassandra_url import CONSISTENCIES, parse

SETTING = "MARQUEE_RESUME_POSITIONS_URL"


def test_the_shortest_url_is_a_cluster_of_three_copies_at_local_quorum() -> None:
    found = parse("cassandra://db1/marquee", setting=SETTING)
    assert found.contact_points == (("db1", 9042),)
    assert (found.keyspace, found.user, found.local_dc, found.tls) == ("marquee", "", "", None)
    assert found.consistency == CONSISTENCIES["LOCAL_QUORUM"]
    assert found.replication == {"replication_factor": "3"}


def test_everything_that_a_url_can_say() -> None:
    found = parse(
        "cassandras://us%40er:p%3Aw%2F%40@db1:9142,db2,[::1]:9043/positions_2"
        "?consistency=quorum&local_dc=eu-1&replication=eu-1:3,us:2&in_flight=64&check_hostname=false",
        setting=SETTING,
    )
    assert found.contact_points == (("db1", 9142), ("db2", 9042), ("::1", 9043))
    assert (found.user, found.password) == ("us@er", "p:w/@")
    assert found.consistency == CONSISTENCIES["QUORUM"]
    assert (found.local_dc, found.replication, found.in_flight) == ("eu-1", {"eu-1": "3", "us": "2"}, 64)
    assert found.tls is not None
    assert not found.tls.check_hostname
    assert "p:w/@" not in repr(found)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("cassandra://db1", "keyspace"),
        ("cassandra://db1/Drop;", "keyspace"),
        ("cassandra:///marquee", "not a host"),
        ("cassandra://db1,/marquee", "not a host"),
        ("cassandra://db1:port/marquee", "[Pp]ort"),
        ("cassandra://db1/marquee?consistency=ANY", "consistency.*LOCAL_QUORUM"),
        ("cassandra://db1/marquee?replication=0", "replication"),
        ("cassandra://db1/marquee?replication=a'b:1", "replication"),
        ("cassandra://db1/marquee?in_flight=0", "in_flight"),
        ("cassandra://db1/marquee?in_flight=100000", "in_flight"),
        ("cassandra://db1/marquee?compression=lz4", "no parameter compression; known are"),
        ("cassandra://db1/marquee?ca=/x", "cassandras://"),
        ("cassandras://db1/marquee?ca=/there/is/no/such/file", "no such file"),
        ("cassandras://db1/marquee?check_hostname=perhaps", "check_hostname"),
    ],
)
def test_a_mistake_is_named_with_what_it_may_be(url: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said) as refused:
        parse(url, setting=SETTING)
    assert refused.value.field == SETTING
