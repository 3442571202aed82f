"""Steps of the job queue's tests: jobs to queue, claims that must succeed, workers that vanish, and the jobs' states."""

import secrets
from collections.abc import Sequence

from marquee.stores.job_queue.contract import JobQueue, JobState, JobStatus, Lease, NewJob, Priority

ATTEMPTS = 2
LEASE = 30.0
OVER = -1.0
"""Seconds of a lease that is over when it is given."""


def jobs_of(movie_id: str, count: int = 1, *, version: int = 1, priority: Priority = "release") -> list[NewJob]:
    return [
        NewJob(secrets.token_hex(32), movie_id, version, f"payload {place}".encode(), priority)
        for place in range(count)
    ]


async def claimed(queue: JobQueue, *, lease_seconds: float = LEASE, worker: str = "worker") -> Lease:
    lease = await queue.claim(worker, lease_seconds=lease_seconds)
    assert lease is not None, "there was nothing to claim"
    return lease


async def abandoned(queue: JobQueue) -> Lease:
    """Claim a job as a worker that then vanishes. Returns its lease."""
    return await claimed(queue, lease_seconds=OVER, worker="gone")


async def status(queue: JobQueue, job_id: str) -> JobStatus:
    (found,) = await queue.statuses([job_id])
    return found


async def states(queue: JobQueue, jobs: Sequence[NewJob]) -> list[JobState]:
    return [found.state for found in await queue.statuses([job.job_id for job in jobs])]
