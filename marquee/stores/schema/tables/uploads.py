"""Uploads, and the outbox: what is committed with a completed upload and published after it.

An upload's row outlives its title, so that whatever it left in the store can still be found. The outbox keeps its entries in
the order of their ids.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Integer, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from marquee.stores.catalogue.values import UploadState
from marquee.stores.schema.tables.columns import id_column, one_of, text_column, time_column


class UploadRow(SQLModel, table=True):
    """Kept after its end, when its title may be gone: so no foreign key."""

    __tablename__ = "upload"
    __table_args__: ClassVar[Any] = (
        one_of("state", UploadState),
        Index("upload_open_idx", "account_id", "file_name", "size_bytes", postgresql_where="state = 'open'"),
        Index("upload_touched_idx", "state", "touched_at"),
        Index("upload_version_idx", "movie_id", "version"),
    )

    upload_id: str = Field(sa_column=id_column(primary_key=True))
    movie_id: str = Field(sa_column=id_column())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    account_id: str = Field(sa_column=id_column())
    file_name: str = Field(sa_column=text_column())
    content_type: str = Field(sa_column=text_column())
    size_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    part_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    key: str = Field(sa_column=text_column())
    multipart_id: str = Field(sa_column=text_column())
    state: str = Field(sa_column=text_column())
    hot: bool = Field(sa_column=Column(Boolean, nullable=False))
    sidecars: list[dict[str, str]] = Field(sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")))
    created_at: datetime = Field(sa_column=time_column())
    touched_at: datetime = Field(sa_column=time_column())


class OutboxRow(SQLModel, table=True):
    """Messages committed with what they tell of; a published one is deleted."""

    __tablename__ = "outbox"

    entry_id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    topic: str = Field(sa_column=text_column())
    key: str = Field(sa_column=text_column())
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=time_column())
