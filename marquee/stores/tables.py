"""Every PostgreSQL table of the platform, as Alembic compares them with the migrations.

Rows stay inside `marquee.stores`: what crosses a contract is its dataclasses. Ids sort and compare by bytes (collation C),
whatever the server's locale. States are text with a CHECK made of the contract's own words. Nothing here needs a
PostgreSQL newer than 15.
"""

from datetime import datetime
from typing import Any, ClassVar, Final, get_args

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    Text,
    desc,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from marquee.stores.accounts.contract import Role
from marquee.stores.capture_slot import HEARTBEAT_TABLE
from marquee.stores.catalogue.contract import TitleState, UploadState, VersionState
from marquee.stores.job_queue.contract import JobState

metadata: Final[MetaData] = SQLModel.metadata
metadata.naming_convention = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}

title_revision: Final = Sequence("title_revision", metadata=metadata)
"""One sequence for all titles: a revision also grows when a deleted title's id is used again."""


def _id(**options: Any) -> Any:
    return Column(Text(collation="C"), nullable=options.pop("nullable", False), **options)


def _text(*, nullable: bool = False) -> Any:
    return Column(Text, nullable=nullable)


def _time(*, nullable: bool = False) -> Any:
    return Column(DateTime(timezone=True), nullable=nullable, server_default=None if nullable else func.now())


def _texts() -> Any:
    return Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))


def _one_of(column: str, values: object) -> CheckConstraint:
    words = ", ".join(f"'{value}'" for value in get_args(values))
    return CheckConstraint(f"{column} IN ({words})", name=column)


# --- catalogue -------------------------------------------------------------------------------------------------


class TitleRow(SQLModel, table=True):
    """One row a title. Every change takes this row's lock first, then a revision, so that revisions grow by commit."""

    __tablename__ = "title"
    __table_args__: ClassVar[Any] = (
        _one_of("state", TitleState),
        Index("title_new_releases_idx", desc("published_at"), desc("movie_id"), postgresql_where="state = 'playable'"),
        Index("title_state_idx", "state", "movie_id"),
    )

    movie_id: str = Field(sa_column=_id(primary_key=True))
    title: str = Field(sa_column=_text())
    year: int | None = Field(sa_column=Column(Integer))
    description: str | None = Field(sa_column=_text(nullable=True))
    genres: list[str] = Field(sa_column=_texts())
    people: list[str] = Field(sa_column=_texts())
    aka: list[str] = Field(sa_column=_texts())
    votes: int | None = Field(sa_column=Column(BigInteger))
    popularity: float = Field(sa_column=Column(Double, nullable=False, server_default=text("0")))
    state: str = Field(sa_column=_text())
    announced: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    hot: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    revision: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_version: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    active_version: int | None = Field(sa_column=Column(Integer))
    duration_seconds: float | None = Field(sa_column=Column(Double))
    poster: str | None = Field(sa_column=_text(nullable=True))
    sprite_vtt: str | None = Field(sa_column=_text(nullable=True))
    manifest: str | None = Field(sa_column=_text(nullable=True))
    dash: str | None = Field(sa_column=_text(nullable=True))
    created_at: datetime = Field(sa_column=_time())
    published_at: datetime | None = Field(sa_column=_time(nullable=True))


class DeletedTitleRow(SQLModel, table=True):
    """Titles that were deleted, until their objects are surely gone."""

    __tablename__ = "deleted_title"

    movie_id: str = Field(sa_column=_id(primary_key=True))
    deleted_at: datetime = Field(sa_column=_time())


class TitleGenreRow(SQLModel, table=True):
    """The genre rows' order, playable titles alone: a page is one index range, however deep the cursor is."""

    __tablename__ = "title_genre"
    __table_args__: ClassVar[Any] = (Index("title_genre_row_idx", "genre", desc("popularity"), desc("movie_id")),)

    movie_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("title.movie_id", ondelete="CASCADE"), primary_key=True)
    )
    genre: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    popularity: float = Field(sa_column=Column(Double, nullable=False))


class TitleVersionRow(SQLModel, table=True):
    __tablename__ = "title_version"
    __table_args__: ClassVar[Any] = (
        _one_of("state", VersionState),
        Index("title_version_upload_id_key", "upload_id", unique=True),
    )

    movie_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("title.movie_id", ondelete="CASCADE"), primary_key=True)
    )
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    upload_id: str = Field(sa_column=_id())
    state: str = Field(sa_column=_text())
    stage: str = Field(sa_column=_text())
    percent: float = Field(sa_column=Column(Double, nullable=False, server_default=text("0")))
    speed: float | None = Field(sa_column=Column(Double))
    reason: str | None = Field(sa_column=_text(nullable=True))
    run_id: str | None = Field(sa_column=_text(nullable=True))
    sha256: str | None = Field(sa_column=_text(nullable=True))
    updated_at: datetime = Field(sa_column=_time())


class TitleContentRow(SQLModel, table=True):
    """Which version holds a content: the first to state it, while it is live."""

    __tablename__ = "title_content"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(
            ["movie_id", "version"], ["title_version.movie_id", "title_version.version"], ondelete="CASCADE"
        ),
        Index("title_content_version_idx", "movie_id", "version"),
    )

    sha256: str = Field(sa_column=_id(primary_key=True))
    movie_id: str = Field(sa_column=_id())
    version: int = Field(sa_column=Column(Integer, nullable=False))


class TitleDocumentRow(SQLModel, table=True):
    """What change capture reads (REPLICA IDENTITY FULL). `document` is null once the title must not be found."""

    __tablename__ = "title_document"

    movie_id: str = Field(sa_column=_id(primary_key=True))
    revision: int = Field(sa_column=Column(BigInteger, nullable=False))
    document: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    changed_at: datetime = Field(sa_column=_time())


class ChangeCaptureHeartbeatRow(SQLModel, table=True):
    """Written by change capture at intervals, so that its slot moves on while no title changes."""

    __tablename__ = HEARTBEAT_TABLE

    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    beat_at: datetime = Field(sa_column=_time())


class UploadRow(SQLModel, table=True):
    """Kept after its end, when its title may be gone: so no foreign key."""

    __tablename__ = "upload"
    __table_args__: ClassVar[Any] = (
        _one_of("state", UploadState),
        Index("upload_open_idx", "account_id", "file_name", "size_bytes", postgresql_where="state = 'open'"),
        Index("upload_touched_idx", "state", "touched_at"),
        Index("upload_version_idx", "movie_id", "version"),
    )

    upload_id: str = Field(sa_column=_id(primary_key=True))
    movie_id: str = Field(sa_column=_id())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    account_id: str = Field(sa_column=_id())
    file_name: str = Field(sa_column=_text())
    content_type: str = Field(sa_column=_text())
    size_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    part_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    key: str = Field(sa_column=_text())
    multipart_id: str = Field(sa_column=_text())
    state: str = Field(sa_column=_text())
    hot: bool = Field(sa_column=Column(Boolean, nullable=False))
    sidecars: list[dict[str, str]] = Field(sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")))
    created_at: datetime = Field(sa_column=_time())
    touched_at: datetime = Field(sa_column=_time())


class OutboxRow(SQLModel, table=True):
    """Messages committed with what they tell of; a published one is deleted."""

    __tablename__ = "outbox"

    entry_id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    topic: str = Field(sa_column=_text())
    key: str = Field(sa_column=_text())
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=_time())


# --- accounts --------------------------------------------------------------------------------------------------


class AccountRow(SQLModel, table=True):
    __tablename__ = "account"
    __table_args__: ClassVar[Any] = (
        _one_of("role", Role),
        Index("account_email_key", "email_folded", unique=True),
    )

    account_id: str = Field(sa_column=_id(primary_key=True))
    email: str = Field(sa_column=_text())
    email_folded: str = Field(sa_column=_id())
    password_hash: str = Field(sa_column=_text())
    role: str = Field(sa_column=_text())
    created_at: datetime = Field(sa_column=_time())


class ProfileRow(SQLModel, table=True):
    __tablename__ = "profile"
    __table_args__: ClassVar[Any] = (Index("profile_account_idx", "account_id", "profile_id"),)

    profile_id: str = Field(sa_column=_id(primary_key=True))
    account_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False)
    )
    name: str = Field(sa_column=_text())
    created_at: datetime = Field(sa_column=_time())


class RefreshTokenRow(SQLModel, table=True):
    """`revoked_at` is set when the token is used or ended; `ended` tells the second from the first."""

    __tablename__ = "refresh_token"
    __table_args__: ClassVar[Any] = (Index("refresh_token_account_idx", "account_id"),)

    token_hash: str = Field(sa_column=_id(primary_key=True))
    account_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False)
    )
    profile_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("profile.profile_id", ondelete="CASCADE"), nullable=False)
    )
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    revoked_at: datetime | None = Field(sa_column=_time(nullable=True))
    ended: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))


# --- watching --------------------------------------------------------------------------------------------------


class WatchedTitleRow(SQLModel, table=True):
    __tablename__ = "watched_title"
    __table_args__: ClassVar[Any] = (
        Index("watched_title_page_idx", "profile_id", desc("last_watched_at"), desc("movie_id")),
    )

    profile_id: str = Field(sa_column=_id(primary_key=True))
    movie_id: str = Field(sa_column=_id(primary_key=True))
    first_watched_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    last_watched_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ResumePositionRow(SQLModel, table=True):
    """The hottest table: no index but its key and room in every page, so that an update touches one page (HOT).

    `position_ms` is null where the position was forgotten at that event time.
    """

    __tablename__ = "resume_position"
    __table_args__: ClassVar[Any] = ({"postgresql_with": {"fillfactor": 70}},)

    user_id: str = Field(sa_column=_id(primary_key=True))
    movie_id: str = Field(sa_column=_id(primary_key=True))
    event_time_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    position_ms: int | None = Field(sa_column=Column(BigInteger))


# --- jobs ------------------------------------------------------------------------------------------------------


class JobRow(SQLModel, table=True):
    """A chunk job. `token` is the fencing token: it grows with every claim and never goes back."""

    __tablename__ = "job"
    __table_args__: ClassVar[Any] = (
        _one_of("state", JobState),
        # Claims walk this in order past the few that are leased; done jobs are not in it.
        Index("job_claim_idx", "priority", "position", postgresql_where="state IN ('queued', 'leased')"),
        Index("job_state_idx", "state"),
    )

    job_id: str = Field(sa_column=_id(primary_key=True))
    movie_id: str = Field(sa_column=_id())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    priority: int = Field(sa_column=Column(SmallInteger, nullable=False))
    position: int = Field(sa_column=Column(BigInteger, Identity(always=False), nullable=False))
    state: str = Field(sa_column=_text())
    attempts: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    max_attempts: int = Field(sa_column=Column(Integer, nullable=False))
    token: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    worker: str | None = Field(sa_column=_text(nullable=True))
    leased_until: datetime | None = Field(sa_column=_time(nullable=True))
    progress: float = Field(sa_column=Column(Double, nullable=False, server_default=text("0")))
    result: bytes | None = Field(sa_column=Column(LargeBinary))
    error: str | None = Field(sa_column=_text(nullable=True))
    changed_at: datetime = Field(sa_column=_time())


class JobWaiterRow(SQLModel, table=True):
    """Which title versions wait for a job: the same chunk may serve several."""

    __tablename__ = "job_waiter"
    __table_args__: ClassVar[Any] = (Index("job_waiter_version_idx", "movie_id", "version"),)

    job_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("job.job_id", ondelete="CASCADE"), primary_key=True)
    )
    movie_id: str = Field(sa_column=_id(primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
