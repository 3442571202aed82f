"""What Debezium is told of the database: the TLS that its URL asks for, and nothing passed over in silence."""

import pytest

from jobs.debezium import capture_properties
from marquee.errors import SettingsInvalid


def test_debezium_connects_with_the_tls_that_the_url_asks_for() -> None:
    url = "postgresql://u:p@h:1/d?sslmode=verify-full&sslrootcert=/etc/ca%20s.pem&pool_size=2&sslcert=/c&sslkey=/k"
    told = {name: value for name, value in capture_properties(url).items() if name.startswith("database.ssl")}
    assert told == {
        "database.sslmode": "verify-full",
        "database.sslrootcert": "/etc/ca s.pem",
        "database.sslcert": "/c",
        "database.sslkey": "/k",
    }
    assert not [name for name in capture_properties("postgresql://u:p@h:1/d") if "ssl" in name]


def test_what_concerns_libpq_alone_is_no_obstacle() -> None:
    url = "postgresql://u:p@h/d?application_name=films&connect_timeout=3&keepalives_idle=10&target_session_attrs=read-write"
    assert capture_properties(url) == capture_properties("postgresql://u:p@h/d")


def test_several_hosts_are_refused_with_the_remedy() -> None:
    with pytest.raises(SettingsInvalid, match=r"several hosts.*the primary always is"):
        capture_properties("postgresql://u:p@h1:5432,h2:5432/d")


def test_what_debezium_cannot_do_is_refused_by_name() -> None:
    with pytest.raises(SettingsInvalid, match="leave channel_binding, options out; known are sslmode"):
        capture_properties("postgresql://u:p@h/d?options=-c%20x&channel_binding=require&sslmode=require")
