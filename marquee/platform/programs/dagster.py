"""Dagster's programs: one code server for each code location, the daemon, and the webserver.

A code server loads the definitions of its location and starts their runs. By default the runs are its child processes, so
stopping it stops them. This module writes DAGSTER_HOME, `{state}/dagster`; Dagster's storage is a database of the same
PostgreSQL. Run launcher and executor are settings and may be classes of any installed module. This module never imports
Dagster, because `marquee status` and `marquee down` import this module and must start fast.
"""

import json
import pkgutil
import sys
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from marquee.code_locations import CODE_LOCATIONS, CodeLocation
from marquee.domain.priority import ANALYTICS_RUN, ANALYTICS_TAG, BACKFILL, PRIORITY_TAG
from marquee.errors import PlatformUnavailable, SettingsInvalid
from marquee.platform.programs.applications import READY_SECONDS
from marquee.platform.project import PACKAGES
from marquee.platform.state import write_privately
from marquee.platform.supervisor.probes import PROBE_SECONDS, answers, loopback_client
from marquee.platform.supervisor.program import Program
from marquee.platform.templates import render
from marquee.settings import Settings

INSTANCE: Final = (
    *("dagster", "dagster_postgres", "sqlalchemy.dialects.postgresql.psycopg2"),
    *("orchestration.storage", "orchestration.launcher", "orchestration.executor"),
)
"""Modules that each of the three kinds of process imports because `dagster.yaml` names their classes."""
DAEMON_HEALTH: Final = "{ instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } } }"


def code_server(settings: Settings, location: CodeLocation) -> Program:
    """The code server of one location. It is ready when its gRPC health service says that the definitions are loaded."""
    home = write_home(settings)
    local = urlsplit(settings.local_dagster_code(location))

    async def ready() -> None:
        # Imported here: at this time the command only waits for the code server, so the import costs nothing.
        import grpc
        from grpc_health.v1 import health_pb2, health_pb2_grpc

        async with grpc.aio.insecure_channel(local.netloc) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            answer = await stub.Check(health_pb2.HealthCheckRequest(service="DagsterApi"), timeout=PROBE_SECONDS)
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            raise PlatformUnavailable(f"the code server of {location.name} is loading the definitions")

    return _dagster(
        location.program,
        home,
        ("dagster", "api", "grpc", "--host", settings.inner_host, "--port", str(local.port)),
        ("--module-name", location.module, "--location-name", location.name_in_dagster),
        ready=ready,
        stage=20,
        after=("preparation",),
        port=local.port,
        stop_seconds=10,
        imports=_preloaded(location),
        # Runs survive a killed code server: the launcher in `orchestration` watches each run by its pid.
        children_outlive=True,
    )


def webserver(settings: Settings) -> Program:
    """Dagster's UI and GraphQL. It is ready when `/server_info` answers."""
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
        after=tuple(location.program for location in CODE_LOCATIONS),
        port=port,
        imports=(*INSTANCE, "dagster_webserver.cli", "dagster_webserver.app"),
    )


def daemon(settings: Settings) -> Program:
    """Sensors, schedules, the run queue and run monitoring. Ready when Dagster reports every required daemon as healthy."""
    home = write_home(settings)

    async def ready() -> None:
        async with loopback_client() as client:
            answer = await client.post(f"{settings.dagster}/graphql", json={"query": DAEMON_HEALTH})
        answer.raise_for_status()
        statuses: list[dict[str, Any]] = answer.json()["data"]["instance"]["daemonHealth"]["allDaemonStatuses"]
        if waiting := [each["daemonType"] for each in statuses if each["required"] and not each["healthy"]]:
            raise PlatformUnavailable(f"Dagster has no heartbeat yet of its daemons {', '.join(waiting)}")

    return _dagster(
        "dagster-daemon",
        home,
        ("dagster._daemon", "run", "--workspace", f"{home}/workspace.yaml"),
        ready=ready,
        stage=30,
        after=tuple(location.program for location in CODE_LOCATIONS),
        imports=(*INSTANCE, "dagster._daemon.cli"),
    )


def _preloaded(location: CodeLocation) -> tuple[str, ...]:
    """Modules that the supervisor imports for a code server; none for a location with `preloaded` False."""
    if not location.preloaded:
        return ()
    assets = pkgutil.iter_modules([str(PACKAGES / "assets" / location.name)])
    modules = (f"assets.{location.name}.{module.name}" for module in assets)
    return (*INSTANCE, "dagster._cli", "dagster._grpc.server", location.module, *modules)


def write_home(settings: Settings, *, locations: Sequence[CodeLocation] = CODE_LOCATIONS) -> str:
    """Write `dagster.yaml` and `workspace.yaml` into DAGSTER_HOME; return the folder.

    Raises `SettingsInvalid` for a launcher setting that is not `module.Class`, or a launcher configuration that is not JSON.
    """
    home = settings.state / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    max_backfills = max(1, settings.max_concurrent_runs - settings.run_slots_for_releases)
    text = render(
        "dagster/dagster.yaml.jinja",
        home=home,
        state=settings.state,
        max_concurrent_runs=settings.max_concurrent_runs,
        limits=((PRIORITY_TAG, BACKFILL, max_backfills), (ANALYTICS_TAG, ANALYTICS_RUN, 1)),
        launcher=_named(settings.dagster_run_launcher, "MARQUEE_DAGSTER_RUN_LAUNCHER"),
        launcher_config=_object(settings.dagster_run_launcher_config, "MARQUEE_DAGSTER_RUN_LAUNCHER_CONFIG"),
        ffmpeg_slots=settings.ffmpeg_slots,
    )
    write_privately(home / "dagster.yaml", text)
    servers = [(location, urlsplit(settings.dagster_code(location))) for location in locations]
    workspace = {
        "load_from": [
            {"grpc_server": {"host": url.hostname, "port": url.port, "location_name": location.name_in_dagster}}
            for location, url in servers
        ]
    }
    write_privately(home / "workspace.yaml", json.dumps(workspace, indent=2) + "\n")
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
    """Split `module.Class` into (module, class). Raises `SettingsInvalid` for any other form."""
    module, _, name = dotted.rpartition(".")
    if not module or not all(part.isidentifier() for part in dotted.split(".")):
        raise SettingsInvalid(f"{setting} cannot be used: it is {dotted!r} and must be module.Class.", field=setting)
    return module, name


def _object(text: str, setting: str) -> str:
    """Normalise a JSON object to one line, which YAML reads too. Raises `SettingsInvalid` for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SettingsInvalid(f"{setting} cannot be used: it must be a JSON object.", field=setting)
    return json.dumps(found)
