"""`python -m marquee.platform.preparation`: what the platform needs in its engines before its own processes start.

Databases, schema, topics, buckets, an account. Every step is idempotent and asks first, so that a second start changes
nothing. An engine from outside is prepared in the same way. The supervisor runs it once a start, as a fork that has its imports
already. Where there is no supervisor, `marquee prepare` takes the same steps (`prepare_all`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Final

import argon2

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
from marquee.stores.opened import open_stores
from marquee.stores.schema.migrate import ensure_database, migrate

log = get_logger()


async def migrate_schema(settings: Settings) -> None:
    """The databases of the platform and of Dagster (which makes its own tables), and the newest schema in the first."""
    await asyncio.to_thread(ensure_database, settings.dagster_database)
    await asyncio.to_thread(migrate, settings.database)


async def create_topics(settings: Settings) -> None:
    async with open_stores(settings) as stores:
        for topic, streams in TOPIC_STREAMS.items():
            await stores.event_log.ensure_topic(topic, streams=streams)


async def create_buckets(settings: Settings) -> None:
    """The ingest bucket, which lets the web client's origin PUT parts, and the published one, which edges read."""
    async with open_stores(settings) as stores:
        await stores.objects.ensure_bucket(allowed_origins=browser_origins(settings))
        await stores.published.ensure_bucket()


async def create_demo_account(settings: Settings) -> None:
    """An engineer's account with the password of the state folder; one that is there is left as it is."""
    if not settings.email:
        return
    async with open_stores(settings) as stores:
        if await stores.accounts.by_email(settings.email) is None:
            password_hash = argon2.PasswordHasher().hash(settings.password.get_secret_value())
            await stores.accounts.create(settings.email, password_hash, role="engineer", profile_names=["Demo"])


Step = tuple[str, Callable[[Settings], Awaitable[None]]]

PREPARATIONS: Final[tuple[tuple[Step, ...], ...]] = (
    (("schema", migrate_schema), ("demo account", create_demo_account)),
    (("topics", create_topics),),
    (("buckets", create_buckets),),
)
"""One group an engine; the steps' names are what people see."""

WAIT_SECONDS: Final = 300.0
"""How long a step waits for its engine, which may be starting beside it."""


def prepare_all(settings: Settings) -> Iterator[str]:
    """Take every step, one after the other, and yield its name once it is taken.

    Raises `SettingsInvalid` for what it was not told, `StoreUnavailable` for an engine that does not come.
    """
    check_needed(settings, {"prepare"})
    bootstrap_folders(settings)
    for steps in PREPARATIONS:
        for name, step in steps:
            asyncio.run(through_outages(partial(step, settings), seconds=WAIT_SECONDS))
            yield name


async def prepare(settings: Settings) -> None:
    """Take every step, the groups side by side, and log each. Raises `StoreUnavailable` where an engine does not answer."""
    async with asyncio.TaskGroup() as tasks:
        for steps in PREPARATIONS:
            tasks.create_task(_one_by_one(settings, steps))


async def _one_by_one(settings: Settings, steps: Sequence[Step]) -> None:
    for name, step in steps:
        began = time.monotonic()
        await step(settings)
        log.info("prepared", step=name, seconds=round(time.monotonic() - began, 2))


async def run(process: Process) -> None:
    await unless_stopped(process.stop, prepare(process.settings))
    if process.stop.is_set():
        # Exit code 0 would mean that everything is prepared.
        raise PlatformUnavailable("The preparation was told to stop before it had ended.")


if __name__ == "__main__":
    raise SystemExit(run_process("preparation", run))
