"""Uploads, and the outbox: messages that are committed with a completed upload and published after that.

An upload's row stays when its title is deleted: it names the objects that have to be removed. Outbox entries are published in the
order of their ids.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Integer, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from marquee.domain.lifecycle import UploadState
from marquee.stores.schema.tables.columns import id_column, one_of, text_column, time_column


class UploadRow(SQLModel, table=True):
    """No foreign key: the row stays when its title is gone."""

    __tablename__ = "upload"
    __table_args__: ClassVar[Any] = (
        one_of("state", UploadState),
        Index("upload_open_idx", "account_id", "file_name", "size_bytes", postgresql_where="state = 'open'"),
        Index("upload_touched_idx", "state", "touched_at"),
        Index("upload_account_idx", "account_id", "created_at"),
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
    sidecars: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")))
    created_at: datetime = Field(sa_column=time_column())
    touched_at: datetime = Field(sa_column=time_column())


class OutboxRow(SQLModel, table=True):
    """A message, committed with what it reports; deleted once it is published."""

    __tablename__ = "outbox"

    entry_id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    topic: str = Field(sa_column=text_column())
    key: str = Field(sa_column=text_column())
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=time_column())
