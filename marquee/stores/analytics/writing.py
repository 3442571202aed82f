"""The contract for writing what analytics found: facts of a day, and batches that are judged before viewers see them.

Facts of a day replace those of the same day in one transaction, all tables together: a reader sees the old day or the new one.
A batch is new rows under a number of its own. Nobody reads them until the batch is accepted; a refused batch changes nothing
for viewers. A writer that is killed at any moment leaves what was there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, Protocol

from marquee.errors import MarqueeError

DayTable = Literal["daily_title", "daily_profile", "daily_quality", "daily_failure", "daily_search"]
BatchTable = Literal["popularity", "similar_title", "suggestion", "genre_taste", "reencode_candidate"]
BatchName = Literal["popularity", "similar", "suggestions", "candidates"]

DAY_COLUMNS: Final[Mapping[DayTable, tuple[str, ...]]] = {
    "daily_title": ("movie_id", "attempts", "plays", "viewers", "completions", "watch_seconds"),
    "daily_profile": ("profile_id", "titles", "watch_seconds"),
    "daily_quality": (
        *("cut", "value", "attempts", "plays", "exits_before_start", "start_failures", "playback_failures"),
        *(
            "startup_p50_seconds",
            "startup_p95_seconds",
            "rebuffer_ratio",
            "mean_kbps",
            "watch_seconds",
            "stall_seconds",
        ),
    ),
    "daily_failure": ("error_code", "start_failures", "playback_failures"),
    "daily_search": ("query", "asked", "without_results", "opened", "place_sum", "profiles"),
}
"""The columns of a row, in order; the day comes before them."""
BATCH_COLUMNS: Final[Mapping[BatchTable, tuple[str, ...]]] = {
    "popularity": ("genre", "rank", "movie_id", "score", "watch_seconds"),
    "similar_title": ("movie_id", "rank", "similar_id", "score", "basis"),
    "suggestion": ("profile_id", "because_movie_id", "rank", "movie_id", "score"),
    "genre_taste": ("profile_id", "genre", "share"),
    "reencode_candidate": ("rank", "movie_id", "watch_hours", "sent_bytes", "expected_saving_bytes", "reason"),
}
"""The same for batches; the batch's number comes before them."""
BATCH_TABLES: Final[Mapping[BatchName, tuple[BatchTable, ...]]] = {
    "popularity": ("popularity",),
    "similar": ("similar_title",),
    "suggestions": ("suggestion", "genre_taste"),
    "candidates": ("reencode_candidate",),
}
KEPT_BATCHES: Final = 2
"""The newest of a name up to the one that is judged; the accepted one and newer ones stay too. For a look at what changed."""

Row = Sequence[object]


class BatchNotJudged(MarqueeError):
    """A batch of analytics is gone, or was judged otherwise: viewers keep what they have."""

    status = 409
    code = "batch-not-judged"
    title = "This batch can no longer be accepted or refused"


@dataclass(frozen=True)
class Batch:
    """One batch as it stands in the list."""

    batch_id: int
    name: BatchName
    state: Literal["written", "accepted", "refused", "superseded"]
    rows: int
    through: datetime
    reason: str | None


class FindingsWriter(Protocol):
    async def write_day(self, day: date, tables: Mapping[DayTable, Iterable[Row]]) -> dict[DayTable, int]:
        """Replace the facts of a day in these tables, in one transaction. Returns how many rows each has now.

        A row has the columns of `DAY_COLUMNS`. The same call again gives the same. Raises `StoreUnavailable`, and `InputInvalid`
        for a row that a table cannot hold: then nothing has changed.
        """
        ...

    async def days_with_facts(self, first: date, last: date) -> frozenset[date]:
        """The days of this range, both ends included, that have facts of sessions (`daily_title`) or searches."""
        ...

    async def write_batch(self, name: BatchName, through: datetime, tables: Mapping[BatchTable, Iterable[Row]]) -> int:
        """Write a batch in the state `written`, in one transaction. Returns its number. Raises as `write_day` does.

        After a failure that leaves it open whether the batch was written, a repeat writes a second one: harmless, because only
        the one that is judged counts.
        """
        ...

    async def judge(self, batch_id: int, *, accepted: bool, reason: str | None = None) -> Batch:
        """Accept or refuse a written batch, and delete the rows of older ones. The same judgement again changes nothing.

        Accepting supersedes the batch of this name that was accepted before. Raises `BatchNotJudged` for a batch that
        is gone, was judged otherwise, or is older than the accepted one.
        """
        ...

    async def latest(self, name: BatchName) -> Batch | None:
        """The newest batch of this name, in any state."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
