"""`python -m marquee.platform.preparation`: what the platform needs in its engines before its own processes start.

Databases, schema, topics, buckets, an account. Every step is idempotent and asks first, so that a second start changes
nothing. An engine from outside is prepared in the same way. Run once a start, as a program of the supervisor, which has its
imports already; where there is no supervisor, `marquee prepare` does it all once (`prepare_all`).
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

import argon2
import tenacity

from marquee.errors import MarqueeError, StoreUnavailable
from marquee.events import TOPIC_STREAMS
from marquee.logs import configure_logging, get_logger
from marquee.platform.hosts import check_needed
from marquee.platform.programs.edges import browser_origins
from marquee.platform.state import bootstrap_folders
from marquee.settings import Settings, load_settings
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
            asyncio.run(_patiently(settings, step))
            yield name


async def _patiently(settings: Settings, step: Callable[[Settings], Awaitable[None]]) -> None:
    repeating = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(StoreUnavailable),
        wait=tenacity.wait_exponential_jitter(initial=0.5, max=5),
        stop=tenacity.stop_after_delay(WAIT_SECONDS),
        reraise=True,
    )
    async for attempt in repeating:
        with attempt:
            await step(settings)


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


def main() -> None:
    configure_logging("preparation")
    try:
        asyncio.run(prepare(load_settings()))
    except* MarqueeError as errors:
        sys.exit("; ".join(str(error) for error in errors.exceptions))


if __name__ == "__main__":
    main()
