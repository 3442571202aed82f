"""Cassandra 5.0 as a cluster of one node, configured for a small machine (about 330 MB of memory).

The jars come from Maven Central into the engines' cache. Java 17 is required: Cassandra crashes on Java 25. The node is ready
when a client can log in and read. Then `prepare` replaces the well-known first password by the instance's own, which is in
the URL. After SIGKILL the node is back in 6 to 10 s with every acknowledged write (`commitlog_sync: batch`). A production
platform runs three nodes or more and is given their URL.
"""

import asyncio
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cassandra.cluster import Session

from marquee.platform.cluster_engines import artifacts
from marquee.platform.cluster_engines.engine import Engine, EngineHome, own_password
from marquee.platform.cluster_engines.java import java_17
from marquee.platform.project import TEMPLATES
from marquee.platform.state import configuration, logs_folder
from marquee.platform.supervisor.probes import PROBE_SECONDS
from marquee.platform.supervisor.program import Program
from marquee.platform.templates import render
from marquee.settings import Settings
from marquee.stores.connections.cassandra_session import connect, is_refused
from marquee.stores.connections.cassandra_url import parse

VERSION: Final = "5.0.9"
COORDINATE: Final = f"org.apache.cassandra:cassandra-all:{VERSION}"
LOOPBACK: Final = "127.0.0.1"
JOINING_MS: Final = 10_000
"""Ring delay: how long a joining node waits to hear of the others (default 30 s). With 2 s joins failed on a busy machine."""
USER: Final = "cassandra"
FIRST_PASSWORD: Final = "cassandra"  # noqa: S105  (every new Cassandra has it; `prepare` changes it)
SETTING: Final = "MARQUEE_RESUME_POSITIONS_URL"


def _jars(settings: Settings) -> Path:
    return artifacts.cached(
        settings, f"cassandra-{VERSION}", lambda folder: artifacts.fetch_libraries([COORDINATE], folder)
    )


def _fetch(settings: Settings) -> None:
    _jars(settings)


def _programs(home: EngineHome) -> Sequence[Program]:
    return (node(home),)


def node(home: EngineHome, *, address: str = LOOPBACK, seed: str = LOOPBACK) -> Program:
    """A node in the instance's folder.

    If `seed` is another address than the node's own, the node joins that node's cluster. The seed must be ready and use the
    same ports.
    """
    settings = home.settings
    data, temporary = home.folder / "data", home.folder / "tmp"
    for folder in (data, temporary):
        folder.mkdir(exist_ok=True)
    yaml = configuration(
        settings,
        "cassandra.yaml",
        render(
            "engines/cassandra/cassandra.yaml.jinja",
            data=data,
            address=address,
            seed=seed,
            port=home.ports["cassandra"],
            storage_port=home.ports["cassandra_storage"],
        ),
    )
    options = configuration(
        settings,
        "jvm.options",
        render(
            "engines/cassandra/jvm.options.jinja",
            configuration=yaml.as_uri(),
            logging=TEMPLATES / "engines" / "cassandra" / "logback.xml",
            data=data,
            logs=logs_folder(settings),
            temporary=temporary,
            ring_delay_ms=0 if address == seed else JOINING_MS,
        ),
    )

    async def ready() -> None:
        await asyncio.to_thread(_require_answer, home, address)

    classes = f"{_jars(settings)}/*"
    return Program(
        name="cassandra",
        command=(
            *(str(java_17(settings)), f"@{options}"),
            *("-cp", classes, "org.apache.cassandra.service.CassandraDaemon"),
        ),
        ready=ready,
        stage=10,
        # As root Cassandra locks all of its memory: 580 MB instead of 330.
        unprivileged=True,
        stop_seconds=20,
        ready_seconds=120.0,
        port=home.ports["cassandra"],
    )


def _require_answer(home: EngineHome, address: str) -> None:
    """Raise the driver's error unless a client can log in (with the own or the first password) and read."""
    # First a plain TCP connection: making a Cassandra client is costly, and useless while the port is closed.
    socket.create_connection((address, home.ports["cassandra"]), PROBE_SECONDS).close()
    try:
        with _session(home, own_password(home), address) as session:
            session.execute("SELECT release_version FROM system.local")
    except Exception as error:
        if not is_refused(error):
            raise
        with _session(home, FIRST_PASSWORD, address) as session:
            session.execute("SELECT release_version FROM system.local")


async def _prepare(home: EngineHome) -> None:
    await asyncio.to_thread(_change_first_password, home)


def _change_first_password(home: EngineHome) -> None:
    try:
        with _session(home, FIRST_PASSWORD) as session:
            session.execute(f"ALTER ROLE {USER} WITH PASSWORD = '{own_password(home)}'")
    except Exception as error:
        if not is_refused(error):
            raise
        # The login was refused: an earlier call has changed the password.


@contextmanager
def _session(home: EngineHome, password: str, address: str = LOOPBACK) -> Iterator[Session]:
    cluster, session = connect(parse(_url(home, password, address), setting=SETTING))
    try:
        yield session
    finally:
        cluster.shutdown()


def _url(home: EngineHome, password: str, address: str = LOOPBACK) -> str:
    return f"cassandra://{USER}:{password}@{address}:{home.ports['cassandra']}/marquee?replication=1"


def _urls(home: EngineHome) -> Mapping[str, str]:
    return {SETTING: _url(home, own_password(home))}


CASSANDRA: Final = Engine(
    name="cassandra",
    port_names=("cassandra", "cassandra_storage"),
    programs=_programs,
    urls=_urls,
    fetch=_fetch,
    prepare=_prepare,
)
