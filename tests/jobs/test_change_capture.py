"""From a committed row to a search hit: Debezium, the event log, the search sync, each as its own process, and its kills."""

import asyncio
import contextlib
import functools
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psycopg
import pytest

from marquee.domain import ids
from marquee.logs import get_logger
from marquee.platform import local_engines
from marquee.platform.cluster_engines.kafka import KAFKA
from marquee.platform.supervisor.program import Program
from marquee.settings import Settings
from marquee.stores.catalogue import open_catalogue
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import TitleDetails
from marquee.stores.change_capture.slot import SLOT
from marquee.stores.schema.migrate import migrate
from marquee.stores.search import open_search
from marquee.stores.search.contract import SearchIndex
from tests.harness.older_postgres import older_postgres
from tests.harness.restarting import RestartingServer
from tests.harness.servers import home_of, program_of

TITLES = 100

log = get_logger()


class Job:
    """A job's process, killed and started as the supervisor would."""

    def __init__(self, module: str, settings: Settings, log_folder: Path) -> None:
        self._module = module
        self._log = log_folder / f"{module}.log"
        self._environment = {
            **os.environ,
            "MARQUEE_STATE": str(settings.state),
            "MARQUEE_PORT_BASE": str(settings.port_base),
            "MARQUEE_DATABASE_URL": settings.database,
            "MARQUEE_EVENT_LOG_URL": f"{settings.event_log}{'&' if '?' in settings.event_log else '?'}lease_seconds=2",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        launched = (
            sys.executable,
            "-m",
            "marquee.platform.supervisor.launch",
            "--",
            sys.executable,
            "-m",
            f"jobs.{self._module}",
        )
        with self._log.open("ab") as output:
            self.process = subprocess.Popen(launched, stdout=output, stderr=output, env=self._environment)

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(15)


class Pipeline:
    """One PostgreSQL and one event log of its own, the two jobs, a catalogue that writes and an index that reads."""

    def __init__(
        self,
        database: RestartingServer,
        log: RestartingServer,
        jobs: dict[str, Job],
        catalogue: Catalogue,
        index: SearchIndex,
    ) -> None:
        self.database = database
        self.log = log
        self.jobs = jobs
        self.catalogue = catalogue
        self.index = index

    async def announce(self, title: str) -> str:
        movie_id = ids.new_movie_id()
        await self.catalogue.titles.announce([(movie_id, TitleDetails(title=title))])
        return movie_id

    async def searchable(self, movie_id: str, *, seconds: float = 60.0) -> float:
        """Seconds until a search finds it."""
        started = time.perf_counter()

        async def there() -> bool:
            return await self.index.revision(movie_id) is not None

        await until(there, seconds=seconds, what=f"{movie_id} to be searchable")
        return time.perf_counter() - started


async def until(true: Callable[[], Awaitable[bool]], *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        await asyncio.sleep(0.002)


@pytest.fixture(scope="module")
async def pipeline(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pipeline]:
    async with running_pipeline(local_engines.postgres, tmp_path_factory) as found:
        yield found


@contextlib.asynccontextmanager
async def running_pipeline(
    postgres: Callable[[Settings], Program],
    folders: pytest.TempPathFactory,
    log_program: Callable[[Settings], Program] = local_engines.valkey_log,
    log_url: Callable[[Settings], str] = lambda settings: settings.event_log,
) -> AsyncIterator[Pipeline]:
    """Once the first change was captured."""
    async with contextlib.AsyncExitStack() as stack:
        database = await stack.enter_async_context(RestartingServer(postgres, folders.mktemp("pg")))
        log = await stack.enter_async_context(RestartingServer(log_program, folders.mktemp("log")))
        settings = database.settings.model_copy(update={"event_log_url": log_url(log.settings)})
        await asyncio.to_thread(migrate, settings.database)
        catalogue = open_catalogue(settings.database)
        stack.push_async_callback(catalogue.close)
        # Before anything captures: the snapshot's work.
        await catalogue.titles.announce(
            [(ids.new_movie_id(), TitleDetails(title=f"Before {number}")) for number in range(20)]
        )
        folder = folders.mktemp("jobs")
        jobs = {name: Job(name, settings, folder) for name in ("search_sync", "change_capture")}
        for job in jobs.values():
            job.start()
            stack.callback(job.end, signal.SIGKILL)
        index = open_search(settings.search)
        stack.push_async_callback(index.close)
        pipeline = Pipeline(database, log, jobs, catalogue, index)

        async def all_there() -> bool:
            return await index.count() >= 20

        await until(all_there, seconds=90, what="the first titles")
        await pipeline.searchable(await pipeline.announce("The first captured"), seconds=120)
        yield pipeline


async def test_a_changed_row_is_searchable_soon(pipeline: Pipeline) -> None:
    lags = [await pipeline.searchable(await pipeline.announce(f"Film {number}")) for number in range(TITLES)]
    p50, p99 = statistics.median(lags), statistics.quantiles(lags, n=100)[98]
    log.info("from commit to searchable", p50_seconds=round(p50, 3), p99_seconds=round(p99, 3), titles=TITLES)
    assert len(lags) == TITLES, "a changed title did not reach search"


async def test_an_edit_and_a_withdrawal_reach_search(pipeline: Pipeline) -> None:
    movie_id = await pipeline.announce("Zanzibar Overture")
    await pipeline.searchable(movie_id)
    edited = await pipeline.catalogue.titles.edit(movie_id, TitleDetails(title="Quixotic Nightfall"))

    async def renewed() -> bool:
        return await pipeline.index.revision(movie_id) == edited.revision

    await until(renewed, seconds=30, what="the edit to be searchable")
    assert [hit.document.movie_id for hit in (await pipeline.index.search("quixotic nightfall")).hits] == [movie_id]
    assert (await pipeline.index.search("zanzibar overture")).hits == []
    await pipeline.catalogue.titles.delete(movie_id)

    async def gone() -> bool:
        return await pipeline.index.revision(movie_id) is None

    await until(gone, seconds=30, what="the deleted title to leave search")


@pytest.mark.parametrize("victim", ["search_sync", "change_capture", "database", "log"])
async def test_nothing_is_missing_after_a_kill(pipeline: Pipeline, victim: str) -> None:
    before = [await pipeline.announce(f"Before the kill {number}") for number in range(10)]
    if victim in pipeline.jobs:
        pipeline.jobs[victim].end(signal.SIGKILL)
        during = [await pipeline.announce(f"While it is away {number}") for number in range(10)]
        pipeline.jobs[victim].start()
    else:
        server = pipeline.database if victim == "database" else pipeline.log
        server.kill()
        await server.start()
        during = [await pipeline.announce(f"After it came back {number}") for number in range(10)]
    for movie_id in before + during:
        await pipeline.searchable(movie_id, seconds=90)


async def test_a_lost_slot_begins_with_a_snapshot(pipeline: Pipeline) -> None:
    assert pipeline.jobs["change_capture"].end(signal.SIGTERM) == 0, "change capture did not stop cleanly"
    url = pipeline.database.settings.database
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:

        async def free() -> bool:
            cursor = await connection.execute("SELECT 1 FROM pg_replication_slots WHERE active")
            return await cursor.fetchone() is None

        await until(free, seconds=30, what="the slot to be free")
        await connection.execute("SELECT pg_drop_replication_slot(%s)", (SLOT,))
    missed = await pipeline.announce("While there was no slot")
    pipeline.jobs["change_capture"].start()
    await pipeline.searchable(missed, seconds=90)


async def test_a_lost_index_is_rebuilt(pipeline: Pipeline) -> None:
    movie_id = await pipeline.announce("Before the index is lost")
    await pipeline.searchable(movie_id)
    assert pipeline.jobs["search_sync"].end(signal.SIGTERM) == 0, "the search sync did not stop cleanly"
    await asyncio.to_thread(shutil.rmtree, pipeline.database.settings.state / "search")
    assert await pipeline.index.count() == 0
    pipeline.jobs["search_sync"].start()
    await pipeline.searchable(movie_id, seconds=60)
    await pipeline.searchable(await pipeline.announce("After it was rebuilt"))


async def test_an_older_postgresql_is_captured_as_well(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with running_pipeline(older_postgres, tmp_path_factory) as older:
        movie_id = await older.announce("Soon to be gone")
        await older.searchable(movie_id)
        await older.catalogue.titles.delete(movie_id)

        async def gone() -> bool:
            return await older.index.revision(movie_id) is None

        await until(gone, seconds=30, what="the deleted title to leave search")


@pytest.mark.xdist_group("kafka")
async def test_the_same_on_kafka_through_the_death_of_each_part(tmp_path_factory: pytest.TempPathFactory) -> None:
    def url(settings: Settings) -> str:
        return KAFKA.urls(home_of(KAFKA, settings))["MARQUEE_EVENT_LOG_URL"]

    kafka = functools.partial(program_of, KAFKA)
    async with running_pipeline(local_engines.postgres, tmp_path_factory, kafka, url) as pipeline:
        told = [await pipeline.announce(f"Film {number}") for number in range(10)]
        deleted = told.pop()
        await pipeline.searchable(deleted)
        await pipeline.catalogue.titles.delete(deleted)
        for job in pipeline.jobs.values():
            job.end(signal.SIGKILL)
        told += [await pipeline.announce(f"While both are away {number}") for number in range(10)]
        for job in pipeline.jobs.values():
            job.start()
        pipeline.log.kill()
        await pipeline.log.start()
        told += [await pipeline.announce(f"After the broker came back {number}") for number in range(10)]
        for movie_id in told:
            await pipeline.searchable(movie_id, seconds=90)
        assert await pipeline.index.revision(deleted) is None, "a deleted title came back"
