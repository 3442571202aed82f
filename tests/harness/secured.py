"""Engines that require TLS and a password or a certificate, as a careful operator runs them."""

import contextlib
import dataclasses
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from marquee.platform import local_engines
from marquee.platform.cluster_engines.kafka import KAFKA, node
from marquee.platform.supervisor.probes import PROBE_SECONDS
from marquee.stores.coordination import open_coordination
from marquee.stores.event_log.kafka.clients import administer, parse_options
from tests.harness.older_postgres import older_postgres
from tests.harness.servers import fetched_or_skipped, home_of, make_test_settings, running
from tests.harness.tls import make_certificate

USER = "app"
HOST = "localhost"
LOOPBACK = "127.0.0.1"

# Beside the plain listener of a machine's own broker: later lines win.
_LISTENERS = """
listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},LOGIN://127.0.0.1:{login},MUTUAL://127.0.0.1:{mutual}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},LOGIN://localhost:{login},MUTUAL://localhost:{mutual}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL,MUTUAL:SSL
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={client}
listener.name.mutual.ssl.client.auth=required
listener.name.login.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.login.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  user_{user}="{password}";
"""


@dataclasses.dataclass(frozen=True)
class SecuredKafka:
    """A broker's secured listener, and the PEM files that a client needs for it."""

    login: int
    mutual: int
    password: str
    ca: Path
    client: Path
    client_key: Path

    def by_password(self, *, password: str | None = None, host: str = HOST, rest: str = "") -> str:
        return f"kafkas://{USER}:{password or self.password}@{host}:{self.login}?replication=1&ca={self.ca}{rest}"

    def by_certificate(self) -> str:
        who = f"&certificate={self.client}&key={self.client_key}"
        return f"kafkas://{HOST}:{self.mutual}?replication=1&ca={self.ca}{who}"


@contextlib.contextmanager
def secured_kafka(folder: Path) -> Iterator[SecuredKafka]:
    settings = make_test_settings(folder)
    fetched_or_skipped(KAFKA, settings)
    home = home_of(KAFKA, settings)
    ca, key = make_certificate(folder, HOST)
    client, client_key = make_certificate(folder, "a-client")
    keystore = folder / "keystore.pem"
    keystore.write_bytes(key.read_bytes() + ca.read_bytes())
    found = SecuredKafka(settings.port("log"), settings.port("cache"), secrets.token_hex(8), ca, client, client_key)
    program = node(home)
    with Path(program.command[-1]).open("a") as properties:
        properties.write(
            _LISTENERS.format(
                plain=home.ports["kafka"],
                controller=home.ports["kafka_controller"],
                login=found.login,
                mutual=found.mutual,
                keystore=keystore,
                client=client,
                user=USER,
                password=found.password,
            )
        )
    with running(program, folder):
        admin = administer(parse_options(KAFKA.urls(home)["MARQUEE_EVENT_LOG_URL"]))
        admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(USER, ScramMechanism.SCRAM_SHA_512, found.password, iterations=4096)]
        )
        admin.close()
        yield found


@contextlib.contextmanager
def secured_postgres(folder: Path) -> Iterator[Callable[[str], str]]:
    """URLs of the databases of a server that requires TLS, a password and a client certificate.

    Skips where `older_postgres` does.
    """
    settings = make_test_settings(folder)
    certificate, key = make_certificate(folder, HOST)
    client, client_key = make_certificate(folder, "marquee")
    for secret in (key, client_key):
        secret.chmod(0o600)
    program = older_postgres(settings)
    options = {"ssl": "on", "ssl_cert_file": certificate, "ssl_key_file": key, "ssl_ca_file": client}
    program = dataclasses.replace(
        program,
        command=(*program.command, *(part for name, value in options.items() for part in ("-c", f"{name}={value}"))),
    )
    (folder / "older-postgres" / "pg_hba.conf").write_text(
        "hostssl all,replication all 127.0.0.1/32 scram-sha-256 clientcert=verify-full\n"
    )
    server = f"marquee:{settings.postgres_password.get_secret_value()}@{HOST}:{settings.port('postgres')}"
    tls = f"sslmode=verify-full&sslrootcert={certificate}&sslcert={client}&sslkey={client_key}"

    def url(name: str) -> str:
        return f"postgresql://{server}/{name}?{tls}"

    with running(dataclasses.replace(program, ready=lambda: _takes(url("postgres"))), folder):
        yield url


@contextlib.contextmanager
def valkey_with_password(folder: Path) -> Iterator[tuple[int, str]]:
    """A Valkey with a password and without TLS; returns its port and the password."""
    settings, password = make_test_settings(folder), secrets.token_hex(8)
    url = f"valkey://:{password}@{LOOPBACK}:{settings.port('log')}"
    program = local_engines.valkey_log(settings)
    program = dataclasses.replace(
        program, command=(*program.command, "--requirepass", password), ready=lambda: valkey_answers(url)
    )
    with running(program, folder):
        yield settings.port("log"), password


async def _takes(url: str) -> None:
    connection = await psycopg.AsyncConnection.connect(url, connect_timeout=int(PROBE_SECONDS))
    await connection.close()


async def valkey_answers(url: str) -> None:
    store = open_coordination(url)
    try:
        await store.ping()
    finally:
        await store.close()
