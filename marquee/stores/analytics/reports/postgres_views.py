"""Each report as data: its mart, its columns, what is summed, and the key that its rows are ordered and paged by.

Every column is cast, so that a report has the same types whatever a mart's are: a statement that PostgreSQL has prepared
stays valid when the marts are swapped. A page is a range of the key, never an offset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import TextClause, text

from marquee.stores.analytics.reports.contract import ReportName


@dataclass(frozen=True)
class View:
    """`columns`: name -> (SQL expression, type). `keys`: columns that order the rows, all in one direction."""

    mart: str
    columns: Mapping[str, tuple[str, str]]
    keys: Sequence[str]
    descending: bool
    where: str = "true"
    group_by: str = ""

    def statement(self, *, is_first: bool) -> TextClause:
        """Parameters: `limit`, `since`, `cut`, and behind a position `key_0`, `key_1`, ..."""
        columns = ", ".join(f"CAST({sql} AS {kind}) AS {name}" for name, (sql, kind) in self.columns.items())
        group = f"GROUP BY {self.group_by}" if self.group_by else ""
        behind = ", ".join(f"CAST(:key_{n} AS {self.columns[key][1]})" for n, key in enumerate(self.keys))
        order = ", ".join(f"{key} {'DESC' if self.descending else 'ASC'}" for key in self.keys)
        condition = "true" if is_first else f"({', '.join(self.keys)}) {'<' if self.descending else '>'} ({behind})"
        return text(
            f"""
            SELECT * FROM (SELECT {columns} FROM marts.{self.mart} WHERE {self.where} {group}) AS report
            WHERE {condition} ORDER BY {order} LIMIT :limit
            """  # noqa: S608 - no value is formatted in
        )


def _count(name: str) -> tuple[str, str]:
    return f"coalesce({name}, 0)", "bigint"


def _total(name: str) -> tuple[str, str]:
    return f"coalesce(sum({name}), 0)", "bigint"


def _number(name: str) -> tuple[str, str]:
    return name, "float8"


def _measured(name: str) -> tuple[str, str]:
    return f"coalesce({name}, 0)", "float8"


def _text(name: str) -> tuple[str, str]:
    return f"coalesce(CAST({name} AS text), '')", "text"


def _day(name: str) -> tuple[str, str]:
    return name, "date"


_SINCE: Final = "day >= :since"
VIEWS: Final[Mapping[ReportName, View]] = {
    "performance": View(
        "title_performance",
        {
            "movie_id": _text("movie_id"),
            "title": _text("title"),
            "first_day": _day("first_day"),
            "last_day": _day("last_day"),
            "plays": _count("plays"),
            "viewers": _count("viewers"),
            "completions": _count("completions"),
            "completion_rate": _number("completion_rate"),
            "watch_hours": _measured("watch_hours"),
            "watch_hours_7d": _measured("watch_hours_7d"),
            "watch_hours_previous_7d": _measured("watch_hours_previous_7d"),
            "startup_p95_seconds": _number("startup_p95_seconds"),
            "rebuffer_ratio": _number("rebuffer_ratio"),
            "failures": _count("failures"),
        },
        keys=("watch_hours", "movie_id"),
        descending=True,
        where="last_day >= :since",
    ),
    "quality": View(
        "quality_of_experience_daily",
        {
            "day": _day("day"),
            "cut": _text("cut"),
            "value": _text("value"),
            "attempts": _count("attempts"),
            "plays": _count("plays"),
            "exits_before_start_rate": _number("exits_before_start_rate"),
            "start_failure_rate": _number("start_failure_rate"),
            "playback_failure_rate": _number("playback_failure_rate"),
            "startup_p50_seconds": _number("startup_p50_seconds"),
            "startup_p95_seconds": _number("startup_p95_seconds"),
            "rebuffer_ratio": _number("rebuffer_ratio"),
            "mean_kbps": _number("mean_kbps"),
            "watch_hours": _measured("watch_hours"),
        },
        keys=("day", "value"),
        descending=False,
        where=f"{_SINCE} AND cut = :cut",
    ),
    "failures": View(
        "failures_daily",
        {
            "error_code": _text("error_code"),
            "start_failures": _total("start_failures"),
            "playback_failures": _total("playback_failures"),
            "failures": ("coalesce(sum(start_failures), 0) + coalesce(sum(playback_failures), 0)", "bigint"),
        },
        keys=("failures", "error_code"),
        descending=True,
        where=_SINCE,
        group_by="error_code",
    ),
    "failures_by_day": View(
        "failures_daily",
        {
            "day": _day("day"),
            "error_code": _text("error_code"),
            "start_failures": _count("start_failures"),
            "playback_failures": _count("playback_failures"),
            "failures": ("coalesce(start_failures, 0) + coalesce(playback_failures, 0)", "bigint"),
        },
        keys=("day", "error_code"),
        descending=False,
        where=_SINCE,
    ),
    "searches": View(
        "search_quality",
        {
            "query": _text("query"),
            "asked": _total("asked"),
            "without_results": _total("without_results"),
            "opened": _total("opened"),
            # The mean of the days' means, each counted as often as something was opened on it.
            "mean_place": ("sum(mean_place * opened) / nullif(sum(opened), 0)", "float8"),
        },
        keys=("without_results", "asked", "query"),
        descending=True,
        where=_SINCE,
        group_by="query",
    ),
    "searches_by_day": View(
        "search_quality",
        {
            "day": _day("day"),
            "query": _text("query"),
            "asked": _count("asked"),
            "without_results": _count("without_results"),
            "opened": _count("opened"),
            "mean_place": _number("mean_place"),
        },
        keys=("day", "query"),
        descending=False,
        where=_SINCE,
    ),
    "retention": View(
        "retention_weekly",
        {
            "cohort_week": _day("cohort_week"),
            "weeks_since": _count("weeks_since"),
            "profiles": _count("profiles"),
            "retained": _count("retained"),
            "retention": _number("retention"),
        },
        keys=("cohort_week", "weeks_since"),
        descending=False,
        where="cohort_week >= :since",
    ),
    "costs": View(
        "encoding_cost",
        {
            "movie_id": _text("movie_id"),
            "title": _text("title"),
            "version": _count("version"),
            "core_hours": _measured("core_hours"),
            "source_bytes": _count("source_bytes"),
            "published_bytes": _count("published_bytes"),
        },
        keys=("core_hours", "movie_id", "version"),
        descending=True,
    ),
}
