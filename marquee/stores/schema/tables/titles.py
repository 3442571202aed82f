"""Titles, their versions, and the row that decides which version owns a content.

A transaction locks a title's row before it changes the title. `changed_at`, `words`, `noted` and `in_work` serve the engineers'
list of titles: it is ordered and filtered by them at any number of titles. `title_genre` copies the columns that order a genre
row, so a page of it is one index range. To delete a title's row deletes its versions and genre rows.
"""

from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Sequence,
    Text,
    desc,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlmodel import Field, SQLModel

from marquee.domain.lifecycle import PLAYABLE, TitleState, VersionState
from marquee.stores.schema.tables.columns import id_column, metadata, one_of, text_column, texts_column, time_column

NOT_DELETED: Final = "state <> 'deleted'"
"""What the list of titles shows if it is not asked for deleted ones: they may be many, and no page walks over them."""
title_revision: Final = Sequence("title_revision", metadata=metadata)
"""One sequence for all titles: a revision also grows when a deleted title's id is announced again."""


class TitleRow(SQLModel, table=True):
    """Every change locks this row, then draws a revision: so a title's revisions grow in the order of commits."""

    __tablename__ = "title"
    __table_args__: ClassVar[Any] = (
        one_of("state", TitleState),
        Index(
            "title_new_releases_idx", desc("published_at"), desc("movie_id"), postgresql_where=f"state = '{PLAYABLE}'"
        ),
        Index("title_changed_idx", desc("changed_at"), desc("movie_id"), postgresql_where=NOT_DELETED),
        Index("title_state_changed_idx", "state", desc("changed_at"), desc("movie_id")),
        Index("title_noted_idx", desc("changed_at"), desc("movie_id"), postgresql_where=f"noted AND {NOT_DELETED}"),
        Index("title_in_work_idx", desc("changed_at"), desc("movie_id"), postgresql_where=f"in_work AND {NOT_DELETED}"),
        Index("title_words_idx", "words", postgresql_using="gin"),
    )

    movie_id: str = Field(sa_column=id_column(primary_key=True))
    title: str = Field(sa_column=text_column())
    year: int | None = Field(sa_column=Column(Integer))
    description: str | None = Field(sa_column=text_column(nullable=True))
    genres: list[str] = Field(sa_column=texts_column())
    people: list[str] = Field(sa_column=texts_column())
    aka: list[str] = Field(sa_column=texts_column())
    votes: int | None = Field(sa_column=Column(BigInteger))
    popularity: float = Field(sa_column=Column(Double, nullable=False, server_default=text("0")))
    """Of its votes and of what viewers watch of it (`marquee.domain.popularity`)."""
    watched_popularity: float = Field(sa_column=Column(Double, nullable=False, server_default=text("0")))
    """The part of `popularity` that watching adds, as the last accepted batch moved it."""
    state: str = Field(sa_column=text_column())
    announced: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    hot: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    revision: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_version: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    active_version: int | None = Field(sa_column=Column(Integer))
    duration_seconds: float | None = Field(sa_column=Column(Double))
    poster: str | None = Field(sa_column=text_column(nullable=True))
    backdrop: list[Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    """The wide picture's sizes (`BackdropPicture`). Null: published by a release without it."""
    tracks: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True)))
    """`OfferedTracks` of the active version; null as above."""
    sprite_vtt: str | None = Field(sa_column=text_column(nullable=True))
    manifest: str | None = Field(sa_column=text_column(nullable=True))
    dash: str | None = Field(sa_column=text_column(nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    published_at: datetime | None = Field(sa_column=time_column(nullable=True))
    changed_at: datetime = Field(sa_column=time_column())
    """The last change of its details, its state or its versions' states. Progress and notes do not count."""
    words: str = Field(sa_column=Column(TSVECTOR, nullable=False, server_default=text("''")))
    """The folded words of `title`, as search has them."""
    noted: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    """The version that plays has notes, else the newest one."""
    in_work: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    """A version is uploaded or ingested, also while another one plays."""


class DeletedTitleRow(SQLModel, table=True):
    """A deleted title, until its objects are known to be gone."""

    __tablename__ = "deleted_title"

    movie_id: str = Field(sa_column=id_column(primary_key=True))
    deleted_at: datetime = Field(sa_column=time_column())


class TitleGenreRow(SQLModel, table=True):
    """The order of the genre rows, playable titles only: a page is one index range at any depth of the cursor."""

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
        one_of("state", VersionState),
        Index("title_version_upload_id_key", "upload_id", unique=True),
        Index("title_version_unremoved_idx", "updated_at", postgresql_where="state = 'cancelled' AND NOT removed"),
        Index("title_version_ended_idx", "state", "updated_at", postgresql_where="state IN ('failed', 'cancelled')"),
    )

    movie_id: str = Field(
        sa_column=Column(Text(collation="C"), ForeignKey("title.movie_id", ondelete="CASCADE"), primary_key=True)
    )
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    upload_id: str = Field(sa_column=id_column())
    state: str = Field(sa_column=text_column())
    stage: str = Field(sa_column=text_column())
    percent: float = Field(sa_column=Column(Double, nullable=False, server_default=text("0")))
    speed: float | None = Field(sa_column=Column(Double))
    reason: str | None = Field(sa_column=text_column(nullable=True))
    run_id: str | None = Field(sa_column=text_column(nullable=True))
    sha256: str | None = Field(sa_column=text_column(nullable=True))
    notes: dict[str, list[Any]] = Field(sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")))
    """Stage -> its notes."""
    profile: str | None = Field(sa_column=text_column(nullable=True))
    """The encoding profile by which it was planned; null: not planned yet, or by an earlier release."""
    profile_hash: str | None = Field(sa_column=text_column(nullable=True))
    """Of that profile's content: a version whose hash is another one than today's is stale."""
    overtaken_by: int | None = Field(sa_column=Column(Integer))
    """Cancelled because the film of this newer version was accepted. The master is kept until a newer version plays."""
    removed: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    """Housekeeping has removed what is stored of a cancelled version, and need not look again."""
    updated_at: datetime = Field(sa_column=time_column())


class TitleContentRow(SQLModel, table=True):
    """The version that owns a content: the first one that claimed it, while it is ingesting or playable."""

    __tablename__ = "title_content"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(
            ["movie_id", "version"], ["title_version.movie_id", "title_version.version"], ondelete="CASCADE"
        ),
        Index("title_content_version_idx", "movie_id", "version"),
    )

    sha256: str = Field(sa_column=id_column(primary_key=True))
    movie_id: str = Field(sa_column=id_column())
    version: int = Field(sa_column=Column(Integer, nullable=False))
