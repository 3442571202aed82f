"""`chunk-jobs` carries hints: whatever happens on the event log, a chunk is claimed well within a lease.

The worker is the real one, on a real queue; its jobs are ones that it cannot read, which it gives back as failed at once.
"""

import asyncio
import contextlib
import functools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from jobs.transcode import TranscodeWorker
from marquee.errors import StoreUnavailable
from marquee.events import CHUNK_JOBS
from marquee.platform import local_engines
from marquee.platform.cluster_engines.kafka import KAFKA
from marquee.platform.supervisor.program import Program
from marquee.processes.hints import Hints
from marquee.settings import Settings
from marquee.stores.event_log import open_event_log
from marquee.stores.event_log.contract import EventLog
from marquee.stores.job_queue import open_job_queue
from marquee.stores.job_queue.contract import JobQueue, NewJob
from marquee.stores.opened import open_bucket
from marquee.stores.schema.migrate import migrate
from tests.harness.restarting import RestartingServer
from tests.harness.servers import home_of, program_of

KAFKAS_WORKER = pytest.mark.xdist_group("kafka")
LEASE_SECONDS = 10.0
CHUNKS = 4

Disturbance = Callable[[EventLog], AbstractAsyncContextManager[None]]


@pytest.fixture(params=["valkey_log_url", pytest.param("kafka_log_url", marks=KAFKAS_WORKER)])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def queue(empty_database: str) -> AsyncIterator[JobQueue]:
    await asyncio.to_thread(migrate, empty_database)
    store = open_job_queue(empty_database)
    yield store
    await store.close()


@asynccontextmanager
async def working(settings: Settings, queue: JobQueue, url: str) -> AsyncIterator[None]:
    """The transcode worker, in this process, with an event log of its own."""
    stop = asyncio.Event()
    event_log = open_event_log(url)
    objects = open_bucket(settings, settings.objects)
    worker = TranscodeWorker(settings, queue, objects, Hints(event_log, CHUNK_JOBS), name="the-worker")
    running = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(LEASE_SECONDS):  # told to stop, it does not wait for the event log either
            await running
        await event_log.close()
        await objects.close()


async def expect_claimed(queue: JobQueue, log: EventLog) -> None:
    """One chunk after the other is queued; each is claimed within its lease, though every other announcement is lost."""
    for number in range(CHUNKS):
        job_id = secrets.token_hex(32)
        await queue.enqueue([NewJob(job_id, "m_hinted", 1, b"no chunk")])
        # At the same time: announcing may wait for a log that is away.
        async with asyncio.timeout(LEASE_SECONDS), asyncio.TaskGroup() as tasks:
            announcing = tasks.create_task(announce(log) if number % 2 else asyncio.sleep(0))
            while (await queue.statuses([job_id]))[0].state == "queued":  # noqa: ASYNC110 - a row makes no event
                await asyncio.sleep(0.02)
            announcing.cancel()


async def announce(log: EventLog) -> None:
    with contextlib.suppress(StoreUnavailable):  # as the stage that queues chunks does
        await log.publish(CHUNK_JOBS, "m_hinted", b"{}")


@asynccontextmanager
async def quiet(_: EventLog) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def slow_consumer(log: EventLog) -> AsyncIterator[None]:
    """A group's only member that holds every hint it is given and acknowledges none."""
    consumer = await log.subscribe(CHUNK_JOBS, f"slow-{secrets.token_hex(4)}")
    holding = asyncio.create_task(_hold(consumer.poll))
    yield
    await ended(holding)
    await consumer.close()


async def ended(*tasks: asyncio.Task[None]) -> None:
    """Cancelled until it is so: Python 3.11's wait_for, which Valkey's client uses, now and then swallows a cancellation."""
    while waiting := [task for task in tasks if not task.done()]:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=0.2)


async def _hold(poll: Callable[[], Awaitable[object]]) -> None:
    while True:
        await poll()


@asynccontextmanager
async def rebalances(log: EventLog) -> AsyncIterator[None]:
    """A group whose streams change hands all the time, with hints in hand."""
    group = f"restless-{secrets.token_hex(4)}"

    async def come_and_go() -> None:
        while True:
            consumer = await log.subscribe(CHUNK_JOBS, group)
            try:
                await consumer.poll(timeout_seconds=0.3)
            finally:
                await consumer.close()

    restless = [asyncio.create_task(come_and_go()) for _ in range(2)]
    yield
    await ended(*restless)


@pytest.mark.parametrize("disturbance", [quiet, slow_consumer, rebalances])
async def test_nothing_on_the_event_log_delays_a_chunk_past_its_lease(
    url: str, queue: JobQueue, settings: Settings, tmp_path: Path, disturbance: Disturbance
) -> None:
    own = settings.model_copy(update={"state": tmp_path, "lease_seconds": LEASE_SECONDS})
    log = open_event_log(url)
    async with working(own, queue, url), disturbance(log):
        await expect_claimed(queue, log)
    await log.close()


@pytest.mark.parametrize(
    ("program", "url_of"),
    [
        pytest.param(local_engines.valkey_log, lambda settings: settings.event_log, id="valkey"),
        pytest.param(
            functools.partial(program_of, KAFKA),
            lambda settings: KAFKA.urls(home_of(KAFKA, settings))["MARQUEE_EVENT_LOG_URL"],
            id="kafka",
            marks=KAFKAS_WORKER,
        ),
    ],
)
async def test_an_event_log_that_is_gone_delays_no_chunk_past_its_lease(
    queue: JobQueue,
    settings: Settings,
    tmp_path: Path,
    program: Callable[[Settings], Program],
    url_of: Callable[[Settings], str],
) -> None:
    own = settings.model_copy(update={"state": tmp_path / "worker", "lease_seconds": LEASE_SECONDS})
    async with RestartingServer(program, tmp_path) as server:
        url = url_of(server.settings)
        log = open_event_log(url)
        async with working(own, queue, url):
            await expect_claimed(queue, log)
            server.kill()
            await expect_claimed(queue, log)
        await log.close()
