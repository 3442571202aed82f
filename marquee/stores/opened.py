"""All stores of a process, opened together by the settings and closed together: for the API's lifespan and a stage of the chain.

Opening builds clients and connects nothing that is not asked for, so that a process starts while an engine is still coming
up; the first call finds out.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from marquee.settings import Settings
from marquee.stores.accounts import open_accounts
from marquee.stores.accounts.contract import Accounts
from marquee.stores.catalogue import open_catalogue
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.coordination import open_coordination
from marquee.stores.coordination.contract import Coordination
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog
from marquee.stores.history import open_history
from marquee.stores.history.contract import WatchHistory
from marquee.stores.job_queue import open_job_queue
from marquee.stores.job_queue.contract import JobQueue
from marquee.stores.objects import open_objects
from marquee.stores.objects.contract import Objects
from marquee.stores.resume_positions import open_resume_positions
from marquee.stores.resume_positions.contract import ResumePositions
from marquee.stores.row_cache import open_row_cache
from marquee.stores.row_cache.contract import RowCache
from marquee.stores.search import open_search
from marquee.stores.search.contract import SearchIndex


@dataclass(frozen=True)
class Stores:
    """`objects` is the ingest bucket, `published` the one that the edges read."""

    catalogue: Catalogue
    accounts: Accounts
    history: WatchHistory
    job_queue: JobQueue
    resume_positions: ResumePositions
    event_log: EventLog
    row_cache: RowCache
    coordination: Coordination
    search: SearchIndex
    objects: Objects
    published: Objects


async def open_bucket(settings: Settings, url: str) -> Objects:
    """One of the two buckets (`settings.objects` or `settings.published`) with its own keys of the settings."""
    is_published = url == settings.published
    access_key, secret_key = settings.s3_access_key, settings.s3_secret_key
    if is_published and settings.s3_published_access_key.get_secret_value():
        access_key, secret_key = settings.s3_published_access_key, settings.s3_published_secret_key
    return await open_objects(
        url,
        setting="MARQUEE_PUBLISHED_URL" if is_published else "MARQUEE_OBJECTS_URL",
        access_key=access_key.get_secret_value(),
        secret_key=secret_key.get_secret_value(),
        # Presigned for where clients reach it; AWS's own S3 is reached by everybody at the same address.
        public_url=None if url.startswith("s3://") and not settings.public_s3_url else settings.public_s3,
    )


@asynccontextmanager
async def open_stores(settings: Settings, *, search_writer: bool = False) -> AsyncIterator[Stores]:
    """Every store; `search_writer` for the one process that writes the search index."""
    async with AsyncExitStack() as stack:
        catalogue = await open_catalogue(settings.database)
        stack.push_async_callback(catalogue.close)
        accounts = await open_accounts(settings.database)
        stack.push_async_callback(accounts.close)
        history = await open_history(settings.database)
        stack.push_async_callback(history.close)
        job_queue = await open_job_queue(settings.database, attempts=settings.job_attempts)
        stack.push_async_callback(job_queue.close)
        resume_positions = await open_resume_positions(
            settings.resume_positions, read_also=settings.resume_positions_read_also_url
        )
        stack.push_async_callback(resume_positions.close)
        event_log = await open_event_log(settings.event_log)
        stack.push_async_callback(event_log.close)
        row_cache = await open_row_cache(settings.row_cache)
        stack.push_async_callback(row_cache.close)
        coordination = await open_coordination(settings.coordination)
        stack.push_async_callback(coordination.close)
        objects = await open_bucket(settings, settings.objects)
        stack.push_async_callback(objects.close)
        published = await open_bucket(settings, settings.published)
        stack.push_async_callback(published.close)
        search = await open_search(settings.search, writer=search_writer)
        stack.push_async_callback(search.close)
        yield Stores(
            catalogue=catalogue,
            accounts=accounts,
            history=history,
            job_queue=job_queue,
            resume_positions=resume_positions,
            event_log=event_log,
            row_cache=row_cache,
            coordination=coordination,
            search=search,
            objects=objects,
            published=published,
        )
