"""The job queue's contract: chunk jobs with leases, attempts, priorities and fencing tokens.

The queue decides who works on a chunk; a message on the event log is only a hint to claim. A lease ends by itself, so a worker
that is killed with SIGKILL costs only its chunk. Each claim raises the job's fencing token; a worker with an older token cannot
change the job any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from marquee.domain.priority import RELEASE, Priority

JobState = Literal["queued", "leased", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class NewJob:
    """`job_id` is the hash of everything that decides the result: the same job is queued once, whoever asks for it."""

    job_id: str
    movie_id: str
    version: int
    payload: bytes
    priority: Priority = RELEASE


@dataclass(frozen=True)
class Lease:
    job_id: str
    token: int
    attempt: int
    payload: bytes


@dataclass(frozen=True)
class JobStatus:
    job_id: str
    movie_id: str
    version: int
    state: JobState
    attempts: int
    progress: float
    """0 to 1."""
    worker: str | None
    result: bytes | None
    error: str | None


class JobQueue(Protocol):
    async def enqueue(self, jobs: Sequence[NewJob]) -> int:
        """Queue the jobs that are unknown, failed or cancelled. Returns how many that were.

        From now on the title version waits for each job, also for one that another version queued. A job that waits as a
        backfill gets the priority of a release.
        """
        ...

    async def claim(self, worker: str, *, lease_seconds: float) -> Lease | None:
        """Lease a job that is queued, or whose lease ended. None where there is none.

        The highest priority goes first. Titles of one priority share the workers: first the title with the fewest leases, of
        those the one that has waited longest since its last claim (or since it was queued, if that is later). Within a title
        the oldest job goes first. With one worker and n titles, at most n - 1 chunks of others start before a title's next one.

        A job whose lease ended in its last attempt is set to failed, with a reason.
        """
        ...

    async def extend(self, lease: Lease, *, lease_seconds: float, progress: float) -> None:
        """Renew the lease. Raises `LeaseLost` where the token is not the newest any more, or the job was cancelled."""
        ...

    async def complete(self, lease: Lease, result: bytes) -> None:
        """Set the job to done; its result is stored and verified before. Raises `LeaseLost`."""
        ...

    async def fail(self, lease: Lease, error: str, *, retry: bool) -> None:
        """Queue the job again where `retry` and attempts are left, else set it to failed. Raises `LeaseLost`."""
        ...

    async def release(self, lease: Lease) -> None:
        """Queue the job again without counting the attempt: its worker stops. Raises `LeaseLost`."""
        ...

    async def cancel(self, movie_id: str, version: int, *, job_ids: Sequence[str] | None = None) -> int:
        """End this version's waiting, and cancel its jobs that no other version waits for. Returns how many.

        With `job_ids`, only for these: the version goes on waiting for its other jobs, and the sweep keeps their results.
        """
        ...

    async def requeue(self, job_ids: Sequence[str]) -> int:
        """Queue those of these jobs that are done: their results are gone from the object store. Returns how many."""
        ...

    async def waiting_versions(self) -> Sequence[tuple[str, int]]:
        """The title versions (movie_id, version) that wait for a job, done jobs included."""
        ...

    async def unreferenced_jobs(self, *, older_than_seconds: float, limit: int) -> Sequence[str]:
        """Done, failed and cancelled jobs that no version waits for, unchanged for that long; the oldest first."""
        ...

    async def delete_unreferenced(self, job_id: str) -> bool:
        """Delete one of `unreferenced_jobs`; False where a version waits for it again, or it is gone.

        A job that is queued after that starts afresh.
        """
        ...

    async def statuses(self, job_ids: Sequence[str]) -> Sequence[JobStatus]:
        """In the order given; unknown jobs are left out."""
        ...

    async def count_by_state(self) -> dict[str, int]:
        """How many jobs are in each state."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
