"""The job queue in PostgreSQL: the tables `job` and `job_waiter` (which title versions wait for a job).

A claim is one statement (`turns.py`). It takes the job whose turn it is and that no other claim has locked (FOR UPDATE SKIP
LOCKED): claims do not wait for each other and never share a job. Every claim raises the row's `token`, and each statement of a
lease's holder tests that number. With PostgreSQL down, a call raises `StoreUnavailable` after some seconds: workers go on, and
another worker may claim a job whose lease was not renewed in time.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.domain.priority import BACKFILL, RELEASE, Priority
from marquee.errors import LeaseLost
from marquee.stores.connections.postgres import Database, Parameters
from marquee.stores.connections.postgres_methods import in_transaction
from marquee.stores.job_queue.contract import JobStatus, Lease, NewJob
from marquee.stores.job_queue.postgres.turns import CLAIM

PRIORITIES: Final[dict[Priority, int]] = {RELEASE: 0, BACKFILL: 1}
MAX_ERROR_CHARACTERS: Final = 8000

_BATCH = """
    unnest(CAST(:job_ids AS text[]), CAST(:movie_ids AS text[]), CAST(:versions AS int[]),
           CAST(:payloads AS bytea[]), CAST(:priorities AS smallint[]))
        WITH ORDINALITY AS batch (job_id, movie_id, version, payload, priority, place)
"""
_AFRESH = """
    state = 'queued', attempts = 0, progress = 0, error = NULL, result = NULL, worker = NULL, leased_until = NULL,
    position = nextval(pg_get_serial_sequence('job', 'position')), changed_at = now()
"""

_ADD = text(
    f"""
    INSERT INTO job (job_id, movie_id, version, payload, priority, state, max_attempts)
    SELECT job_id, movie_id, version, payload, priority, 'queued', :max_attempts FROM {_BATCH} ORDER BY place
    ON CONFLICT (job_id) DO NOTHING RETURNING job_id
    """  # noqa: S608 - no value is formatted in
)
# Locked until the waiters are written: a concurrent cancel of another version comes before this or sees the waiters.
_LOCK = text("SELECT job_id FROM job WHERE job_id = ANY(:job_ids) ORDER BY job_id FOR UPDATE")
_QUEUE_AGAIN = text(
    f"""
    UPDATE job SET {_AFRESH}, claimed = NULL, movie_id = batch.movie_id, version = batch.version, payload = batch.payload,
                   priority = batch.priority, max_attempts = :max_attempts
    FROM {_BATCH} WHERE job.job_id = batch.job_id AND state IN ('failed', 'cancelled') RETURNING job.job_id
    """  # noqa: S608
)
_LIFT = text(
    f"""
    UPDATE job SET priority = batch.priority FROM {_BATCH}
    WHERE job.job_id = batch.job_id AND state IN ('queued', 'leased') AND batch.priority < job.priority
    """  # noqa: S608
)
_WAIT = text(
    f"""
    INSERT INTO job_waiter (job_id, movie_id, version) SELECT job_id, movie_id, version FROM {_BATCH}
    ON CONFLICT DO NOTHING
    """  # noqa: S608
)

_HELD = "job_id = :job_id AND token = :token AND state = 'leased'"
_EXTEND = text(
    f"""
    UPDATE job SET leased_until = now() + CAST(:lease_seconds AS float8) * interval '1 second',
                   progress = greatest(progress, CAST(:progress AS float8)), changed_at = now()
    WHERE {_HELD} RETURNING job_id
    """  # noqa: S608
)
# The same completion again succeeds: the first one's answer may have been lost.
_COMPLETE = text(
    f"""
    UPDATE job SET state = 'done', result = :result, progress = 1, error = NULL, leased_until = NULL, changed_at = now()
    WHERE {_HELD} OR (job_id = :job_id AND token = :token AND state = 'done' AND result = :result) RETURNING job_id
    """  # noqa: S608
)
_FAIL = text(
    f"""
    UPDATE job SET state = CASE WHEN CAST(:retry AS boolean) AND attempts < max_attempts THEN 'queued' ELSE 'failed' END,
                   error = :error, leased_until = NULL, changed_at = now()
    WHERE {_HELD} RETURNING job_id
    """  # noqa: S608
)
_RELEASE = text(
    f"""
    UPDATE job SET state = 'queued', attempts = attempts - 1, progress = 0, worker = NULL, leased_until = NULL,
                   changed_at = now()
    WHERE {_HELD} RETURNING job_id
    """  # noqa: S608
)

_LOCK_AWAITED = text(
    """
    SELECT job_id FROM job
    WHERE job_id IN (SELECT job_id FROM job_waiter WHERE movie_id = :movie_id AND version = :version)
      AND (CAST(:job_ids AS text[]) IS NULL OR job_id = ANY(:job_ids))
    ORDER BY job_id FOR UPDATE
    """
)
_LEAVE = text(
    """
    DELETE FROM job_waiter WHERE movie_id = :movie_id AND version = :version
      AND (CAST(:job_ids AS text[]) IS NULL OR job_id = ANY(:job_ids))
    """
)
_CANCEL = text(
    """
    UPDATE job SET state = 'cancelled', leased_until = NULL, changed_at = now()
    WHERE job_id = ANY(:job_ids) AND state IN ('queued', 'leased')
      AND NOT EXISTS (SELECT FROM job_waiter WHERE job_waiter.job_id = job.job_id)
    RETURNING job_id
    """
)
_REQUEUE = text(
    f"UPDATE job SET {_AFRESH} WHERE job_id = ANY(:job_ids) AND state = 'done' RETURNING job_id"  # noqa: S608
)
_WAITING_VERSIONS = text("SELECT DISTINCT movie_id, version FROM job_waiter ORDER BY movie_id, version")
_IS_UNREFERENCED = """
    state IN ('done', 'failed', 'cancelled')
    AND NOT EXISTS (SELECT FROM job_waiter WHERE job_waiter.job_id = job.job_id)
"""
_UNREFERENCED = text(
    f"""
    SELECT job_id FROM job WHERE {_IS_UNREFERENCED}
      AND changed_at <= now() - CAST(:older_than_seconds AS float8) * interval '1 second'
    ORDER BY changed_at LIMIT :limit
    """  # noqa: S608
)
_LOCK_ONE = text("SELECT job_id FROM job WHERE job_id = :job_id FOR UPDATE")
_DELETE_UNREFERENCED = text(f"DELETE FROM job WHERE job_id = :job_id AND {_IS_UNREFERENCED} RETURNING job_id")  # noqa: S608
_STATUSES = text(
    """
    SELECT job_id, movie_id, version, state, attempts, progress, worker, result, error
    FROM unnest(CAST(:job_ids AS text[])) WITH ORDINALITY AS wanted (job_id, place) JOIN job USING (job_id)
    ORDER BY place
    """
)
_COUNT_BY_STATE = text("SELECT state, count(*) AS jobs FROM job GROUP BY state")


class PostgresJobQueue:
    """`attempts`: how many attempts a job has that is queued here."""

    def __init__(self, url: str, *, attempts: int) -> None:
        self.database = Database(url)
        self._attempts = attempts

    async def enqueue(self, jobs: Sequence[NewJob]) -> int:
        if not jobs:
            return 0
        ids = [job.job_id for job in jobs]
        batch = {
            "job_ids": ids,
            "movie_ids": [job.movie_id for job in jobs],
            "versions": [job.version for job in jobs],
            "payloads": [job.payload for job in jobs],
            "priorities": [PRIORITIES[job.priority] for job in jobs],
        }

        async def work(connection: AsyncConnection) -> int:
            added, held = 0, set[str]()
            while not held.issuperset(ids):
                # A job that existed at _ADD may be deleted before _LOCK: then the next round adds it.
                added += len((await connection.execute(_ADD, {**batch, "max_attempts": self._attempts})).all())
                held.update((await connection.execute(_LOCK, {"job_ids": ids})).scalars())
            again = await connection.execute(_QUEUE_AGAIN, {**batch, "max_attempts": self._attempts})
            await connection.execute(_LIFT, batch)
            await connection.execute(_WAIT, batch)
            return added + len(again.all())

        return await self.database.transaction_of(work)

    async def claim(self, worker: str, *, lease_seconds: float) -> Lease | None:
        # A repeat after a lost answer may lease a second job. The first lease then ends by itself.
        rows = await self.database.statement(CLAIM, {"worker": worker, "lease_seconds": lease_seconds})
        return Lease(**rows[0]) if rows else None

    async def extend(self, lease: Lease, *, lease_seconds: float, progress: float) -> None:
        await self._held(_EXTEND, lease, {"lease_seconds": lease_seconds, "progress": progress})

    async def complete(self, lease: Lease, result: bytes) -> None:
        await self._held(_COMPLETE, lease, {"result": result})

    async def fail(self, lease: Lease, error: str, *, retry: bool) -> None:
        # An encoder's output may hold any bytes; PostgreSQL's text holds no NUL.
        words = error.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
        await self._held(_FAIL, lease, {"error": words[-MAX_ERROR_CHARACTERS:], "retry": retry})

    async def release(self, lease: Lease) -> None:
        await self._held(_RELEASE, lease, {})

    @in_transaction
    async def cancel(
        self, connection: AsyncConnection, movie_id: str, version: int, *, job_ids: Sequence[str] | None = None
    ) -> int:
        key = {"movie_id": movie_id, "version": version, "job_ids": None if job_ids is None else list(job_ids)}
        awaited = (await connection.execute(_LOCK_AWAITED, key)).scalars().all()
        await connection.execute(_LEAVE, key)
        return len((await connection.execute(_CANCEL, {"job_ids": awaited})).all())

    async def requeue(self, job_ids: Sequence[str]) -> int:
        return len(await self.database.statement(_REQUEUE, {"job_ids": list(job_ids)}))

    async def waiting_versions(self) -> Sequence[tuple[str, int]]:
        return [(row["movie_id"], row["version"]) for row in await self.database.statement(_WAITING_VERSIONS, {})]

    async def unreferenced_jobs(self, *, older_than_seconds: float, limit: int) -> Sequence[str]:
        found = await self.database.statement(_UNREFERENCED, {"older_than_seconds": older_than_seconds, "limit": limit})
        return [row["job_id"] for row in found]

    @in_transaction
    async def delete_unreferenced(self, connection: AsyncConnection, job_id: str) -> bool:
        # Locked first: the second statement then sees the waiter of a concurrent `enqueue`.
        await connection.execute(_LOCK_ONE, {"job_id": job_id})
        return (await connection.execute(_DELETE_UNREFERENCED, {"job_id": job_id})).scalar_one_or_none() is not None

    async def statuses(self, job_ids: Sequence[str]) -> Sequence[JobStatus]:
        rows = await self.database.statement(_STATUSES, {"job_ids": list(job_ids)})
        return [JobStatus(**row) for row in rows]

    async def count_by_state(self) -> dict[str, int]:
        return {row["state"]: row["jobs"] for row in await self.database.statement(_COUNT_BY_STATE, {})}

    async def ping(self) -> None:
        await self.database.ping()

    async def close(self) -> None:
        await self.database.close()

    async def _held(self, sql: TextClause, lease: Lease, parameters: Parameters) -> None:
        rows = await self.database.statement(sql, {"job_id": lease.job_id, "token": lease.token, **parameters})
        if not rows:
            raise LeaseLost(
                f"The lease {lease.token} of job {lease.job_id} has ended: another worker may have the job."
            )
