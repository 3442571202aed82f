"""Chunk jobs and their leases; the engine is chosen by the URL's scheme."""

from marquee.stores.connections.urls import scheme_of
from marquee.stores.job_queue.contract import JobQueue


def open_job_queue(url: str, *, attempts: int = 3) -> JobQueue:
    """`attempts`: how often a job queued by this process is tried before it fails."""
    scheme_of(url, setting="MARQUEE_DATABASE_URL", known=("postgresql",))
    from marquee.stores.job_queue.postgres import PostgresJobQueue

    return PostgresJobQueue(url, attempts=attempts)
