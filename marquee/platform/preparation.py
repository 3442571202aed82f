"""`python -m marquee.platform.preparation`: creates in the engines what the platform's own processes need.

The steps: databases, schema, topics, buckets, the first account. Each step first checks what exists, so a second start
changes nothing. External engines are prepared in the same way. The supervisor runs this program once during each start, as a
fork whose imports are already loaded (`supervisor/forking`); the platform's own processes start after it. Without a supervisor
`marquee prepare` takes the same steps (`prepare_all`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Final

from marquee.errors import PlatformUnavailable
from marquee.events import TOPIC_STREAMS
from marquee.ingest.outages import through_outages
from marquee.logs import get_logger
from marquee.platform.hosts import check_needed
from marquee.platform.programs.edges import browser_origins
from marquee.platform.state import bootstrap_folders
from marquee.processes.runner import Process, run_process
from marquee.processes.stopping import unless_stopped
from marquee.settings import Settings
from marquee.stores.accounts.hashes import password_hasher
from marquee.stores.opened import open_stores
from marquee.stores.schema.migrate import ensure_database, migrate

log = get_logger()


async def migrate_schema(settings: Settings) -> None:
    """Create both databases and migrate the platform's to the newest schema. Dagster creates its own tables."""
    await asyncio.to_thread(ensure_database, settings.dagster_database)
    await asyncio.to_thread(migrate, settings.database)


async def create_topics(settings: Settings) -> None:
    """Create every topic of the event log with its number of streams."""
    async with open_stores(settings) as stores:
        for topic, streams in TOPIC_STREAMS.items():
            await stores.event_log.ensure_topic(topic, streams=streams)


async def create_buckets(settings: Settings) -> None:
    """Create the ingest bucket, with CORS for parts that the web client PUTs, the published bucket, which edges read, and
    the lake's folder or bucket."""
    async with open_stores(settings) as stores:
        await stores.objects.ensure_bucket(allowed_origins=browser_origins(settings))
        await stores.published.ensure_bucket()
        await stores.lake.files.ensure()


async def create_demo_account(settings: Settings) -> None:
    """Create the first account, a content engineer's, with the password of the settings. An existing account stays unchanged."""
    if not settings.email:
        return
    async with open_stores(settings) as stores:
        if await stores.accounts.by_email(settings.email) is None:
            password_hash = password_hasher().hash(settings.password.get_secret_value())
            await stores.accounts.create(settings.email, password_hash, role="engineer", profile_names=["Demo"])


Step = tuple[str, Callable[[Settings], Awaitable[None]]]

PREPARATIONS: Final[tuple[tuple[Step, ...], ...]] = (
    (("schema", migrate_schema), ("demo account", create_demo_account)),
    (("topics", create_topics),),
    (("buckets", create_buckets),),
)
"""One group of steps for each engine. The groups run at the same time. The log and `marquee prepare` show the steps' names."""

WAIT_SECONDS: Final = 300.0
"""How long a step waits for its engine, which may be starting at the same time."""


def prepare_all(settings: Settings) -> Iterator[str]:
    """Take every step, one after the other, and yield the name of each step that is done.

    Raises `SettingsInvalid` for a required setting that is not set, `StoreUnavailable` for an engine that does not answer
    within WAIT_SECONDS.
    """
    check_needed(settings, {"prepare"})
    bootstrap_folders(settings)
    for steps in PREPARATIONS:
        for name, step in steps:
            asyncio.run(through_outages(partial(step, settings), seconds=WAIT_SECONDS))
            yield name


async def prepare(settings: Settings) -> None:
    """Take every step and log it; the groups run concurrently. Raises `StoreUnavailable` for an engine that does not answer."""
    async with asyncio.TaskGroup() as tasks:
        for steps in PREPARATIONS:
            tasks.create_task(_one_by_one(settings, steps))


async def _one_by_one(settings: Settings, steps: Sequence[Step]) -> None:
    for name, step in steps:
        began = time.monotonic()
        await step(settings)
        log.info("prepared", step=name, seconds=round(time.monotonic() - began, 2))


async def run(process: Process) -> None:
    """The process's main: prepare until done or told to stop. Raises `PlatformUnavailable` when it was stopped."""
    await unless_stopped(process.stop, prepare(process.settings))
    if process.stop.is_set():
        # An error, because exit code 0 means that everything is prepared.
        raise PlatformUnavailable("The preparation was stopped before it had finished: start the platform again.")


if __name__ == "__main__":
    raise SystemExit(run_process("preparation", run))
