"""The two tables that change capture reads: the titles' documents and its own heartbeat.

The platform never deletes a row of `title_document`: `document` is null for a title that search must not find
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
    """Captured with REPLICA IDENTITY FULL. `document` is null once search must not find the title."""

    __tablename__ = "title_document"

    movie_id: str = Field(sa_column=id_column(primary_key=True))
    revision: int = Field(sa_column=Column(BigInteger, nullable=False))
    document: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    changed_at: datetime = Field(sa_column=time_column())


class ChangeCaptureHeartbeatRow(SQLModel, table=True):
    """Change capture writes it at intervals: so its slot advances while no title changes."""

    __tablename__ = HEARTBEAT_TABLE

    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    beat_at: datetime = Field(sa_column=time_column())
