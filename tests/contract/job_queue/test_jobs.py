"""Jobs: which job is claimed first, what happens only once, and jobs that several titles wait for."""

import asyncio

import pytest

from marquee.domain.ids import new_movie_id
from marquee.errors import LeaseLost
from marquee.stores.job_queue.contract import JobQueue, JobStatus, NewJob
from tests.harness.job_queue.steps import LEASE, claimed, jobs_of, states, status


async def test_a_job_goes_from_queued_to_done(queue: JobQueue) -> None:
    (job,) = jobs_of(new_movie_id())
    assert await queue.enqueue([job]) == 1
    lease = await claimed(queue)
    assert (lease.job_id, lease.attempt, lease.payload) == (job.job_id, 1, job.payload)
    assert await queue.claim("another", lease_seconds=LEASE) is None, "a leased job was given away"
    await queue.extend(lease, lease_seconds=LEASE, progress=0.5)
    await queue.extend(lease, lease_seconds=LEASE, progress=0.25)
    assert (await status(queue, job.job_id)).progress == 0.5, "progress went back"
    await queue.complete(lease, b"result")
    assert await status(queue, job.job_id) == JobStatus(
        job.job_id, job.movie_id, 1, "done", 1, 1.0, "worker", b"result", None
    )
    assert await queue.claim("another", lease_seconds=LEASE) is None


async def test_releases_come_before_backfills_and_each_in_its_order(queue: JobQueue) -> None:
    backfill = jobs_of(new_movie_id(), 2, priority="backfill")
    release = jobs_of(new_movie_id(), 3)
    await queue.enqueue(backfill)
    await queue.enqueue(release)
    order = [(await claimed(queue)).job_id for _ in range(5)]
    assert order == [job.job_id for job in release + backfill]


async def test_a_release_lifts_a_job_that_a_backfill_queued(queue: JobQueue) -> None:
    backfill = jobs_of(new_movie_id(), 2, priority="backfill")
    await queue.enqueue(backfill)
    wanted = backfill[1]
    again = NewJob(wanted.job_id, new_movie_id(), 1, wanted.payload, "release")
    assert await queue.enqueue([again]) == 0
    assert (await claimed(queue)).job_id == wanted.job_id
    await queue.enqueue([NewJob(wanted.job_id, new_movie_id(), 1, wanted.payload, "backfill")])
    assert await states(queue, backfill) == ["queued", "leased"]


async def test_twenty_claimers_never_share_a_job(queue: JobQueue) -> None:
    jobs = jobs_of(new_movie_id(), 120)
    await queue.enqueue(jobs)
    taken: list[str] = []

    async def work(number: int) -> None:
        while (lease := await queue.claim(f"worker {number}", lease_seconds=LEASE)) is not None:
            taken.append(lease.job_id)
            await queue.complete(lease, b"")

    await asyncio.gather(*(work(number) for number in range(20)))
    assert sorted(taken) == sorted(job.job_id for job in jobs), "a job was done twice, or never"
    assert await queue.count_by_state() == {"done": 120}


async def test_what_is_done_is_not_done_again(queue: JobQueue) -> None:
    (job,) = jobs_of(new_movie_id())
    await queue.enqueue([job, job])
    await queue.complete(await claimed(queue), b"result")
    other = NewJob(job.job_id, new_movie_id(), 1, job.payload)
    assert await queue.enqueue([other]) == 0
    assert (await status(queue, job.job_id)).result == b"result"
    assert await queue.claim("worker", lease_seconds=LEASE) is None


async def test_a_result_that_is_gone_is_made_again(queue: JobQueue) -> None:
    done, waiting = jobs_of(new_movie_id(), 2)
    await queue.enqueue([done, waiting])
    await queue.complete(await claimed(queue), b"result")
    assert await queue.requeue([done.job_id, waiting.job_id, "unknown"]) == 1
    found = await status(queue, done.job_id)
    assert (found.state, found.result, found.progress, found.attempts) == ("queued", None, 0.0, 0)
    assert (await claimed(queue)).job_id == waiting.job_id, "the job made again goes to the end"
    lease = await claimed(queue)
    assert (lease.job_id, lease.attempt) == (done.job_id, 1)


async def test_cancelling_takes_only_what_nobody_else_waits_for(queue: JobQueue) -> None:
    movie_id = new_movie_id()
    queued, leased, done, shared = jobs_of(movie_id, 4)
    await queue.enqueue([done, leased, queued, shared])
    await queue.complete(await claimed(queue), b"result")
    lease = await claimed(queue)
    other = new_movie_id()
    await queue.enqueue([NewJob(shared.job_id, other, 7, shared.payload)])
    assert await queue.cancel(movie_id, 1) == 2
    assert await states(queue, [queued, leased, done, shared]) == ["cancelled", "cancelled", "done", "queued"]
    with pytest.raises(LeaseLost):
        await queue.extend(lease, lease_seconds=LEASE, progress=0.5)
    with pytest.raises(LeaseLost):
        await queue.complete(lease, b"of a cancelled job")
    assert await queue.cancel(movie_id, 1) == 0
    assert await queue.cancel(other, 7) == 1
    assert await queue.enqueue([queued]) == 1, "a cancelled job is queued afresh"
    assert await states(queue, [queued]) == ["queued"]


async def test_cancelling_some_jobs_leaves_the_versions_waiting_for_the_others(queue: JobQueue) -> None:
    movie_id = new_movie_id()
    done, leased, bad, worse = jobs_of(movie_id, 4)
    await queue.enqueue([done, leased, bad, worse])
    await queue.complete(await claimed(queue), b"result")
    lease = await claimed(queue)
    await queue.fail(await claimed(queue), "poison", retry=False)
    assert await queue.cancel(movie_id, 1, job_ids=[]) == 0
    assert await queue.cancel(movie_id, 1, job_ids=[bad.job_id, worse.job_id]) == 1
    assert await states(queue, [done, leased, bad, worse]) == ["done", "leased", "failed", "cancelled"]
    await queue.complete(lease, b"result")
    unreferenced = await queue.unreferenced_jobs(older_than_seconds=0.0, limit=10)
    assert set(unreferenced) == {bad.job_id, worse.job_id}, "a result that the version waits for may be swept"
    assert await queue.waiting_versions() == [(movie_id, 1)]


async def test_cancelling_and_queueing_at_once_never_lose_a_waiters_job(queue: JobQueue) -> None:
    first, second = new_movie_id(), new_movie_id()
    jobs = jobs_of(first, 20)
    again = [NewJob(job.job_id, second, 1, job.payload) for job in reversed(jobs)]
    await queue.enqueue(jobs)
    for _ in range(10):
        await asyncio.gather(queue.cancel(first, 1), queue.enqueue(again))
        assert set(await states(queue, jobs)) == {"queued"}, "the second title waits for a cancelled job"
        await asyncio.gather(queue.enqueue(jobs), queue.cancel(second, 1))
        assert set(await states(queue, jobs)) == {"queued"}, "the first title waits for a cancelled job"


async def test_statuses_come_in_the_order_asked_and_leave_out_what_is_unknown(queue: JobQueue) -> None:
    jobs = jobs_of(new_movie_id(), 3)
    await queue.enqueue(jobs)
    asked = [jobs[2].job_id, "unknown", jobs[0].job_id]
    assert [found.job_id for found in await queue.statuses(asked)] == [jobs[2].job_id, jobs[0].job_id]
    assert await queue.enqueue([]) == 0


async def test_depth_counts_by_state(queue: JobQueue) -> None:
    assert await queue.count_by_state() == {}
    await queue.enqueue(jobs_of(new_movie_id(), 3))
    await claimed(queue)
    assert await queue.count_by_state() == {"queued": 2, "leased": 1}
    await queue.ping()


async def test_what_no_version_waits_for_is_unreferenced_and_may_be_deleted(queue: JobQueue) -> None:
    first, second = new_movie_id(), new_movie_id()
    done, failed, shared, queued = jobs = jobs_of(first, 4)
    await queue.enqueue(jobs)
    await queue.complete(await claimed(queue), b"result")
    await queue.fail(await claimed(queue), "poison", retry=False)
    await queue.complete(await claimed(queue), b"result")
    await queue.enqueue([NewJob(shared.job_id, second, 3, shared.payload)])
    assert await queue.waiting_versions() == sorted([(first, 1), (second, 3)])
    assert await queue.unreferenced_jobs(older_than_seconds=0, limit=10) == []
    assert not await queue.delete_unreferenced(done.job_id), "a version waits for it"

    await queue.cancel(first, 1)
    assert await queue.waiting_versions() == [(second, 3)]
    assert await queue.unreferenced_jobs(older_than_seconds=3600, limit=10) == [], "nothing ended an hour ago"
    ended = {done.job_id, failed.job_id, queued.job_id}
    assert set(await queue.unreferenced_jobs(older_than_seconds=0, limit=10)) == ended, "the shared one is waited for"
    assert set(await queue.unreferenced_jobs(older_than_seconds=0, limit=2)) < ended
    assert [await queue.delete_unreferenced(job_id) for job_id in (done.job_id, done.job_id, shared.job_id)] == [
        True,
        False,
        False,
    ]
    assert await queue.enqueue([done]) == 1, "a forgotten job is queued as one that was never known"
    assert await states(queue, [done]) == ["queued"]


async def test_forgetting_and_queueing_at_once_never_lose_a_waiters_job(queue: JobQueue) -> None:
    jobs = jobs_of(new_movie_id(), 20)
    await queue.enqueue(jobs)
    for _ in jobs:
        await queue.complete(await claimed(queue), b"result")
    for round_ in range(5):
        await queue.cancel(jobs[0].movie_id, 1)
        copy = [NewJob(job.job_id, new_movie_id(), round_, job.payload) for job in reversed(jobs)]
        forgotten, _ = await asyncio.gather(
            asyncio.gather(*(queue.delete_unreferenced(job.job_id) for job in jobs)), queue.enqueue(copy)
        )
        for job, gone in zip(jobs, forgotten, strict=True):
            (found,) = await queue.statuses([job.job_id])
            assert found.state == ("queued" if gone else "done"), "a version waits for a job that is not known any more"
        for _ in range(sum(forgotten)):
            await queue.complete(await claimed(queue), b"result")
        for one in copy:
            await queue.cancel(one.movie_id, one.version)
        await queue.enqueue(jobs)
