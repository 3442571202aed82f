"""The job queue's contract: chunk jobs with leases, attempts, priorities and fencing tokens.

The queue is the truth; a message on the event log is only a hint to claim. A lease ends by itself, so that a worker killed
with SIGKILL costs only its chunk; each claim raises the job's fencing token, and a holder of an older token changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

JobState = Literal["queued", "leased", "done", "failed", "cancelled"]
Priority = Literal["release", "backfill"]


@dataclass(frozen=True)
class NewJob:
    """`job_id` is the content address: queueing it again adds nothing and returns what is known of it."""

    job_id: str
    movie_id: str
    version: int
    payload: bytes
    priority: Priority = "release"


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
        """Add what is not there; a failed or cancelled job is queued afresh. Returns how many were newly queued.

        The title version waits for the job from now on, also where another one queued it; a release lifts a waiting backfill.
        """
        ...

    async def claim(self, worker: str, *, lease_seconds: float) -> Lease | None:
        """Take the oldest job of the highest priority that is queued or whose lease ended; None when there is none.

        A job whose lease ended after its last attempt is failed instead, with a reason.
        """
        ...

    async def extend(self, lease: Lease, *, lease_seconds: float, progress: float) -> None:
        """Renew. Raises `LeaseLost` when the token is no longer the newest or the job was cancelled."""
        ...

    async def complete(self, lease: Lease, result: bytes) -> None:
        """Done, after the result is stored and verified. Raises `LeaseLost`."""
        ...

    async def fail(self, lease: Lease, error: str, *, retry: bool) -> None:
        """Give it back (while attempts are left and `retry`), else fail it for good. Raises `LeaseLost`."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give it back untouched, its attempt not counted: a worker that stops. Raises `LeaseLost`."""
        ...

    async def cancel(self, movie_id: str, version: int) -> int:
        """Cancel a title version's jobs that no other version waits for; returns how many."""
        ...

    async def requeue(self, job_ids: Sequence[str]) -> int:
        """Queue done jobs afresh, because their results are gone from the object store; returns how many."""
        ...

    async def waiting_versions(self) -> Sequence[tuple[str, int]]:
        """The title versions (movie_id, version) that wait for a job, those whose jobs are done too."""
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
        """What is known of these, in the order given; unknown ones are left out."""
        ...

    async def count_by_state(self) -> dict[str, int]:
        """How many jobs are in each state."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
