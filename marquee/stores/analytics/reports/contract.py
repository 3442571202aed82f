"""Reports over dbt's marts (schema `marts`), page by page, each with its source and that source's age.

The warehouse may not have been built yet, or be of another release: then a report has no source and no rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, Protocol, get_args

ReportName = Literal[
    "performance", "quality", "failures", "failures_by_day", "searches", "searches_by_day", "retention", "costs"
]
REPORTS: Final[tuple[ReportName, ...]] = get_args(ReportName)
Cut = Literal["all", "title", "edge", "device", "rendition", "player"]
Key = str | int | float


@dataclass(frozen=True)
class ReportSource:
    """The mart that a report is made from. `through`: the end of the events in it."""

    mart: str
    built_at: datetime
    through: datetime | None
    rows: int


@dataclass(frozen=True)
class ReportPage:
    """`rows`: column -> value. `next_key` is the position of the last row, if more rows follow."""

    source: ReportSource | None
    rows: Sequence[Mapping[str, object]]
    next_key: Sequence[Key] | None


class Reports(Protocol):
    async def page(
        self, name: ReportName, *, since: date, limit: int, after: Sequence[Key] | None = None, cut: Cut = "all"
    ) -> ReportPage:
        """At most `limit` rows behind the position `after`. `since`: the first day that counts, where days count at all.

        `cut` is for the report `quality`.
        """
        ...

    async def close(self) -> None: ...
