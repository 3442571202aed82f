"""Response bodies of reports. A rate is null where nothing was counted; rates are from 0 to 1."""

from datetime import date, datetime

from api.wire import Output


class ReportSourceOut(Output, frozen=True, kw_only=True):
    """The mart that a report is made from. `age_seconds`: since it was built. `through`: the end of the events in it."""

    mart: str
    built_at: datetime
    age_seconds: float
    through: datetime | None
    rows: int


class Report(Output, frozen=True, kw_only=True):
    """What all reports have. Without a source there are no rows, and `sentence` says what to do."""

    source: ReportSourceOut | None
    sentence: str | None
    since: date
    """The first day (UTC) that counts, where days count at all."""
    next_cursor: str | None


class PerformanceItem(Output, frozen=True, kw_only=True):
    """A title, over all of its days. A completion: watched to 95 % of its duration."""

    movie_id: str
    title: str
    first_day: date | None
    last_day: date | None
    plays: int
    viewers: int
    completions: int
    completion_rate: float | None
    watch_hours: float
    watch_hours_7d: float
    watch_hours_previous_7d: float
    startup_p95_seconds: float | None
    rebuffer_ratio: float | None
    failures: int


class QualityItem(Output, frozen=True, kw_only=True):
    """Quality of experience of a day (UTC). `value` is of the cut: an edge's address, a device, `720`; empty for `all`."""

    day: date
    cut: str
    value: str
    attempts: int
    plays: int
    exits_before_start_rate: float | None
    start_failure_rate: float | None
    playback_failure_rate: float | None
    startup_p50_seconds: float | None
    startup_p95_seconds: float | None
    rebuffer_ratio: float | None
    """Stalled time over stalled and watched time; what a seek costs is left out."""
    mean_kbps: float | None
    watch_hours: float


class FailureItem(Output, frozen=True, kw_only=True):
    """Failures by their cause. `day` is null for the sum of all days."""

    day: date | None = None
    error_code: str
    start_failures: int
    playback_failures: int


class SearchItem(Output, frozen=True, kw_only=True):
    """Searches by their query. Those that few profiles asked are summed as `(rare)`. `mean_place`: of what was opened, from 1."""

    day: date | None = None
    query: str
    asked: int
    without_results: int
    opened: int
    mean_place: float | None


class RetentionItem(Output, frozen=True, kw_only=True):
    """Of the profiles that watched first in a week, those that watched again so many weeks later."""

    cohort_week: date
    weeks_since: int
    profiles: int
    retained: int
    retention: float | None


class CostItem(Output, frozen=True, kw_only=True):
    """What a version of a title cost: core-hours of encoding, and bytes."""

    movie_id: str
    title: str
    version: int
    core_hours: float
    source_bytes: int
    published_bytes: int


class PerformanceReport(Report, frozen=True, kw_only=True):
    items: list[PerformanceItem]


class QualityReport(Report, frozen=True, kw_only=True):
    items: list[QualityItem]


class FailureReport(Report, frozen=True, kw_only=True):
    items: list[FailureItem]


class SearchReport(Report, frozen=True, kw_only=True):
    items: list[SearchItem]


class RetentionReport(Report, frozen=True, kw_only=True):
    items: list[RetentionItem]


class CostReport(Report, frozen=True, kw_only=True):
    items: list[CostItem]
