"""What a profile watched, and where it stopped. No foreign keys: positions may be in another engine than titles.

Every player writes `resume_position` every few seconds, so its key is its only index.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, DateTime, Index, desc
from sqlmodel import Field, SQLModel

from marquee.stores.schema.tables.columns import id_column


class WatchedTitleRow(SQLModel, table=True):
    __tablename__ = "watched_title"
    __table_args__: ClassVar[Any] = (
        Index("watched_title_page_idx", "profile_id", desc("last_watched_at"), desc("movie_id")),
    )

    profile_id: str = Field(sa_column=id_column(primary_key=True))
    movie_id: str = Field(sa_column=id_column(primary_key=True))
    first_watched_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    last_watched_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    forgotten_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    """When the viewer removed the title from the history. It is there again once it was watched after that."""


class ResumePositionRow(SQLModel, table=True):
    """The table with the most writes. One index, and free space in every page: an update touches one page (HOT).

    `position_ms` is the contract's `stored_value`: -2 - position for a title that the viewer took out of continue watching, null
    where the viewer wished at that event time that the position be forgotten.
    """

    __tablename__ = "resume_position"
    __table_args__: ClassVar[Any] = ({"postgresql_with": {"fillfactor": 70}},)

    user_id: str = Field(sa_column=id_column(primary_key=True))
    movie_id: str = Field(sa_column=id_column(primary_key=True))
    event_time_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    position_ms: int | None = Field(sa_column=Column(BigInteger))
