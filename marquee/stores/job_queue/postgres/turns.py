"""Whose turn it is: the statement that claims a chunk job in PostgreSQL.

The rule is the contract's (`JobQueue.claim`): priority, then the title with the fewest leases, then the title that has waited
longest, then the title's oldest job. Each claim takes a number of the sequence of `position`, so that waits since a claim and
since the queueing can be compared. An order by age alone let the one chunk of a short title wait for all seventeen of a long one.

The statement reads only the first jobs of each title, by `job_title_waiting_idx`: its cost grows with the titles that wait.
"""

from typing import Final

from sqlalchemy import text

SEEN_OF_A_TITLE: Final = 4
"""Claims at the same time do not see each other's leases. A title's k-th waiting job is ranked as if k - 1 were leased, so such
claims take jobs of different titles too. With more claims at once than jobs that are seen, the last ones take the oldest job."""
_OPEN: Final = "job.state IN ('queued', 'leased')"
_IS_WAITING: Final = (
    f"{_OPEN} AND (job.state = 'queued' OR (job.leased_until < now() AND job.attempts < job.max_attempts))"
)

CLAIM: Final = text(
    f"""
    WITH RECURSIVE spent AS (
        UPDATE job SET state = 'failed', leased_until = NULL, changed_at = now(), error = coalesce(error || E'\n', '')
            || format('The lease ended %s times without a result; the last worker was %s.', attempts, worker)
        WHERE job_id IN (
            SELECT job_id FROM job WHERE state = 'leased' AND leased_until < now() AND attempts >= max_attempts
            FOR UPDATE SKIP LOCKED
        )
    ), title AS (
        (SELECT movie_id FROM job WHERE {_OPEN} ORDER BY movie_id LIMIT 1)
        UNION ALL
        SELECT (SELECT movie_id FROM job WHERE {_OPEN} AND job.movie_id > title.movie_id ORDER BY movie_id LIMIT 1)
        FROM title WHERE movie_id IS NOT NULL
    ), working AS (
        SELECT movie_id, count(*) AS leases FROM job WHERE state = 'leased' AND leased_until >= now() GROUP BY movie_id
    ), waiting AS (
        SELECT job_id, coalesce(leases, 0) + row_number() OVER (PARTITION BY movie_id ORDER BY priority, position) AS share,
            greatest(
                min(position) OVER (PARTITION BY movie_id),
                (SELECT max(claimed) FROM job WHERE job.movie_id = title.movie_id)
            ) AS waits_since
        FROM title LEFT JOIN working USING (movie_id) CROSS JOIN LATERAL (
            SELECT job_id, priority, position FROM job WHERE job.movie_id = title.movie_id AND {_IS_WAITING}
            ORDER BY priority, position LIMIT {SEEN_OF_A_TITLE}
        ) AS jobs
    ), fair AS (
        SELECT job.job_id FROM job JOIN waiting USING (job_id) WHERE {_IS_WAITING}
        ORDER BY job.priority, share, waits_since, job.position LIMIT 1 FOR UPDATE OF job SKIP LOCKED
    ), oldest AS (
        SELECT job.job_id FROM job WHERE {_IS_WAITING} AND NOT EXISTS (SELECT FROM fair)
        ORDER BY job.priority, job.position LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE job SET state = 'leased', token = token + 1, attempts = attempts + 1, worker = :worker, progress = 0,
                   leased_until = now() + CAST(:lease_seconds AS float8) * interval '1 second', changed_at = now(),
                   claimed = nextval(pg_get_serial_sequence('job', 'position'))
    WHERE job.job_id = coalesce((SELECT job_id FROM fair), (SELECT job_id FROM oldest))
    RETURNING job.job_id, job.token, job.attempts AS attempt, job.payload
    """  # noqa: S608 - no value is formatted in
)
