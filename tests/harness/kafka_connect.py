"""A real Kafka Connect, standalone, with Debezium's connector: what `deploy/debezium/connector.json` is for."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from marquee.platform.cluster_engines.artifacts import cached, fetch_libraries
from marquee.platform.cluster_engines.java import java_17
from marquee.platform.project import PROJECT, TEMPLATES
from marquee.settings import Settings
from tests.harness.servers import free_port_base

# Debezium 3.6 is built for 4.3 and needs a class that 4.4 has no more; the broker may be newer.
VERSION: Final = "4.3.0"
LIBRARIES: Final = (
    *(f"org.apache.kafka:connect-{part}:{VERSION}" for part in ("runtime", "json", "transforms")),
    "io.debezium:debezium-connector-postgres:3.6.3.Final",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5",
)
CONNECTOR: Final = PROJECT / "deploy" / "debezium" / "connector.json"


def fetch(settings: Settings) -> Path:
    return cached(settings, f"kafka-connect-{VERSION}", lambda folder: fetch_libraries(LIBRARIES, folder))


@contextlib.contextmanager
def running(settings: Settings, brokers: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """With the project's connector, whose secrets come from the environment; its place is in `folder`."""
    worker = {
        "bootstrap.servers": brokers,
        "listeners": f"http://127.0.0.1:{free_port_base()}",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "offset.storage.file.filename": str(folder / "offsets"),
        "offset.flush.interval.ms": "1000",
        "plugin.discovery": "service_load",
        "config.providers": "env",
        "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
    }
    properties = folder / "worker.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in worker.items()))
    database = urlsplit(settings.database)
    environment = {
        "MARQUEE_DATABASE_HOST": database.hostname or "",
        "MARQUEE_DATABASE_PORT": str(database.port),
        "MARQUEE_DATABASE_USER": database.username or "",
        "MARQUEE_DATABASE_PASSWORD": database.password or "",
        "MARQUEE_DATABASE_NAME": database.path.strip("/"),
    }
    assert set(environment) == {
        value.removeprefix("${env:").removesuffix("}")
        for value in json.loads(CONNECTOR.read_text())["config"].values()
        if value.startswith("${env:")
    }, "the connector asks the environment for something else"
    command = (
        *(str(java_17(settings)), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        f"-Dlog4j2.configurationFile={(TEMPLATES / 'engines' / 'kafka' / 'log4j2.properties').as_uri()}",
        *("-cp", f"{fetch(settings)}/*", "org.apache.kafka.connect.cli.ConnectStandalone"),
        *(str(properties), str(CONNECTOR)),
    )
    with (folder / "connect.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
