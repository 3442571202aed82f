"""The stores of a process, each opened when it is first named: `stores.catalogue` opens the catalogue, and nothing else.

    async with open_stores(settings) as stores:
        await stores.catalogue.titles.get(movie_id)

Opening builds a client and connects nothing: a process starts while its engines are still starting, and the first call connects.
The end of the block closes the stores that were opened, the last one first. Stages, jobs, the API and the CLI open stores here.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from typing import Protocol, TypeVar

from marquee.settings import Settings
from marquee.stores.accounts import open_accounts
from marquee.stores.accounts.contract import Accounts
from marquee.stores.analytics.findings import open_findings
from marquee.stores.analytics.findings.contract import Findings
from marquee.stores.analytics.reports import open_reports
from marquee.stores.analytics.reports.contract import Reports
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
from marquee.stores.lake import open_lake
from marquee.stores.lake.contract import Lake
from marquee.stores.objects import open_objects
from marquee.stores.objects.contract import Objects
from marquee.stores.resume_positions import open_resume_positions
from marquee.stores.resume_positions.contract import ResumePositions
from marquee.stores.row_cache import open_row_cache
from marquee.stores.row_cache.contract import RowCache
from marquee.stores.search import open_search, open_search_writer
from marquee.stores.search.contract import SearchIndex
from marquee.stores.sessions import open_sessions
from marquee.stores.sessions.contract import Sessions


class Closable(Protocol):
    async def close(self) -> None: ...


Store = TypeVar("Store", bound=Closable)


class Stores:
    """Use it inside the block of `open_stores`. An access raises `SettingsInvalid` where the store's URL cannot be used.

    After the block, naming a store that was not opened raises `RuntimeError`.
    """

    def __init__(self, settings: Settings, opened: AsyncExitStack) -> None:
        self._settings = settings
        self._opened = opened
        self._is_closed = False

    @cached_property
    def catalogue(self) -> Catalogue:
        return self._closed_at_the_end(open_catalogue(self._settings.database))

    @cached_property
    def accounts(self) -> Accounts:
        return self._closed_at_the_end(open_accounts(self._settings.database))

    @cached_property
    def sessions(self) -> Sessions:
        return self._closed_at_the_end(open_sessions(self._settings.database))

    @cached_property
    def history(self) -> WatchHistory:
        return self._closed_at_the_end(open_history(self._settings.database))

    @cached_property
    def findings(self) -> Findings:
        """What viewers see of analytics."""
        return self._closed_at_the_end(open_findings(self._settings.database))

    @cached_property
    def reports(self) -> Reports:
        """What engineers see of analytics."""
        return self._closed_at_the_end(open_reports(self._settings.database))

    @cached_property
    def job_queue(self) -> JobQueue:
        return self._closed_at_the_end(open_job_queue(self._settings.database, attempts=self._settings.job_attempts))

    @cached_property
    def resume_positions(self) -> ResumePositions:
        return self._closed_at_the_end(
            open_resume_positions(
                self._settings.resume_positions, read_also=self._settings.resume_positions_read_also_url
            )
        )

    @cached_property
    def event_log(self) -> EventLog:
        return self._closed_at_the_end(open_event_log(self._settings.event_log))

    @cached_property
    def row_cache(self) -> RowCache:
        return self._closed_at_the_end(open_row_cache(self._settings.row_cache))

    @cached_property
    def coordination(self) -> Coordination:
        return self._closed_at_the_end(open_coordination(self._settings.coordination))

    @cached_property
    def search(self) -> SearchIndex:
        """For reading; for writing too where the block was opened with `search_writer`."""
        return self._closed_at_the_end(open_search(self._settings.search))

    @cached_property
    def objects(self) -> Objects:
        """The ingest bucket."""
        return self._closed_at_the_end(open_bucket(self._settings, self._settings.objects))

    @cached_property
    def published(self) -> Objects:
        """The bucket that the edges read."""
        return self._closed_at_the_end(open_bucket(self._settings, self._settings.published))

    @cached_property
    def lake(self) -> Lake:
        """Viewing events as files, and their list."""
        return self._closed_at_the_end(open_lake(self._settings))

    def _closed_at_the_end(self, store: Store) -> Store:
        if self._is_closed:
            raise RuntimeError(
                f"{type(store).__name__} is named after the end of `open_stores`: name it inside the block."
            )
        self._opened.push_async_callback(store.close)
        return store

    def refuse_more(self) -> None:
        """From now on a store that is not open yet stays closed: nothing would close it."""
        self._is_closed = True


@asynccontextmanager
async def open_stores(settings: Settings, *, search_writer: bool = False) -> AsyncIterator[Stores]:
    """`search_writer` for the one process that writes the search index: it opens the index at once.

    Raises `StoreUnavailable` where another process writes it.
    """
    async with AsyncExitStack() as opened:
        stores = Stores(settings, opened)
        if search_writer:
            stores.search = await open_search_writer(settings.search)
            opened.push_async_callback(stores.search.close)
        try:
            yield stores
        finally:
            stores.refuse_more()


def open_bucket(settings: Settings, url: str) -> Objects:
    """One of the two buckets (`settings.objects` or `settings.published`) with its own keys of the settings."""
    is_published = url == settings.published
    access_key, secret_key = settings.s3_access_key, settings.s3_secret_key
    if is_published and settings.s3_published_access_key.get_secret_value():
        access_key, secret_key = settings.s3_published_access_key, settings.s3_published_secret_key
    return open_objects(
        url,
        setting="MARQUEE_PUBLISHED_URL" if is_published else "MARQUEE_OBJECTS_URL",
        access_key=access_key.get_secret_value(),
        secret_key=secret_key.get_secret_value(),
        # Presigned for where clients reach it; AWS's own S3 is reached by everybody at the same address.
        public_url=None if url.startswith("s3://") and not settings.public_s3_url else settings.public_s3,
    )
