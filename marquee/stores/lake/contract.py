"""The lake's contract: immutable Parquet files, and the list of those that are live.

A file is written under a path of its own, never changed, and becomes live in one transaction of the list. Readers ask the list
(`live_files`), never a folder: a file that no list names was left by a kill. Every change of the list is one transaction, so a
reader sees rows once, whichever of sink, compaction and erasure works meanwhile. A file that was replaced is deleted later: a
reader that began before still has it. Every call may raise `StoreUnavailable`.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

SETTING: Final = "MARQUEE_LAKE_URL"
EVENTS: Final = "events"
"""The dataset of viewing events, by hour. Other datasets are derived from it, by day."""


@dataclass(frozen=True)
class NewFile:
    """A stored file that is not in the list yet. `hour`: the UTC hour of its events; of a derived dataset the day's begin."""

    path: str
    dataset: str
    hour: datetime
    rows: int
    size_bytes: int


@dataclass(frozen=True)
class LakeFile(NewFile):
    """A file of the list. `path` is below the lake's URL."""

    uri: str
    """Where pyarrow and DuckDB read it: `/folder/...` or `s3://bucket/...`."""
    created_at: datetime

    @property
    def spark_uri(self) -> str:
        """The same for Spark, whose S3 client has another scheme."""
        return f"s3a://{self.uri.removeprefix('s3://')}" if self.uri.startswith("s3://") else self.uri


@dataclass(frozen=True)
class Position:
    """How far a topic is in the lake. `cursor` is the event log's; None: nothing is written.

    `generation`: of the writer that took over last; the commits of an earlier one are refused.
    """

    cursor: str | None
    generation: int
    written_at: datetime


@dataclass(frozen=True)
class Erased:
    """The profiles whose rows are not written any more. `number` grows with each erasure that is asked for."""

    number: int
    profile_ids: frozenset[str]


@dataclass(frozen=True)
class Erasure:
    """One profile's erasure. `scanned_at`: when the last whole scan of the list began; None: none has ended yet.

    `deleted_at`: of the profile itself; None: only the lake was asked to forget it. `watching_erased_at`: since when its history
    and positions are gone for good.
    """

    profile_id: str
    asked_at: datetime
    scanned_at: datetime | None
    deleted_at: datetime | None = None
    watching_erased_at: datetime | None = None

    @property
    def waits_for_lake(self) -> bool:
        return self.scanned_at is None

    @property
    def waits_for_watching(self) -> bool:
        """History and positions may still be there."""
        return self.deleted_at is not None and self.watching_erased_at is None


@dataclass(frozen=True)
class StoredFile:
    """A file as the store lists it, listed or not. `modified_at_ms`: Unix milliseconds by the store's clock."""

    path: str
    size_bytes: int
    modified_at_ms: int


class Turn(Protocol):
    """A turn lasts until `end`, or until this process or its connection ends: then the next process gets it at once.

    A turn saves work, no more: a process that lost its turn unnoticed is refused by the generation, and by the list.
    """

    async def end(self) -> None: ...


class LakeFiles(Protocol):
    """Where the files lie. A path is relative, with `/` between its parts."""

    async def ensure(self) -> None:
        """Create the folder or the bucket if it is missing."""
        ...

    async def put(self, path: str, body: memoryview) -> None:
        """Store a file whole and durable, or not at all."""
        ...

    async def put_file(self, path: str, local: Path) -> None:
        """Store a local file whole and durable, or not at all."""
        ...

    async def get_file(self, path: str, local: Path) -> None:
        """Copy into a local file. Raises `ObjectMissing`."""
        ...

    async def delete(self, paths: Sequence[str]) -> None:
        """A missing file is no error."""
        ...

    def list(self) -> AsyncIterator[StoredFile]:
        """Every file below the lake's URL, and what a killed write left."""
        ...

    def uri(self, path: str) -> str: ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


class Lake(Protocol):
    """The list and its files."""

    @property
    def files(self) -> LakeFiles: ...

    async def live_files(
        self, dataset: str, start: datetime | None = None, end: datetime | None = None
    ) -> list[LakeFile]:
        """The live files whose hour is in [start, end), by hour. All of one moment."""
        ...

    async def first_hour(self, dataset: str, since: datetime | None = None) -> datetime | None:
        """The hour of the oldest live file that is not before a moment."""
        ...

    async def datasets(self) -> list[str]:
        """The names of the datasets that have live files."""
        ...

    async def replace(self, dataset: str, partition_start: datetime, local_files: Sequence[Path]) -> list[NewFile]:
        """Make local Parquet files the one content of a partition of a derived dataset. No file: the partition is empty.

        Twice gives the same. The local files stay. Raises `InputInvalid` for `events`, whose files only the sink adds.
        """
        ...

    async def take_over(self, topic: str) -> Position:
        """Become the writer of a topic: from now on commits of earlier writers are refused."""
        ...

    async def position(self, topic: str) -> Position | None:
        """None: no sink has ever run."""
        ...

    async def renew(self, topic: str, generation: int) -> None:
        """Say that the writer lives (`written_at`). Raises `SinkOvertaken`."""
        ...

    async def append(
        self,
        files: Sequence[NewFile],
        topic: str,
        position: Position,
        cursor: str,
        *,
        erased: int,
    ) -> None:
        """List stored files and move the topic from `position` to `cursor`, in one transaction. A repeat does nothing more.

        `erased`: the number of the erasures that the files leave out. Raises `SinkOvertaken`, and `ErasuresChanged` if an
        erasure was asked for meanwhile: the files may have its rows, and nothing was listed.
        """
        ...

    async def rewrite(self, old: Collection[str], new: Sequence[NewFile]) -> None:
        """Replace live files by stored ones with the same rows, or fewer, in one transaction. A repeat does nothing more.

        Raises `LakeFileRetired` if one of `old` is not live any more: nothing was changed.
        """
        ...

    async def retire_older(self, before: datetime) -> int:
        """Retire every live file whose hour is before a moment. Returns how many."""
        ...

    async def retired_files(self, *, older_than_seconds: float, limit: int) -> list[str]:
        """Paths that were retired at least so long ago."""
        ...

    async def forget(self, paths: Sequence[str]) -> None:
        """Take retired paths off the list, after their files were deleted."""
        ...

    async def unlisted(self, paths: Sequence[str]) -> list[str]:
        """Those of the paths that the list does not name, live or retired."""
        ...

    async def erased(self) -> Erased: ...

    async def ask_erasure(self, profile_id: str) -> None:
        """From now on the sink writes no row of the profile. What is written already is erased later. May be repeated."""
        ...

    async def erasures(self) -> list[Erasure]: ...

    async def erased_through(self, profile_ids: Collection[str], scanned_at: datetime) -> None:
        """Note that a whole scan, which began then, found no row of these profiles, or has removed them."""
        ...

    async def watching_erased(self, profile_id: str) -> None:
        """Note that the history and the positions of a deleted profile are gone, and that nobody can write them any more."""
        ...

    async def forget_erasures(self, asked_before: datetime) -> int:
        """Forget finished erasures that were asked for before a moment: the event log has no event of them any more."""
        ...

    async def delete_findings(self, profile_ids: Collection[str]) -> int:
        """Delete what analytics found of these profiles, in one transaction. Returns how many rows there were."""
        ...

    # --- which process works -----------------------------------------------------------------------------
    async def take_turn(self, name: str) -> "Turn | None":
        """Become the one process of all hosts that has this turn; None: another one has it."""
        ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
