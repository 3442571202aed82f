"""The job queue: a row for each chunk job, with its lease and fencing token, and a row for each version that waits for a job.

Claims read the waiting and leased jobs, each title's first ones, and the last claim of each waiting title, all by index.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlmodel import Field, SQLModel

from marquee.stores.job_queue.contract import JobState
from marquee.stores.schema.tables.columns import id_column, one_of, text_column, time_column


class JobRow(SQLModel, table=True):
    """A chunk job. `token` is the fencing token: every claim raises it.

    `position` and `claimed` (the job's last claim) are numbers of one sequence, so that "queued before that claim" can be asked.
    """

    __tablename__ = "job"
    __table_args__: ClassVar[Any] = (
        one_of("state", JobState),
        # The two partial indexes hold no done jobs.
        Index("job_claim_idx", "priority", "position", postgresql_where="state IN ('queued', 'leased')"),
        Index("job_state_idx", "state"),
        Index("job_title_idx", "movie_id", "claimed"),
        Index(
            "job_title_waiting_idx",
            "movie_id",
            "priority",
            "position",
            postgresql_where="state IN ('queued', 'leased')",
        ),
    )

    job_id: str = Field(sa_column=id_column(primary_key=True))
    movie_id: str = Field(sa_column=id_column())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    priority: int = Field(sa_column=Column(SmallInteger, nullable=False))
    position: int = Field(sa_column=Column(BigInteger, Identity(always=False), nullable=False))
    claimed: int | None = Field(sa_column=Column(BigInteger, nullable=True))
    state: str = Field(sa_column=text_column())
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    max_attempts: int = Field(sa_column=Column(Integer, nullable=False))
    token: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    worker: str | None = Field(sa_column=text_column(nullable=True))
    leased_until: datetime | None = Field(sa_column=time_column(nullable=True))
    progress: float = Field(sa_column=Column(Double, nullable=False, server_default=text("0")))
    result: bytes | None = Field(sa_column=Column(LargeBinary))
    error: str | None = Field(sa_column=text_column(nullable=True))
    changed_at: datetime = Field(sa_column=time_column())


class JobWaiterRow(SQLModel, table=True):
    """Which title versions wait for a job: several versions may share a chunk."""

    __tablename__ = "job_waiter"
    __table_args__: ClassVar[Any] = (Index("job_waiter_version_idx", "movie_id", "version"),)

    job_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("job.job_id", ondelete="CASCADE"), primary_key=True)
    )
    movie_id: str = Field(sa_column=id_column(primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
