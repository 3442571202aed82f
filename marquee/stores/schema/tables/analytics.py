"""What analytics found. Written in whole batches or whole days by COPY, read by the API, dbt and the engineers' page.

Facts of a day are replaced by the day. Findings that viewers see belong to a batch: a reader takes the batch of its name that is
accepted, so viewers keep yesterday's while a new batch is written, judged or refused. dbt's marts are no tables of this list.
"""

from datetime import date, datetime
from typing import Any, ClassVar, Literal

from sqlalchemy import BigInteger, Column, Date, DateTime, Double, ForeignKey, Identity, Index, Integer, Text
from sqlmodel import Field, SQLModel

from marquee.stores.schema.tables.columns import id_column, one_of, text_column, time_column

BatchState = Literal["written", "accepted", "refused", "superseded"]


def _day() -> Any:
    return Column(Date, primary_key=True)


def _whole() -> Any:
    return Column(BigInteger, nullable=False)


def _number(*, nullable: bool = False) -> Any:
    return Column(Double, nullable=nullable)


def _batch() -> Any:
    return Column(BigInteger, ForeignKey("analytics_batch.batch_id", ondelete="CASCADE"), primary_key=True)


class AnalyticsBatchRow(SQLModel, table=True):
    """At most one batch of a name is accepted."""

    __tablename__ = "analytics_batch"
    __table_args__: ClassVar[Any] = (
        one_of("state", BatchState),
        Index("analytics_batch_accepted_key", "name", unique=True, postgresql_where="state = 'accepted'"),
    )

    batch_id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    name: str = Field(sa_column=id_column())
    """`popularity`, `similar`, `suggestions`, `candidates`."""
    state: str = Field(sa_column=text_column())
    rows: int = Field(sa_column=_whole())
    through: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    """The end of the events that it was made from."""
    made_at: datetime = Field(sa_column=time_column())
    judged_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    reason: str | None = Field(sa_column=text_column(nullable=True))


class PopularityRow(SQLModel, table=True):
    """Trending titles, of all genres (`genre` is empty) and of each. `rank` counts from 1."""

    __tablename__ = "popularity"

    batch_id: int = Field(sa_column=_batch())
    genre: str = Field(sa_column=id_column(primary_key=True))
    rank: int = Field(sa_column=Column(Integer, primary_key=True))
    movie_id: str = Field(sa_column=id_column())
    score: float = Field(sa_column=_number())
    watch_seconds: float = Field(sa_column=_number())
    """Of the days that count."""


class SimilarTitleRow(SQLModel, table=True):
    """More like a title: `rank` counts from 1. `basis` says what it was found by."""

    __tablename__ = "similar_title"
    __table_args__: ClassVar[Any] = (one_of("basis", Literal["watching", "content"]),)

    batch_id: int = Field(sa_column=_batch())
    movie_id: str = Field(sa_column=id_column(primary_key=True))
    rank: int = Field(sa_column=Column(Integer, primary_key=True))
    similar_id: str = Field(sa_column=id_column())
    score: float = Field(sa_column=_number())
    basis: str = Field(sa_column=text_column())


class SuggestionRow(SQLModel, table=True):
    """What a profile may like because it watched another title."""

    __tablename__ = "suggestion"

    batch_id: int = Field(sa_column=_batch())
    profile_id: str = Field(sa_column=id_column(primary_key=True))
    because_movie_id: str = Field(sa_column=id_column(primary_key=True))
    rank: int = Field(sa_column=Column(Integer, primary_key=True))
    movie_id: str = Field(sa_column=id_column())
    score: float = Field(sa_column=_number())


class GenreTasteRow(SQLModel, table=True):
    """The share of a profile's watch time in each genre, of the batch `suggestions`."""

    __tablename__ = "genre_taste"

    batch_id: int = Field(sa_column=_batch())
    profile_id: str = Field(sa_column=id_column(primary_key=True))
    genre: str = Field(sa_column=id_column(primary_key=True))
    share: float = Field(sa_column=_number())


class ReencodeCandidateRow(SQLModel, table=True):
    """Titles in the order of what encoding them again would save. `rank` counts from 1."""

    __tablename__ = "reencode_candidate"

    batch_id: int = Field(sa_column=_batch())
    rank: int = Field(sa_column=Column(Integer, primary_key=True))
    movie_id: str = Field(sa_column=id_column())
    watch_hours: float = Field(sa_column=_number())
    sent_bytes: int = Field(sa_column=_whole())
    expected_saving_bytes: int = Field(sa_column=_whole())
    reason: str = Field(sa_column=text_column())


class DailyTitleRow(SQLModel, table=True):
    """What was watched of a title on a day (UTC)."""

    __tablename__ = "daily_title"

    day: date = Field(sa_column=_day())
    movie_id: str = Field(sa_column=id_column(primary_key=True))
    attempts: int = Field(sa_column=_whole())
    plays: int = Field(sa_column=_whole())
    viewers: int = Field(sa_column=_whole())
    completions: int = Field(sa_column=_whole())
    watch_seconds: float = Field(sa_column=_number())


class DailyProfileRow(SQLModel, table=True):
    """What a profile watched on a day (UTC): erased with the profile."""

    __tablename__ = "daily_profile"
    __table_args__: ClassVar[Any] = (Index("daily_profile_profile_idx", "profile_id"),)

    day: date = Field(sa_column=_day())
    profile_id: str = Field(sa_column=id_column(primary_key=True))
    titles: int = Field(sa_column=_whole())
    watch_seconds: float = Field(sa_column=_number())


class DailyQualityRow(SQLModel, table=True):
    """Quality of experience of a day, over all sessions and by one cut: `title`, `edge`, `device`, `rendition`, `player`."""

    __tablename__ = "daily_quality"
    __table_args__: ClassVar[Any] = (one_of("cut", Literal["all", "title", "edge", "device", "rendition", "player"]),)

    day: date = Field(sa_column=_day())
    cut: str = Field(sa_column=Column(Text, primary_key=True))
    value: str = Field(sa_column=id_column(primary_key=True))
    """Of the cut: a movie_id, an edge's address, a device, `720`; empty for `all`."""
    attempts: int = Field(sa_column=_whole())
    plays: int = Field(sa_column=_whole())
    exits_before_start: int = Field(sa_column=_whole())
    start_failures: int = Field(sa_column=_whole())
    playback_failures: int = Field(sa_column=_whole())
    startup_p50_seconds: float | None = Field(sa_column=_number(nullable=True))
    startup_p95_seconds: float | None = Field(sa_column=_number(nullable=True))
    rebuffer_ratio: float | None = Field(sa_column=_number(nullable=True))
    """Stalled time over stalled and watched time; what a seek costs is left out."""
    mean_kbps: float | None = Field(sa_column=_number(nullable=True))
    watch_seconds: float = Field(sa_column=_number())
    stall_seconds: float = Field(sa_column=_number())


class DailyFailureRow(SQLModel, table=True):
    """Failures of a day by their cause."""

    __tablename__ = "daily_failure"

    day: date = Field(sa_column=_day())
    error_code: str = Field(sa_column=id_column(primary_key=True))
    start_failures: int = Field(sa_column=_whole())
    playback_failures: int = Field(sa_column=_whole())


class DailySearchRow(SQLModel, table=True):
    """Searches of a day by their folded query."""

    __tablename__ = "daily_search"

    day: date = Field(sa_column=_day())
    query: str = Field(sa_column=id_column(primary_key=True))
    asked: int = Field(sa_column=_whole())
    without_results: int = Field(sa_column=_whole())
    opened: int = Field(sa_column=_whole())
    place_sum: int = Field(sa_column=_whole())
    """Of the places, from 1, of what was opened."""
    profiles: int = Field(sa_column=_whole())
    """How many different profiles asked it, at least. A query of fewer than three stands in no report."""


class VersionCostRow(SQLModel, table=True):
    """What encoding a published version cost, by the documents of the chain. No foreign key: a deleted title's cost stays."""

    __tablename__ = "version_cost"

    movie_id: str = Field(sa_column=id_column(primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    core_seconds: float = Field(sa_column=_number())
    source_bytes: int = Field(sa_column=_whole())
    published_bytes: int = Field(sa_column=_whole())
    recorded_at: datetime = Field(sa_column=time_column())
