"""What Debezium is told of the database: the TLS that its URL asks for, and nothing passed over in silence."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from marquee.errors import SettingsInvalid
from marquee.stores.change_capture.debezium import capture_properties, debezium_properties


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


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)])
def test_a_clients_key_is_handed_over_as_java_reads_it(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, form: PrivateFormat, encoding: Encoding, tmp_path: Path
) -> None:
    given = tmp_path / "client.key"
    given.write_bytes(key.private_bytes(encoding, form, NoEncryption()))
    told = debezium_properties(f"postgresql://u:p@h/d?sslkey={given}", tmp_path / "offsets.dat")
    written = Path(told["database.sslkey"])
    numbers = load_der_private_key(written.read_bytes(), None).private_numbers()
    assert numbers == key.private_numbers()
    assert written.stat().st_mode & 0o077 == 0, "nobody else may read it"


def test_a_clients_key_that_is_none_is_refused(tmp_path: Path) -> None:
    given = tmp_path / "client.key"
    for content in (
        b"no key",
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"phrase")
        ),
    ):
        given.write_bytes(content)
        with pytest.raises(SettingsInvalid, match=r"sslkey.*is no key without a pass phrase"):
            debezium_properties(f"postgresql://u:p@h/d?sslkey={given}", tmp_path / "offsets.dat")
    with pytest.raises(SettingsInvalid, match="No such file"):
        debezium_properties(f"postgresql://u:p@h/d?sslkey={tmp_path / 'none'}", tmp_path / "offsets.dat")


def test_what_concerns_libpq_alone_is_no_obstacle() -> None:
    url = "postgresql://u:p@h/d?application_name=films&connect_timeout=3&keepalives_idle=10&target_session_attrs=read-write&gssencmode=prefer"
    assert capture_properties(url) == capture_properties("postgresql://u:p@h/d")


def test_several_hosts_are_refused_with_the_remedy() -> None:
    with pytest.raises(SettingsInvalid, match=r"several hosts.*the primary always is"):
        capture_properties("postgresql://u:p@h1:5432,h2:5432/d")


@pytest.mark.parametrize("asked", ["gssencmode=require", "target_session_attrs=standby"])
def test_what_would_be_less_than_libpq_does_is_refused(asked: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"leave {asked.partition('=')[0]} out"):
        capture_properties(f"postgresql://u:p@h/d?{asked}")


def test_an_authority_makes_libpq_check_and_so_debezium() -> None:
    assert capture_properties("postgresql://u:p@h/d?sslmode=require&sslrootcert=/c")["database.sslmode"] == "verify-ca"
    assert capture_properties("postgresql://u:p@h/d?sslmode=require")["database.sslmode"] == "require"


def test_what_debezium_cannot_do_is_refused_by_name() -> None:
    with pytest.raises(SettingsInvalid, match="leave channel_binding, options out; known are sslmode"):
        capture_properties("postgresql://u:p@h/d?options=-c%20x&channel_binding=require&sslmode=require")
