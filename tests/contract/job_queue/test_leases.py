"""Leases: an old fencing token can change nothing, each claim counts as an attempt, and the last failed attempt fails the job."""

import pytest

from marquee.domain.ids import new_movie_id
from marquee.errors import LeaseLost
from marquee.stores.job_queue.contract import JobQueue, NewJob
from tests.harness.job_queue.steps import ATTEMPTS, LEASE, abandoned, claimed, jobs_of, states, status


async def test_a_lease_that_ended_is_taken_over_and_its_holder_changes_nothing(queue: JobQueue) -> None:
    (job,) = jobs_of(new_movie_id())
    await queue.enqueue([job])
    first = await abandoned(queue)
    second = await claimed(queue, worker="second")
    assert (second.job_id, second.attempt) == (job.job_id, 2)
    assert second.token > first.token
    before = await status(queue, job.job_id)
    for change in (
        queue.extend(first, lease_seconds=LEASE, progress=0.9),
        queue.complete(first, b"of the fenced-off worker"),
        queue.fail(first, "of the fenced-off worker", retry=False),
        queue.release(first),
    ):
        with pytest.raises(LeaseLost):
            await change
    assert await status(queue, job.job_id) == before
    await queue.complete(second, b"result")
    with pytest.raises(LeaseLost):
        await queue.complete(first, b"of the fenced-off worker")
    assert (await status(queue, job.job_id)).result == b"result"


async def test_a_holder_that_was_late_goes_on_if_nobody_took_over(queue: JobQueue) -> None:
    (job,) = jobs_of(new_movie_id())
    await queue.enqueue([job])
    lease = await abandoned(queue)
    await queue.extend(lease, lease_seconds=LEASE, progress=0.5)
    assert await queue.claim("another", lease_seconds=LEASE) is None
    await queue.complete(lease, b"result")


async def test_a_completion_whose_answer_was_lost_may_be_sent_again(queue: JobQueue) -> None:
    await queue.enqueue(jobs_of(new_movie_id()))
    lease = await claimed(queue)
    await queue.complete(lease, b"result")
    await queue.complete(lease, b"result")
    with pytest.raises(LeaseLost):
        await queue.complete(lease, b"another result")
    with pytest.raises(LeaseLost):
        await queue.fail(lease, "after it was done", retry=True)


async def test_a_job_fails_after_its_last_attempt_in_the_encoders_words(queue: JobQueue) -> None:
    (job,) = jobs_of(new_movie_id())
    await queue.enqueue([job])
    await queue.fail(await claimed(queue), "first words", retry=True)
    assert await states(queue, [job]) == ["queued"]
    await queue.fail(await claimed(queue), "last words \x00 \ud800", retry=True)
    found = await status(queue, job.job_id)
    assert (found.state, found.attempts) == ("failed", ATTEMPTS)
    assert found.error is not None
    assert found.error.startswith("last words")
    assert await queue.claim("worker", lease_seconds=LEASE) is None


async def test_a_hopeless_job_fails_at_once(queue: JobQueue) -> None:
    (job,) = jobs_of(new_movie_id())
    await queue.enqueue([job])
    await queue.fail(await claimed(queue), "poison", retry=False)
    assert await states(queue, [job]) == ["failed"]


async def test_a_job_that_kills_its_workers_fails_with_words(queue: JobQueue) -> None:
    poison, good = jobs_of(new_movie_id(), 2)
    await queue.enqueue([poison, good])
    for _ in range(ATTEMPTS):
        assert (await abandoned(queue)).job_id == poison.job_id
    assert (await claimed(queue)).job_id == good.job_id, "a poison job held the next one up"
    found = await status(queue, poison.job_id)
    assert found.state == "failed"
    assert found.error is not None
    assert f"ended {ATTEMPTS} times" in found.error
    assert "gone" in found.error, "the error does not name the worker"


async def test_a_failed_job_may_be_queued_afresh(queue: JobQueue) -> None:
    (job,) = jobs_of(new_movie_id())
    await queue.enqueue([job])
    first = await claimed(queue)
    await queue.fail(first, "poison", retry=False)
    assert await queue.enqueue([NewJob(job.job_id, job.movie_id, 2, b"new payload", "backfill")]) == 1
    found = await status(queue, job.job_id)
    assert (found.state, found.attempts, found.error, found.version) == ("queued", 0, None, 2)
    again = await claimed(queue)
    assert (again.attempt, again.payload) == (1, b"new payload")
    assert again.token > first.token, "the fencing token went back"


async def test_a_job_given_back_untouched_has_lost_no_attempt(queue: JobQueue) -> None:
    (job,) = jobs_of(new_movie_id())
    await queue.enqueue([job])
    for _ in range(ATTEMPTS + 2):
        lease = await claimed(queue)
        assert lease.attempt == 1
        await queue.release(lease)
    assert await states(queue, [job]) == ["queued"]
