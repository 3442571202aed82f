"""The lake's list: which files are live, and how far the event log is written. A file is never changed.

Sink, compaction and erasure change the list in one transaction each. Readers take the list, never a folder's. A file that was
replaced stays for a while: a job that began before still reads it.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer
from sqlmodel import Field, SQLModel

from marquee.stores.schema.tables.columns import id_column, text_column, time_column


class LakeFileRow(SQLModel, table=True):
    """One Parquet file. `hour` is the UTC hour of its events, of a derived dataset the beginning of its partition."""

    __tablename__ = "lake_file"
    __table_args__: ClassVar[Any] = (
        Index("lake_file_live_idx", "dataset", "hour", postgresql_where="retired_at IS NULL"),
        Index("lake_file_retired_idx", "retired_at", postgresql_where="retired_at IS NOT NULL"),
    )

    path: str = Field(sa_column=id_column(primary_key=True))
    """Below the lake's URL: `events/date=2026-11-30/hour=13/NAME.parquet`."""
    dataset: str = Field(sa_column=id_column())
    hour: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    rows: int = Field(sa_column=Column(BigInteger, nullable=False))
    bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    created_at: datetime = Field(sa_column=time_column())
    retired_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))


class LakePositionRow(SQLModel, table=True):
    """The event log's cursor up to which a topic is in the lake. `generation` grows with each writer that takes over."""

    __tablename__ = "lake_position"

    topic: str = Field(sa_column=id_column(primary_key=True))
    cursor: str = Field(sa_column=text_column())
    generation: int = Field(sa_column=Column(Integer, nullable=False))
    written_at: datetime = Field(sa_column=time_column())


class LakeErasureRow(SQLModel, table=True):
    """A profile whose rows are erased, and are not written any more. `scanned_at`: begin of the last whole scan of the list.

    `deleted_at`: when the profile itself was deleted; null: only the lake was asked to forget it. Then its history and positions
    are erased too, and `watching_erased_at` is when no access token could write them any more.
    """

    __tablename__ = "lake_erasure"

    profile_id: str = Field(sa_column=id_column(primary_key=True))
    number: int = Field(sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    asked_at: datetime = Field(sa_column=time_column())
    scanned_at: datetime | None = Field(sa_column=time_column(nullable=True))
    deleted_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    watching_erased_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
