"""The warehouse's contract: marts are built in one schema, judged, and then take the place of the ones that people read.

`NEXT` is the schema in which dbt builds, `MARTS` the one that the API and engineers read. `publish` replaces the second by
the first in one transaction: a reader sees all old marts or all new ones. A refused build stays in `NEXT` until the next
one begins.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from marquee.errors import MarqueeError

NEXT: Final = "marts_next"
MARTS: Final = "marts"


class MartsNotBuilt(MarqueeError):
    """The marts cannot be published: dbt has not built them, or not all of them."""

    status = 409
    code = "marts-not-built"
    title = "The marts have to be built first"


@dataclass(frozen=True)
class MartBuild:
    """`through`: the end of the days in it; None on a platform without events."""

    rows: int
    built_at: datetime
    through: datetime | None


@dataclass(frozen=True)
class PublishedVersion:
    """A version whose encoding cost is not recorded yet."""

    movie_id: str
    version: int
    source_bytes: int


@dataclass(frozen=True)
class VersionCost:
    movie_id: str
    version: int
    core_seconds: float
    source_bytes: int
    published_bytes: int


class Warehouse(Protocol):
    """Every call raises `StoreUnavailable` when the engine does not answer."""

    async def begin(self) -> None:
        """Remove what an earlier build left in `NEXT`."""
        ...

    async def builds(self, schema: str) -> dict[str, MartBuild]:
        """The marts in a schema, by name. Empty where the schema has no whole build."""
        ...

    async def publish(self) -> None:
        """Replace `MARTS` by `NEXT`. Raises `MartsNotBuilt` where `NEXT` has no whole build."""
        ...

    async def accepted_through(self, name: str) -> datetime | None:
        """The end of the events of the batch of this name that viewers have. None: they have none."""
        ...

    async def accepted_rows(self, name: str) -> int:
        """How many rows that batch has."""
        ...

    async def title_counts(self) -> dict[str, int]:
        """How many titles are in each state."""
        ...

    async def versions_without_cost(self, *, limit: int) -> Sequence[PublishedVersion]:
        """Versions that are or were playable and have no cost yet, oldest first."""
        ...

    async def save_costs(self, costs: Sequence[VersionCost]) -> None:
        """Record costs. A cost that is recorded stays: later the documents may be gone."""
        ...

    def exclusively(self, what: str, *, wait_seconds: float) -> AbstractContextManager[None]:
        """Hold the lock of this name, on all hosts, during the block. For threads, not for coroutines: it waits.

        Raises `StoreUnavailable` where another holds it for longer than `wait_seconds`.
        """
        ...

    def dbt_environment(self) -> dict[str, str]:
        """The variables that `dbt/profiles.yml` reads, and the driver's own for TLS. The password is in no file."""
        ...

    def sqlalchemy_url(self) -> str:
        """The same database for Great Expectations, which brings its own driver and replaces `$NAME` in what it is told."""
        ...

    async def close(self) -> None: ...
