"""The platform's own processes: the preparation, the API's processes, and the modules of `jobs/`.

The readiness probe of an API process is its `/readyz`. The jobs have no port; a job is ready once PostgreSQL lists its
connection in `pg_stat_activity`. The probe compares the name in PGAPPNAME and the client's address, because other hosts run
workers of the same name. Change capture is ready once it reads its replication slot, `edge-logs` once it holds its lock. The
event sink is never ready without pyarrow. All start after the preparation.
"""

import sys

import psycopg

from marquee.analytics_extra import how_to_get_analytics
from marquee.cdn.edge_log.files import is_being_read
from marquee.errors import PlatformUnavailable
from marquee.platform.supervisor.probes import PROBE_SECONDS, answers
from marquee.platform.supervisor.program import Program, ReadyProbe
from marquee.ports import api_port_name
from marquee.settings import Settings
from marquee.stores.change_capture.slot import SLOT
from marquee.stores.connections.urls import libpq_url
from marquee.stores.lake.arrow import arrow_is_installed

STAGE = 20
CONNECTED = (
    "select 1 from pg_stat_activity where application_name = %s and client_addr is not distinct from inet_client_addr()"
)
SLOT_READ = "select 1 from pg_replication_slots where active and slot_name = %s and database = current_database()"
"""Slot names are unique in a server, not in a database, so the query compares the database too."""
PREPARED = ("preparation",)
STORES = (
    "marquee.stores.opened",
    "marquee.stores.accounts.postgres",
    "marquee.stores.catalogue.postgres",
    "marquee.stores.coordination.valkey",
    "marquee.stores.event_log.valkey.log",
    "marquee.stores.history.postgres",
    "marquee.stores.job_queue.postgres",
    "marquee.stores.objects.s3",
    "marquee.stores.objects.s3_client:read_service_model",
    "marquee.stores.resume_positions.postgres",
    "marquee.stores.row_cache.valkey",
    "marquee.stores.search.tantivy.index",
    "marquee.stores.sessions.postgres",
    "sqlalchemy.dialects.postgresql.psycopg",
)
"""Modules that the supervisor imports for every process: the stores of one machine's default engines.

A store imports its engine's module when it is opened. Other engines' modules are imported by the process that opens them.
"""
READY_SECONDS = 240.0
"""With all cores busy an import takes a minute. A program that keeps ending is noticed long before this time."""


def preparation(_: Settings) -> Program:
    """One shot, once each start: databases, schema, topics, buckets, the first account."""
    module = "marquee.platform.preparation"
    return Program(
        name="preparation",
        command=(sys.executable, "-m", module),
        ready=_ends,
        stage=STAGE,
        after=("postgres", "valkey-log", "seaweedfs"),
        imports=(*STORES, module),
        one_shot=True,
        environment={"PGAPPNAME": "preparation"},
        ready_seconds=READY_SECONDS,
    )


async def _ends() -> None:
    """No probe: a one-shot program is ready when it has exited with 0."""


def api_processes(settings: Settings) -> list[Program]:
    """`settings.api_workers` processes, each with a port of its own. Clients reach them through the gateway only."""
    return [api(settings, number) for number in range(1, settings.api_workers + 1)]


def api(settings: Settings, number: int = 1) -> Program:
    """One process of the API. SIGTERM drains it (see `api.server`); a stop of the platform, where no gateway sends, does not."""
    name, port_name = f"api-{number}", api_port_name(number)

    async def ready() -> None:
        await answers(f"{settings.inner(port_name)}/readyz")

    return Program(
        name=name,
        command=(
            *(sys.executable, "-m", "api.server"),
            *("--host", settings.inner_host, "--port", str(settings.port(port_name))),
        ),
        ready=ready,
        stage=STAGE,
        after=PREPARED,
        # Litestar imports its plugins when an application is made.
        imports=(*STORES, "uvloop", "litestar.plugins.pydantic", "api.server", "api.auth.passwords:dummy_hash"),
        environment={"PGAPPNAME": name},
        port=settings.port(port_name),
        interrupt=True,
        drains=True,
        # A drain takes up to 6 s, then the last requests have 5 s.
        stop_seconds=15,
        ready_seconds=READY_SECONDS,
    )


def transcode_workers(settings: Settings) -> list[Program]:
    """`settings.transcode_workers` processes; each runs one encoder at a time."""
    return [
        module_program(settings, f"transcode-{number}", "transcode")
        for number in range(1, settings.transcode_workers + 1)
    ]


def search_sync(settings: Settings) -> Program:
    """Keeps the search index up to date from the event log (`jobs.search_sync`)."""
    return module_program(settings, "search-sync", "search_sync")


def change_capture(settings: Settings) -> Program:
    """Debezium: publishes the catalogue's changes to the event log (`jobs.change_capture`)."""
    return module_program(settings, "change-capture", "change_capture", ready=_slot_is_read(settings))


def outbox(settings: Settings) -> Program:
    """Publishes the database's outbox to the event log (`jobs.outbox`)."""
    return module_program(settings, "outbox", "outbox")


def housekeeping(settings: Settings) -> Program:
    """Runs the periodic loops, such as removing abandoned uploads (`jobs.housekeeping`)."""
    return module_program(settings, "housekeeping", "housekeeping", port=settings.port("housekeeping"))


def edge_logs(settings: Settings) -> Program:
    """Publishes what viewers request at this host's edges to the event log (`jobs.edge_logs`)."""

    async def ready() -> None:
        if not is_being_read(settings):
            raise PlatformUnavailable("edge-logs does not read the edges' logs yet")

    return module_program(settings, "edge-logs", "edge_logs", ready=ready)


def event_sink(settings: Settings) -> Program:
    """Writes viewing events from the event log to the lake, and keeps the lake (`jobs.event_sink`)."""
    is_connected = _is_connected(settings, "event-sink")

    async def ready() -> None:
        if not arrow_is_installed():
            raise PlatformUnavailable(f"event-sink writes nothing, pyarrow is not installed: {how_to_get_analytics()}")
        await is_connected()

    return module_program(settings, "event-sink", "event_sink", ready=ready, port=settings.port("event_sink"))


def module_program(
    settings: Settings,
    name: str,
    module: str,
    *,
    ready: ReadyProbe | None = None,
    after: tuple[str, ...] = PREPARED,
    port: int | None = None,
) -> Program:
    """One process of `jobs/`. Without `ready`: it is ready when PostgreSQL lists its connection."""
    return Program(
        name=name,
        command=(sys.executable, "-m", f"jobs.{module}"),
        ready=ready or _is_connected(settings, name),
        stage=STAGE,
        after=after,
        imports=(*STORES, f"jobs.{module}"),
        environment={"PGAPPNAME": name},
        port=port,
        stop_seconds=10,
        ready_seconds=READY_SECONDS,
    )


async def _ask_database(settings: Settings, question: str, *values: str) -> bool:
    connection = await psycopg.AsyncConnection.connect(libpq_url(settings.database), connect_timeout=int(PROBE_SECONDS))
    async with connection:
        return await (await connection.execute(question.encode(), values)).fetchone() is not None


def _is_connected(settings: Settings, name: str) -> ReadyProbe:
    async def ready() -> None:
        if not await _ask_database(settings, CONNECTED, name):
            raise PlatformUnavailable(f"{name} is not connected to PostgreSQL yet")

    return ready


def _slot_is_read(settings: Settings) -> ReadyProbe:
    async def ready() -> None:
        if not await _ask_database(settings, SLOT_READ, SLOT):
            raise PlatformUnavailable(f"change capture does not read its replication slot {SLOT} yet")

    return ready
