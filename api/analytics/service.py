"""What `/analytics` does: one page of a report with its source, or the whole report as CSV up to `MAX_CSV_ROWS`.

Reports are read behind one bulkhead with few places: engineers who look at them take no connections from viewers. A cursor
is the key of the page's last row, signed for the report and its range.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from purgatory import AsyncCircuitBreakerFactory

from api.analytics.csv_export import csv_of
from api.analytics.schemas import Report, ReportSourceOut
from api.paging import Cursors
from api.rows.bulkhead import Bulkhead
from marquee.settings import Settings
from marquee.stores.analytics.reports.contract import Cut, Key, ReportName, Reports, ReportSource

MAX_CSV_ROWS: Final = 5000
MAX_CONCURRENT_REPORTS: Final = 2
REPORT_TIMEOUT_SECONDS: Final = 10.0
NOT_BUILT: Final = (
    "There are no figures yet: the warehouse has not been built. They come once viewers have watched "
    "and the analytics chain has run (Dagster, code location analytics)."
)


@dataclass(frozen=True)
class Asked:
    """A report, its range and its form."""

    name: ReportName
    days: int
    limit: int
    cursor: str
    as_csv: bool
    cut: Cut = "all"


@dataclass(frozen=True)
class CsvFile:
    body: bytes
    name: str
    next_cursor: str | None


class ReportService:
    """Reads reports."""

    def __init__(self, reports: Reports, breakers: AsyncCircuitBreakerFactory, settings: Settings) -> None:
        self._reports = reports
        self._cursors = Cursors(settings.cursor_secret.get_secret_value())
        self._calls = Bulkhead(
            "reports", breakers, concurrency=MAX_CONCURRENT_REPORTS, timeout_seconds=REPORT_TIMEOUT_SECONDS
        )

    async def report(self, asked: Asked, form: type[Report], item: type[msgspec.Struct]) -> Report | CsvFile:
        """A page of the report as `form`, or up to `MAX_CSV_ROWS` of its rows as CSV with the fields of `item`.

        Raises `CursorInvalid`, `StoreUnavailable`.
        """
        kind = f"report:{asked.name}:{asked.days}:{asked.cut}"
        after = self._cursors.read(kind, asked.cursor, list[Key])
        now = datetime.now(UTC)
        since = now.date() - timedelta(days=asked.days - 1)
        limit = MAX_CSV_ROWS if asked.as_csv else asked.limit
        page = await self._calls.call(
            lambda: self._reports.page(asked.name, since=since, limit=limit, after=after, cut=asked.cut)
        )
        next_cursor = self._cursors.sign(kind, list(page.next_key)) if page.next_key else None
        if asked.as_csv:
            rows = msgspec.convert(page.rows, type=list[item])  # type: ignore[valid-type]
            return CsvFile(csv_of(item, rows), f"marquee-{asked.name}-{now.date()}.csv", next_cursor)
        return msgspec.convert(
            {
                "source": _source(page.source, now),
                "sentence": None if page.source else NOT_BUILT,
                "since": since,
                "next_cursor": next_cursor,
                "items": page.rows,
            },
            type=form,
        )


def _source(source: ReportSource | None, now: datetime) -> ReportSourceOut | None:
    if source is None:
        return None
    return ReportSourceOut(
        mart=source.mart,
        built_at=source.built_at,
        age_seconds=max(0.0, (now - source.built_at).total_seconds()),
        through=source.through,
        rows=source.rows,
    )
