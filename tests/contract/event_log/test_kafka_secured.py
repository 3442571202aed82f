"""Kafka that asks for TLS and says who may come: by password (SCRAM, PLAIN) or by certificate; and what a refusal says."""

import dataclasses
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion
from kafka.errors import KafkaError

from marquee.engines.kafka import KAFKA, node
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.kafka_clients import administer, parse_options
from tests.contract.event_log.conftest import KAFKAS_WORKER
from tests.contract.event_log.records import gather, in_order_by_key, publish
from tests.servers import fetched_or_skipped, home_of, make_test_settings, running
from tests.tls import make_certificate

pytestmark = KAFKAS_WORKER

RECORDS = 200
USER = "app"
PASSWORD = secrets.token_hex(8)

# Beside the plain listener of a machine's own broker: later lines win.
LISTENERS = """
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
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
  user_{user}="{password}";
"""


@dataclasses.dataclass(frozen=True)
class Secured:
    """Where a broker lets people in, and the PEM files for it."""

    login: int
    mutual: int
    ca: Path
    client: Path
    client_key: Path

    def by_password(self, *, password: str = PASSWORD, host: str = "localhost", rest: str = "") -> str:
        return f"kafkas://{USER}:{password}@{host}:{self.login}?replication=1&ca={self.ca}{rest}"

    def by_certificate(self) -> str:
        who = f"&certificate={self.client}&key={self.client_key}"
        return f"kafkas://localhost:{self.mutual}?replication=1&ca={self.ca}{who}"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    settings = make_test_settings(tmp_path_factory.mktemp("secured-kafka"))
    fetched_or_skipped(KAFKA, settings)
    home = home_of(KAFKA, settings)
    ca, key = make_certificate(settings.state, "localhost")
    client, client_key = make_certificate(settings.state, "a-client")
    keystore = settings.state / "keystore.pem"
    keystore.write_bytes(key.read_bytes() + ca.read_bytes())
    found = Secured(settings.port("log"), settings.port("cache"), ca, client, client_key)
    program = node(home)
    with Path(program.command[-1]).open("a") as properties:
        properties.write(
            LISTENERS.format(
                plain=home.ports["kafka"],
                controller=home.ports["kafka_controller"],
                login=found.login,
                mutual=found.mutual,
                keystore=keystore,
                client=client,
                user=USER,
                password=PASSWORD,
            )
        )
    with running(program, settings.state):
        admin = administer(parse_options(KAFKA.urls(home)["MARQUEE_EVENT_LOG_URL"]))
        admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(USER, ScramMechanism.SCRAM_SHA_512, PASSWORD, iterations=4096)]
        )
        admin.close()
        yield found


@pytest.fixture(params=["SCRAM-SHA-512", "PLAIN", "certificate"])
def url(request: pytest.FixtureRequest, secured: Secured) -> str:
    return (
        secured.by_certificate()
        if request.param == "certificate"
        else secured.by_password(rest=f"&sasl={request.param}")
    )


async def test_whoever_may_come_in_publishes_and_consumes(url: str) -> None:
    log = await open_event_log(url)
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
def test_who_may_not_is_told_why(secured: Secured, who: str, why: str) -> None:
    url = {
        "a wrong password": secured.by_password(password="wrong"),
        "an unknown authority": secured.by_password().replace(str(secured.ca), str(secured.client)),
        "another host": secured.by_password(host="127.0.0.1"),
    }[who]
    with pytest.raises(KafkaError, match=why):
        administer(parse_options(url), seconds=2.0)
