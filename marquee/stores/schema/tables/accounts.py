"""Accounts, their profiles, sessions and refresh tokens. An address is unique in its folded form; a token is stored as its hash.

To delete an account deletes its profiles, sessions and tokens.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Index, Text, text
from sqlmodel import Field, SQLModel

from marquee.domain.roles import Role
from marquee.stores.schema.tables.columns import id_column, one_of, text_column, time_column


class AccountRow(SQLModel, table=True):
    __tablename__ = "account"
    __table_args__: ClassVar[Any] = (
        one_of("role", Role),
        Index("account_email_key", "email_folded", unique=True),
    )

    account_id: str = Field(sa_column=id_column(primary_key=True))
    email: str = Field(sa_column=text_column())
    email_folded: str = Field(sa_column=id_column())
    password_hash: str = Field(sa_column=text_column())
    role: str = Field(sa_column=text_column())
    created_at: datetime = Field(sa_column=time_column())


class ProfileRow(SQLModel, table=True):
    __tablename__ = "profile"
    __table_args__: ClassVar[Any] = (Index("profile_account_idx", "account_id", "profile_id"),)

    profile_id: str = Field(sa_column=id_column(primary_key=True))
    account_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False)
    )
    name: str = Field(sa_column=text_column())
    created_at: datetime = Field(sa_column=time_column())


class SessionRow(SQLModel, table=True):
    """A login on one device. Its end deletes the row and its tokens; a trigger writes `ended_session`."""

    __tablename__ = "session"
    __table_args__: ClassVar[Any] = (Index("session_account_idx", "account_id", "last_used_at"),)

    session_id: str = Field(sa_column=id_column(primary_key=True))
    account_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False)
    )
    profile_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("profile.profile_id", ondelete="CASCADE"), nullable=False)
    )
    device: str = Field(sa_column=text_column())
    created_at: datetime = Field(sa_column=time_column())
    last_used_at: datetime = Field(sa_column=time_column())
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class EndedSessionRow(SQLModel, table=True):
    """What the processes of the API read to refuse access tokens. No foreign key: the session is gone."""

    __tablename__ = "ended_session"
    __table_args__: ClassVar[Any] = (Index("ended_session_time_idx", "ended_at"),)

    session_id: str = Field(sa_column=id_column(primary_key=True))
    ended_at: datetime = Field(sa_column=time_column())


class RefreshTokenRow(SQLModel, table=True):
    """`revoked_at` is set when the token is used; `sealed_successor` then holds its successor for the overlap.

    Processes of 0.1.0 write no `session_id`, and set `ended` where this version deletes the row.
    """

    __tablename__ = "refresh_token"
    __table_args__: ClassVar[Any] = (
        Index("refresh_token_account_idx", "account_id"),
        Index("refresh_token_session_idx", "session_id"),
    )

    token_hash: str = Field(sa_column=id_column(primary_key=True))
    account_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False)
    )
    profile_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("profile.profile_id", ondelete="CASCADE"), nullable=False)
    )
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    revoked_at: datetime | None = Field(sa_column=time_column(nullable=True))
    ended: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    session_id: str | None = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("session.session_id", ondelete="CASCADE"), nullable=True)
    )
    sealed_successor: str | None = Field(sa_column=text_column(nullable=True))
