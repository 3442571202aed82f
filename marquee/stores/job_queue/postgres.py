"""The job queue in PostgreSQL: `job`, and `job_waiter` (which title versions wait for it).

A claim is one statement: the first of (priority, position) that nobody has locked (FOR UPDATE SKIP LOCKED), so that claimers
neither wait for each other nor share a job. Every claim raises the row's `token`; what a holder may still change is decided
by that number inside its one statement. With PostgreSQL gone, `StoreUnavailable` after some seconds: workers go on, and a
lease that could not be renewed in time may become somebody else's.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.errors import LeaseLost
from marquee.stores.connections.postgres import Database, Parameters
from marquee.stores.job_queue.contract import JobStatus, Lease, NewJob, Priority

PRIORITIES: Final[dict[Priority, int]] = {"release": 0, "backfill": 1}
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
# Held until the waiters are written, so that a cancel of another version sees them or is seen.
_LOCK = text("SELECT job_id FROM job WHERE job_id = ANY(:job_ids) ORDER BY job_id FOR UPDATE")
_QUEUE_AGAIN = text(
    f"""
    UPDATE job SET {_AFRESH}, movie_id = batch.movie_id, version = batch.version, payload = batch.payload,
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

_CLAIM = text(
    """
    WITH spent AS (
        UPDATE job SET state = 'failed', leased_until = NULL, changed_at = now(), error = coalesce(error || E'\n', '')
            || format('The lease ended %s times without a result; the last worker was %s.', attempts, worker)
        WHERE job_id IN (
            SELECT job_id FROM job WHERE state = 'leased' AND leased_until < now() AND attempts >= max_attempts
            FOR UPDATE SKIP LOCKED
        )
    ), first AS (
        SELECT job_id FROM job
        WHERE state IN ('queued', 'leased')
          AND (state = 'queued' OR (leased_until < now() AND attempts < max_attempts))
        ORDER BY priority, position LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE job SET state = 'leased', token = token + 1, attempts = attempts + 1, worker = :worker, progress = 0,
                   leased_until = now() + CAST(:lease_seconds AS float8) * interval '1 second', changed_at = now()
    FROM first WHERE job.job_id = first.job_id
    RETURNING job.job_id, job.token, job.attempts AS attempt, job.payload
    """
)

_HELD = "job_id = :job_id AND token = :token AND state = 'leased'"
_EXTEND = text(
    f"""
    UPDATE job SET leased_until = now() + CAST(:lease_seconds AS float8) * interval '1 second',
                   progress = greatest(progress, CAST(:progress AS float8)), changed_at = now()
    WHERE {_HELD} RETURNING job_id
    """  # noqa: S608
)
# Also true of the same completion before: its answer may have been lost.
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
    ORDER BY job_id FOR UPDATE
    """
)
_LEAVE = text("DELETE FROM job_waiter WHERE movie_id = :movie_id AND version = :version")
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
    """`attempts`: how often a job that is queued here is tried before it fails."""

    def __init__(self, url: str, *, attempts: int) -> None:
        self._database = Database(url)
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
                # A job that was known when it was to be added may be forgotten before it is locked: then it is added now.
                added += len((await connection.execute(_ADD, {**batch, "max_attempts": self._attempts})).all())
                held.update((await connection.execute(_LOCK, {"job_ids": ids})).scalars())
            again = await connection.execute(_QUEUE_AGAIN, {**batch, "max_attempts": self._attempts})
            await connection.execute(_LIFT, batch)
            await connection.execute(_WAIT, batch)
            return added + len(again.all())

        return await self._database.transaction_of(work)

    async def claim(self, worker: str, *, lease_seconds: float) -> Lease | None:
        # Tried again after a lost answer it may lease a second job: the first one's lease ends by itself.
        rows = await self._database.statement(_CLAIM, {"worker": worker, "lease_seconds": lease_seconds})
        return Lease(**rows[0]) if rows else None

    async def extend(self, lease: Lease, *, lease_seconds: float, progress: float) -> None:
        await self._held(_EXTEND, lease, {"lease_seconds": lease_seconds, "progress": progress})

    async def complete(self, lease: Lease, result: bytes) -> None:
        await self._held(_COMPLETE, lease, {"result": result})

    async def fail(self, lease: Lease, error: str, *, retry: bool) -> None:
        # An encoder's last words may hold anything; PostgreSQL's text holds no NUL.
        words = error.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
        await self._held(_FAIL, lease, {"error": words[-MAX_ERROR_CHARACTERS:], "retry": retry})

    async def release(self, lease: Lease) -> None:
        await self._held(_RELEASE, lease, {})

    async def cancel(self, movie_id: str, version: int) -> int:
        async def work(connection: AsyncConnection) -> int:
            key = {"movie_id": movie_id, "version": version}
            awaited = (await connection.execute(_LOCK_AWAITED, key)).scalars().all()
            await connection.execute(_LEAVE, key)
            return len((await connection.execute(_CANCEL, {"job_ids": awaited})).all())

        return await self._database.transaction_of(work)

    async def requeue(self, job_ids: Sequence[str]) -> int:
        return len(await self._database.statement(_REQUEUE, {"job_ids": list(job_ids)}))

    async def waiting_versions(self) -> Sequence[tuple[str, int]]:
        return [(row["movie_id"], row["version"]) for row in await self._database.statement(_WAITING_VERSIONS, {})]

    async def unreferenced_jobs(self, *, older_than_seconds: float, limit: int) -> Sequence[str]:
        found = await self._database.statement(
            _UNREFERENCED, {"older_than_seconds": older_than_seconds, "limit": limit}
        )
        return [row["job_id"] for row in found]

    async def delete_unreferenced(self, job_id: str) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            # Locked first, so that the waiter of whoever is queueing it at this moment is seen by the second statement.
            await connection.execute(_LOCK_ONE, {"job_id": job_id})
            return (await connection.execute(_DELETE_UNREFERENCED, {"job_id": job_id})).scalar_one_or_none() is not None

        return await self._database.transaction_of(work)

    async def statuses(self, job_ids: Sequence[str]) -> Sequence[JobStatus]:
        rows = await self._database.statement(_STATUSES, {"job_ids": list(job_ids)})
        return [JobStatus(**row) for row in rows]

    async def count_by_state(self) -> dict[str, int]:
        return {row["state"]: row["jobs"] for row in await self._database.statement(_COUNT_BY_STATE, {})}

    async def ping(self) -> None:
        await self._database.ping()

    async def close(self) -> None:
        await self._database.close()

    async def _held(self, sql: TextClause, lease: Lease, parameters: Parameters) -> None:
        rows = await self._database.statement(sql, {"job_id": lease.job_id, "token": lease.token, **parameters})
        if not rows:
            raise LeaseLost(f"The lease {lease.token} of job {lease.job_id} is no longer the one that counts.")
