"""Kafka 4.4 in KRaft mode (without ZooKeeper): one node that is broker and controller, on the wheel's Java 17.

`{folder}/kafka` holds the data, formatted once with a new cluster id. Each start renders the configuration from
`deploy/templates/engines/kafka`. SIGKILL loses no acknowledged write, because the writes are in the kernel's page cache; the
supervisor starts the node again, and it serves after at most 5 s. The node is ready when a client sees an unfenced broker
and a controller, and can list the topics.
"""

import asyncio
import base64
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from marquee.errors import PlatformUnavailable
from marquee.platform.cluster_engines.artifacts import cached, fetch_libraries
from marquee.platform.cluster_engines.engine import Engine, EngineHome
from marquee.platform.cluster_engines.java import java_17
from marquee.platform.project import TEMPLATES
from marquee.platform.state import configuration
from marquee.platform.supervisor.probes import PROBE_SECONDS
from marquee.platform.supervisor.program import Program
from marquee.platform.templates import render
from marquee.settings import Settings

VERSION: Final = "4.4.0"
LIBRARIES: Final = (f"org.apache.kafka:kafka_2.13:{VERSION}", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5")
HEAP: Final = "-Xmx256m"
FORMAT_SECONDS: Final = 60
SETTING: Final = "MARQUEE_EVENT_LOG_URL"


def _fetch(settings: Settings) -> None:
    _libraries(settings)


def _libraries(settings: Settings) -> Path:
    return cached(settings, f"kafka-{VERSION}", lambda folder: fetch_libraries(LIBRARIES, folder))


def _java(home: EngineHome, heap: str) -> tuple[str, ...]:
    return (
        str(java_17(home.settings)),
        heap,
        # For one core: the serial collector and the C1 compiler need the least memory and start fastest.
        *("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData"),
        f"-Djava.io.tmpdir={home.folder / 'tmp'}",
        f"-Dlog4j2.configurationFile={(TEMPLATES / 'engines' / 'kafka' / 'log4j2.properties').as_uri()}",
        *("-cp", f"{_libraries(home.settings)}/*"),
    )


@dataclass(frozen=True)
class Member:
    """One node of a cluster on this machine.

    `number`: the node's, from 1. `controllers`: the controller ports of all nodes, in the order of their numbers.
    """

    number: int
    controllers: Sequence[int]
    cluster_id: str


def _programs(home: EngineHome) -> Sequence[Program]:
    return (node(home),)


def node(home: EngineHome, member: Member | None = None) -> Program:
    """A node in the instance's folder. Without `member` it is a cluster of its own.

    The nodes of a larger cluster must be started together the first time. Raises `PlatformUnavailable` for a folder with a
    comma in its path, and if the data folder cannot be formatted.
    """
    member = member or Member(1, [home.ports["kafka_controller"]], _new_cluster_id())
    data = home.folder / "kafka"
    if "," in str(data):
        raise PlatformUnavailable(
            f"Kafka reads {data} as several folders because of the comma: set MARQUEE_STATE to a path without a comma."
        )
    (home.folder / "tmp").mkdir(exist_ok=True)
    port = home.ports["kafka"]
    properties = configuration(
        home.settings,
        "server.properties",
        render(
            "engines/kafka/server.properties.jinja",
            port=port,
            controller_port=home.ports["kafka_controller"],
            number=member.number,
            voters=",".join(f"{number}@127.0.0.1:{port}" for number, port in enumerate(member.controllers, 1)),
            copies=min(3, len(member.controllers)),
            data=data,
        ),
    )
    _format(home, data, properties, member.cluster_id)

    async def ready() -> None:
        await asyncio.to_thread(_require_answer, _urls(home)[SETTING], member.number)

    return Program(
        name="kafka",
        command=(*_java(home, HEAP), "kafka.Kafka", str(properties)),
        ready=ready,
        stage=10,
        unprivileged=True,
        stop_seconds=20,
        port=port,
    )


def _new_cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _format(home: EngineHome, data: Path, properties: Path, cluster_id: str) -> None:
    """Write the cluster's id and first metadata, once. A format that was killed is repeated."""
    if (data / "meta.properties").is_file():  # the format writes this file last and atomically
        return
    command = (
        *(*_java(home, "-Xmx128m"), "kafka.tools.StorageTool", "format"),
        *(f"--cluster-id={cluster_id}", "--config", str(properties), "--ignore-formatted"),
    )
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FORMAT_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise PlatformUnavailable(f"Kafka did not format {data} within {FORMAT_SECONDS} s: try again.") from error
    if done.returncode != 0:
        raise PlatformUnavailable(f"Kafka could not format {data}: {(done.stderr or done.stdout).strip()[-600:]}")


def _require_answer(url: str, number: int) -> None:
    """One round trip of a real client. Raises `KafkaError` while this broker cannot be used."""
    # Imported here: the command line imports this module to list engines, and must start fast.
    from kafka.errors import NodeNotReadyError

    from marquee.stores.event_log.kafka.clients import administer, parse_options

    client = administer(parse_options(url), seconds=PROBE_SECONDS)
    try:
        cluster = client.describe_cluster()
        own = [broker for broker in cluster["brokers"] if broker["broker_id"] == number]
        if cluster["controller_id"] < 0 or all(broker.get("is_fenced") for broker in own):
            raise NodeNotReadyError("the broker is still fenced")
        client.list_topics()
    finally:
        client.close()


def _urls(home: EngineHome) -> Mapping[str, str]:
    return {SETTING: f"kafka://127.0.0.1:{home.ports['kafka']}?replication=1"}


KAFKA: Final = Engine(
    name="kafka", port_names=("kafka", "kafka_controller"), programs=_programs, urls=_urls, fetch=_fetch
)
