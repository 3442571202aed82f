"""What the platform needs in its engines before its own processes start: databases, schema, topics, buckets, an account.

Every step is idempotent and asks first, so that a second start changes nothing. An engine from outside is prepared in
the same way.
"""

import asyncio
from collections.abc import Awaitable, Callable

import argon2

from marquee.events import TOPIC_STREAMS
from marquee.platform.edges import browser_origins
from marquee.settings import Settings
from marquee.stores.accounts import open_accounts
from marquee.stores.event_log import open_event_log
from marquee.stores.migrate import ensure_database, migrate
from marquee.stores.objects import open_objects


async def migrate_schema(settings: Settings) -> None:
    """The databases of the platform and of Dagster (which makes its own tables), and the newest schema in the first."""
    await asyncio.to_thread(ensure_database, settings.dagster_database)
    await asyncio.to_thread(migrate, settings.database)


async def create_topics(settings: Settings) -> None:
    event_log = await open_event_log(settings.event_log)
    try:
        for topic, streams in TOPIC_STREAMS.items():
            await event_log.ensure_topic(topic, streams=streams)
    finally:
        await event_log.close()


async def create_buckets(settings: Settings) -> None:
    """The ingest bucket, which lets the web client's origin PUT parts, and the published one, which edges read."""
    for url, origins in ((settings.objects, browser_origins(settings)), (settings.published, [])):
        objects = await open_objects(
            url,
            access_key=settings.s3_access_key.get_secret_value(),
            secret_key=settings.s3_secret_key.get_secret_value(),
        )
        try:
            await objects.ensure_bucket(allowed_origins=origins)
        finally:
            await objects.close()


async def create_demo_account(settings: Settings) -> None:
    """An engineer's account with the password of the state folder; one that is there is left as it is."""
    if not settings.email:
        return
    accounts = await open_accounts(settings.database)
    try:
        if await accounts.by_email(settings.email) is None:
            password_hash = argon2.PasswordHasher().hash(settings.password.get_secret_value())
            await accounts.create(settings.email, password_hash, role="engineer", profile_names=["Demo"])
    finally:
        await accounts.close()


PREPARATIONS: tuple[tuple[str, tuple[tuple[str, Callable[[Settings], Awaitable[None]]], ...]], ...] = (
    ("postgres", (("schema", migrate_schema), ("demo account", create_demo_account))),
    ("valkey-log", (("topics", create_topics),)),
    ("seaweedfs", (("buckets", create_buckets),)),
)
"""By the engine that must answer first; the steps' names are what people see."""
