"""Titles of one priority share the workers: whose chunk is claimed next, as properties over any order of arrivals and claims."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marquee.domain.ids import new_movie_id
from marquee.stores.job_queue import open_job_queue
from marquee.stores.job_queue.contract import JobQueue, Lease
from tests.harness.job_queue.steps import LEASE, abandoned, claimed, jobs_of


async def test_a_short_title_starts_after_one_chunk_of_the_long_one_before_it(queue: JobQueue) -> None:
    long, short = jobs_of(new_movie_id(), 17), jobs_of(new_movie_id(), 1)
    await queue.enqueue(long)
    first = await claimed(queue)
    await queue.enqueue(short)
    await queue.complete(first, b"")
    before = 0
    while (lease := await claimed(queue)).job_id != short[0].job_id:
        await queue.complete(lease, b"")
        before += 1
    assert before <= 1, f"one worker did {before} chunks of the long title first"


async def test_claims_at_the_same_time_take_chunks_of_every_title(queue: JobQueue) -> None:
    titles = [jobs_of(new_movie_id(), 12) for _ in range(4)]
    for jobs in titles:
        await queue.enqueue(jobs)
    title_of = {job.job_id: job.movie_id for jobs in titles for job in jobs}
    leases = await asyncio.gather(*(queue.claim(f"worker {number}", lease_seconds=LEASE) for number in range(12)))
    held = Counter(title_of[lease.job_id] for lease in leases if lease is not None)
    assert held == {jobs[0].movie_id: 3 for jobs in titles}, "twelve claims at once did not share four titles evenly"


async def test_a_title_whose_workers_vanished_holds_nothing(queue: JobQueue) -> None:
    dead, alive = jobs_of(new_movie_id(), 2), jobs_of(new_movie_id(), 2)
    await queue.enqueue(dead)
    await abandoned(queue)
    await abandoned(queue)
    await queue.enqueue(alive)
    assert (await claimed(queue)).job_id in {job.job_id for job in dead}, "a lease that ended counted as a worker"


async def test_a_job_queued_again_for_another_title_does_not_bring_the_first_ones_turn(queue: JobQueue) -> None:
    (job,) = jobs_of(new_movie_id())
    await queue.enqueue([job])
    await queue.fail(await claimed(queue), "poison", retry=False)
    other = jobs_of(new_movie_id())
    again = [type(job)(job.job_id, new_movie_id(), 1, job.payload)]
    await queue.enqueue(again)
    await queue.enqueue(other)
    assert [(await claimed(queue)).job_id for _ in range(2)] == [job.job_id, other[0].job_id]


class Titles:
    """What one worker pool sees of the queue, counted beside it: waiting and leased chunks of each title."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self.priority: dict[str, str] = {}
        self.waiting: Counter[str] = Counter()
        self.leases: list[tuple[str, Lease]] = []
        self._title_of: dict[str, str] = {}

    async def arrive(self, chunks: int, *, backfill: bool) -> None:
        movie_id = new_movie_id()
        jobs = jobs_of(movie_id, chunks, priority="backfill" if backfill else "release")
        await self._queue.enqueue(jobs)
        self._title_of |= {job.job_id: movie_id for job in jobs}
        self.priority[movie_id] = jobs[0].priority
        self.waiting[movie_id] += chunks

    def held(self) -> Counter[str]:
        return Counter(movie_id for movie_id, _ in self.leases)

    async def claim(self) -> None:
        lease = await self._queue.claim("worker", lease_seconds=LEASE)
        if lease is None:
            assert not +self.waiting, f"a worker found nothing while chunks waited: {+self.waiting}"
            return
        taken = self._title_of[lease.job_id]
        held = self.held()
        for movie_id in +self.waiting:
            if self.priority[movie_id] == "release":
                assert self.priority[taken] == "release", "a backfill went before a release"
            if self.priority[movie_id] == self.priority[taken]:
                assert held[taken] <= held[movie_id], "a title with more workers than a waiting one got another"
        self.waiting[taken] -= 1
        self.leases.append((taken, lease))

    async def finish(self, place: int) -> None:
        _, lease = self.leases.pop(place % len(self.leases))
        await self._queue.complete(lease, b"")


@asynccontextmanager
async def emptied(url: str) -> AsyncIterator[Titles]:
    """The queue with no job that can be claimed: those of the example before are cancelled."""
    queue = open_job_queue(url)
    try:
        for movie_id, version in await queue.waiting_versions():
            await queue.cancel(movie_id, version)
        yield Titles(queue)
    finally:
        await queue.close()


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), st.integers(1, 9), st.booleans()),
        st.tuples(st.just("claim"), st.just(0), st.just(False)),
        st.tuples(st.just("finish"), st.integers(0, 9), st.just(False)),
    ),
    max_size=40,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
def test_no_title_gets_a_worker_while_another_with_fewer_waits(url: str, events: list[tuple[str, int, bool]]) -> None:
    async def play() -> None:
        async with emptied(url) as titles:
            for name, number, backfill in events:
                match name:
                    case "arrive":
                        await titles.arrive(number, backfill=backfill)
                    case "claim":
                        await titles.claim()
                    case "finish" if titles.leases:
                        await titles.finish(number)

    asyncio.run(play())


@pytest.mark.parametrize("workers", [1, 3])
async def test_no_title_starves_while_new_ones_arrive(url: str, workers: int) -> None:
    """Each claim is followed by a new title of one chunk: the long title's six chunks still start, each after a few claims."""
    async with emptied(url) as titles:
        await titles.arrive(6, backfill=False)
        (long,) = titles.waiting
        for _ in range(workers):
            await titles.arrive(1, backfill=False)
        for _ in range(6 * (2 * workers + 2)):
            await titles.claim()
            await titles.arrive(1, backfill=False)
            if len(titles.leases) >= workers:
                await titles.finish(0)
        assert titles.waiting[long] == 0, "titles that came later were served first, again and again"
