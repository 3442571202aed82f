"""Reports of a platform with much of everything, as answers by path: long names, many days, every line of a chart."""

from datetime import date, timedelta
from typing import Final

from tests.harness.web.answers import Json, made, refused
from tests.harness.web.made_site import LONG_TITLE, LONG_WORD
from tests.harness.web.odd_names import ODD_NAMES

_FIRST: Final = date(2026, 10, 5)
_NAMES: Final = (LONG_TITLE, *ODD_NAMES, "Up", *(f"The Keeper, part {n}" for n in range(40)))


def _source(mart: str, rows: int) -> Json:
    return made(
        "ReportSourceOut",
        mart=mart,
        built_at="2026-11-30T03:10:00Z",
        age_seconds=40_000.0,
        through="2026-11-30T00:00:00Z",
        rows=rows,
    )


def _report(name: str, mart: str, items: list[Json]) -> tuple[int, Json]:
    return 200, made(name, source=_source(mart, len(items)), since="2026-10-05", items=items)


_PERFORMANCE: Final = [
    made(
        "PerformanceItem",
        movie_id=f"m_{n:020}",
        title=name,
        first_day="2026-10-05",
        last_day="2026-11-29",
        plays=123_456 // (n + 1),
        completion_rate=0.5,
        watch_hours=98_765.4 / (n + 1),
        watch_hours_7d=1234.5,
        watch_hours_previous_7d=12_345.6,
        startup_p95_seconds=1.9,
        rebuffer_ratio=0.0041,
        failures=n,
    )
    for n, name in enumerate(_NAMES)
]
_QUALITY: Final = [
    made(
        "QualityItem",
        day=str(_FIRST + timedelta(days=n)),
        cut="all",
        value="",
        attempts=91_234,
        plays=90_000,
        exits_before_start_rate=0.02,
        start_failure_rate=0.01 + n % 3 / 100,
        playback_failure_rate=0.005,
        startup_p50_seconds=0.7 + n % 4 / 10,
        startup_p95_seconds=2.0 + n % 5,
        rebuffer_ratio=0.003 + n % 6 / 1000,
        mean_kbps=2800.0,
        watch_hours=40_000.5,
    )
    for n in range(56)
    if n not in (9, 10)
]
MANY_REPORTS: Final[dict[str, tuple[int, Json]]] = {
    "/analytics/performance": _report("PerformanceReport", "title_performance", _PERFORMANCE),
    "/analytics/quality": _report("QualityReport", "quality_of_experience_daily", _QUALITY),
    "/analytics/failures": _report(
        "FailureReport",
        "failures_daily",
        [
            made("FailureItem", error_code=code, start_failures=12_345 // (n + 1), playback_failures=n)
            for n, code in enumerate(("network", LONG_WORD[:200], *(f"code-{n}" for n in range(20))))
        ],
    ),
    "/analytics/searches": _report(
        "SearchReport",
        "search_quality",
        [
            made("SearchItem", query=query[:200], asked=9000 // (n + 1), without_results=900 // (n + 1))
            for n, query in enumerate((LONG_WORD, *ODD_NAMES, *(f"query {n}" for n in range(20))))
        ],
    ),
    "/analytics/retention": _report(
        "RetentionReport",
        "retention_weekly",
        [
            made(
                "RetentionItem",
                cohort_week=str(_FIRST + timedelta(weeks=week)),
                weeks_since=since,
                profiles=100_000,
                retained=100_000 // (since + 1),
                retention=1 / (since + 1),
            )
            for week in range(8)
            for since in range(8 - week)
        ],
    ),
    "/analytics/costs": _report(
        "CostReport",
        "encoding_cost",
        [
            made(
                "CostItem",
                movie_id=f"m_{n:020}",
                title=name,
                version=n + 1,
                core_hours=12.5 * (n + 1),
                source_bytes=4 * 10**11,
                published_bytes=10**9,
            )
            for n, name in enumerate(_NAMES)
        ],
    ),
}
_REPORT_DOWN: Final = refused(503, "store-unavailable", f"The report could not be read. {LONG_TITLE}")
ONE_DOWN: Final = {**MANY_REPORTS, "/analytics/quality": _REPORT_DOWN}
