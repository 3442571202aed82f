"""The platform's own processes: its preparation, the API on granian, and the modules of `jobs/`.

The API is asked itself whether it is ready. The others have no port: they are ready once connected to PostgreSQL. It
knows the connection by the name in PGAPPNAME and by the host's address (`pg_stat_activity`): other hosts have workers too.
"""

import sys

import psycopg

from marquee.errors import PlatformUnavailable
from marquee.platform.supervisor.probes import PROBE_SECONDS, answers
from marquee.platform.supervisor.program import Program, ReadyProbe
from marquee.settings import Settings
from marquee.stores.change_capture.slot import SLOT
from marquee.stores.connections.urls import libpq_url

STAGE = 20
CONNECTED = (
    "select 1 from pg_stat_activity where application_name = %s and client_addr is not distinct from inet_client_addr()"
)
SLOT_READ = "select 1 from pg_replication_slots where active and slot_name = %s and database = current_database()"
"""A name is the server's: another database of it may have a slot of this name, and this one a slot of somebody else's."""
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
    "sqlalchemy.dialects.postgresql.psycopg",
)
"""One machine's engines, as each store imports its own when it is opened; others are imported by whoever opens them."""
READY_SECONDS = 240.0
"""On a machine whose cores are all busy an import takes a minute; one that keeps ending is noticed long before."""


def preparation(_: Settings) -> Program:
    """Once a start: databases, schema, topics, buckets, an account."""
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
    """Asked of nobody: it is ready when it has ended."""


def api(settings: Settings) -> Program:
    """Litestar on granian; the gateway is its door."""
    port = settings.port("api")

    async def ready() -> None:
        await answers(f"{settings.inner('api')}/readyz")

    return Program(
        name="api",
        command=(
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory"),
            *("--host", settings.inner_host, "--port", str(port), "--workers", str(settings.api_workers)),
            # A worker that dies is replaced by granian; one that is asked to stop gets 5 s for what it has in hand.
            *("--respawn-failed-workers", "--workers-kill-timeout", "5", "--backlog", "1024"),
            *("--no-ws", "--loop", "auto", "api.app:create_app"),
        ),
        ready=ready,
        stage=STAGE,
        after=PREPARED,
        imports=(*STORES, "granian.cli", "granian.server", "uvloop", "api.app"),
        environment={"PGAPPNAME": "api"},
        port=port,
        stop_seconds=10,
        ready_seconds=READY_SECONDS,
    )


def transcode_workers(settings: Settings) -> list[Program]:
    """One process a worker; each runs one encoder at a time."""
    return [
        _module(settings, f"transcode-{number}", "transcode") for number in range(1, settings.transcode_workers + 1)
    ]


def search_sync(settings: Settings) -> Program:
    return _module(settings, "search-sync", "search_sync")


def change_capture(settings: Settings) -> Program:
    return _module(settings, "change-capture", "change_capture", ready=_slot_is_read(settings))


def outbox(settings: Settings) -> Program:
    return _module(settings, "outbox", "outbox")


def housekeeping(settings: Settings) -> Program:
    return _module(settings, "housekeeping", "housekeeping")


def _module(settings: Settings, name: str, module: str, *, ready: ReadyProbe | None = None) -> Program:
    return Program(
        name=name,
        command=(sys.executable, "-m", f"jobs.{module}"),
        ready=ready or _is_connected(settings, name),
        stage=STAGE,
        after=PREPARED,
        imports=(*STORES, f"jobs.{module}"),
        environment={"PGAPPNAME": name},
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
            raise PlatformUnavailable(f"{name} has no connection to PostgreSQL yet")

    return ready


def _slot_is_read(settings: Settings) -> ReadyProbe:
    async def ready() -> None:
        if not await _ask_database(settings, SLOT_READ, SLOT):
            raise PlatformUnavailable("nobody reads the change-capture slot yet")

    return ready
