"""Dagster: one code server that holds the definitions and starts the runs, the daemon, and the webserver.

DAGSTER_HOME lies in the state folder; storage is a database of the same PostgreSQL. By default the code server's runs are
its children, so that stopping it stops them; another launcher and executor are settings, their modules anything that is
installed. Dagster itself is never imported here.
"""

import json
import pkgutil
import sys
from typing import Any, Final
from urllib.parse import urlsplit

from marquee.errors import PlatformUnavailable, SettingsInvalid
from marquee.platform.programs.applications import READY_SECONDS
from marquee.platform.project import PACKAGES
from marquee.platform.state import write_privately
from marquee.platform.supervisor.probes import PROBE_SECONDS, answers, loopback_client
from marquee.platform.supervisor.program import Program
from marquee.platform.templates import render
from marquee.settings import Settings

LOCATION: Final = "orchestration"
INSTANCE: Final = (
    *("dagster", "dagster_postgres", "sqlalchemy.dialects.postgresql.psycopg2"),
    *("orchestration.storage", "orchestration.launcher", "orchestration.executor"),
)
"""What the instance of `dagster.yaml` imports, in each of the three processes."""
ASSETS: Final = tuple(
    f"assets.ingest.{module.name}" for module in pkgutil.iter_modules([str(PACKAGES / "assets" / "ingest")])
)
PRIORITY_TAG: Final = "marquee/priority"
"""On every run of the chain: `release` or `backfill`, as in the job queue."""
DAEMON_HEALTH: Final = "{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"


def code_server(settings: Settings) -> Program:
    home = write_home(settings)
    port = settings.port("dagster_code")

    async def ready() -> None:
        # Imported here: by then the machine waits for the code server.
        import grpc
        from grpc_health.v1 import health_pb2, health_pb2_grpc

        async with grpc.aio.insecure_channel(urlsplit(settings.inner("dagster_code", "grpc")).netloc) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            answer = await stub.Check(health_pb2.HealthCheckRequest(service="DagsterApi"), timeout=PROBE_SECONDS)
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            raise PlatformUnavailable("the code server is loading the definitions")

    return _dagster(
        "dagster-code",
        home,
        ("dagster", "api", "grpc", "--host", settings.inner_host, "--port", str(port)),
        ("--module-name", "orchestration.definitions", "--location-name", LOCATION),
        ready=ready,
        stage=20,
        after=("preparation",),
        port=port,
        stop_seconds=10,
        imports=(*INSTANCE, "dagster._cli", "dagster._grpc.server", "orchestration.definitions", *ASSETS),
        # A run goes on when its code server is killed; the launcher in `orchestration` watches it by its pid.
        children_outlive=True,
    )


def webserver(settings: Settings) -> Program:
    home = write_home(settings)
    port = settings.port("dagster")

    async def ready() -> None:
        await answers(f"{settings.inner('dagster')}/server_info")

    return _dagster(
        "dagster-webserver",
        home,
        (
            "dagster_webserver",
            "--host",
            settings.inner_host,
            "--port",
            str(port),
            "--workspace",
            f"{home}/workspace.yaml",
        ),
        ("--log-level", "warning"),
        ready=ready,
        stage=30,
        after=("dagster-code",),
        port=port,
        imports=(*INSTANCE, "dagster_webserver.cli", "dagster_webserver.app"),
    )


def daemon(settings: Settings) -> Program:
    """Sensors, schedules, the run queue and run monitoring; ready when Dagster itself calls each of them healthy."""
    home = write_home(settings)

    async def ready() -> None:
        async with loopback_client() as client:
            answer = await client.post(f"{settings.dagster}/graphql", json={"query": DAEMON_HEALTH})
        answer.raise_for_status()
        statuses: list[dict[str, Any]] = answer.json()["data"]["instance"]["daemonHealth"]["allDaemonStatuses"]
        if waiting := [each["daemonType"] for each in statuses if each["required"] and not each["healthy"]]:
            raise PlatformUnavailable(f"Dagster waits for the first sign of its daemons: {', '.join(waiting)}")

    return _dagster(
        "dagster-daemon",
        home,
        ("dagster._daemon", "run", "--workspace", f"{home}/workspace.yaml"),
        ready=ready,
        stage=30,
        after=("dagster-code",),
        imports=(*INSTANCE, "dagster._daemon.cli"),
    )


def write_home(settings: Settings) -> str:
    """Write DAGSTER_HOME's two files; returns the folder. Raises `SettingsInvalid` for a setting that names no class."""
    home = settings.state / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    unhurried = max(1, settings.max_concurrent_runs - settings.run_slots_for_releases)
    text = render(
        "dagster/dagster.yaml.jinja",
        home=home,
        state=settings.state,
        max_concurrent_runs=settings.max_concurrent_runs,
        limits=((PRIORITY_TAG, "backfill", unhurried),),
        launcher=_named(settings.dagster_run_launcher, "MARQUEE_DAGSTER_RUN_LAUNCHER"),
        launcher_config=_object(settings.dagster_run_launcher_config, "MARQUEE_DAGSTER_RUN_LAUNCHER_CONFIG"),
        ffmpeg_slots=settings.ffmpeg_slots,
    )
    write_privately(home / "dagster.yaml", text)
    code = urlsplit(settings.dagster_code)
    server = {"host": code.hostname, "port": code.port, "location_name": LOCATION}
    write_privately(home / "workspace.yaml", json.dumps({"load_from": [{"grpc_server": server}]}, indent=2) + "\n")
    return str(home)


def _dagster(name: str, home: str, *command: tuple[str, ...], **rest: Any) -> Program:
    arguments = [part for each in command for part in each]
    return Program(
        name=name,
        command=(sys.executable, "-m", *arguments),
        environment={"DAGSTER_HOME": home, "DAGSTER_DISABLE_TELEMETRY": "1", "PGAPPNAME": name},
        ready_seconds=READY_SECONDS,
        **rest,
    )


def _named(dotted: str, setting: str) -> tuple[str, str]:
    """(module, class) of `module.Class`."""
    module, _, name = dotted.rpartition(".")
    if not module or not all(part.isidentifier() for part in dotted.split(".")):
        raise SettingsInvalid(f"{setting} cannot be used: it must be module.Class, and is {dotted!r}.", field=setting)
    return module, name


def _object(text: str, setting: str) -> str:
    """A JSON object on one line, which YAML reads too."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SettingsInvalid(f"{setting} cannot be used: it must be a JSON object.", field=setting)
    return json.dumps(found)
