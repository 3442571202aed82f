"""What change capture reads, and nothing else: the titles' documents and its own heartbeat.

Rows of `title_document` are never deleted by the platform: `document` is null for what must not be found
(`marquee.stores.catalogue.contract` has the rules).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from marquee.stores.change_capture.slot import HEARTBEAT_TABLE
from marquee.stores.schema.tables.columns import id_column, time_column


class TitleDocumentRow(SQLModel, table=True):
    """What change capture reads (REPLICA IDENTITY FULL). `document` is null once the title must not be found."""

    __tablename__ = "title_document"

    movie_id: str = Field(sa_column=id_column(primary_key=True))
    revision: int = Field(sa_column=Column(BigInteger, nullable=False))
    document: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    changed_at: datetime = Field(sa_column=time_column())


class ChangeCaptureHeartbeatRow(SQLModel, table=True):
    """Written by change capture at intervals, so that its slot moves on while no title changes."""

    __tablename__ = HEARTBEAT_TABLE

    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    beat_at: datetime = Field(sa_column=time_column())
