"""`/analytics`: reports for engineers and operators. CSV by `Accept: text/csv` or `format=csv`.

A CSV file has the whole report, up to `MAX_CSV_ROWS` rows. The header `X-Next-Cursor` then says that more rows follow.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, Schema
from litestar.params import QueryParameter

from api.analytics.schemas import (
    CostItem,
    CostReport,
    FailureItem,
    FailureReport,
    PerformanceItem,
    PerformanceReport,
    QualityItem,
    QualityReport,
    Report,
    RetentionItem,
    RetentionReport,
    SearchItem,
    SearchReport,
)
from api.analytics.service import Asked, CsvFile, ReportService
from api.guards import BEARER, SEES_REPORTS
from api.problems import documented
from api.requests import ApiRequest
from api.wire import CursorQuery
from marquee.stores.analytics.reports.contract import Cut, ReportName

CSV = "text/csv"
Days = Annotated[int, QueryParameter(ge=1, le=730, description="The last days (UTC) that count, today among them.")]
ReportLimit = Annotated[int, QueryParameter(ge=1, le=500, description="Rows on a page.")]
Format = Annotated[
    Literal["json", "csv"] | None, QueryParameter(name="format", description="Without it, `Accept` decides.")
]


@dataclass
class ReportOperation(Operation):
    """Litestar documents the JSON form alone."""

    def __post_init__(self) -> None:
        answer = (self.responses or {}).get("200")
        if isinstance(answer, OpenAPIResponse) and answer.content is not None:
            answer.content[CSV] = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))


class ReportController(Controller):
    """Reports over the marts of the warehouse."""

    path = "/analytics"
    tags = ("Analytics",)
    security = BEARER

    @get("/performance", opt=SEES_REPORTS, operation_class=ReportOperation, responses=documented(401, 403))
    async def performance(
        self,
        request: ApiRequest,
        reports: NamedDependency[ReportService],
        days: Days = 28,
        limit: ReportLimit = 100,
        cursor: CursorQuery = "",
        form: Format = None,
    ) -> Response[PerformanceReport]:
        """Titles that were watched in the last days, those with the most watch hours first."""
        asked = Asked("performance", days, limit, cursor, _wants_csv(request, form))
        return await _answer(reports, asked, PerformanceReport, PerformanceItem)

    @get("/quality", opt=SEES_REPORTS, operation_class=ReportOperation, responses=documented(401, 403))
    async def quality(
        self,
        request: ApiRequest,
        reports: NamedDependency[ReportService],
        days: Days = 28,
        cut: Annotated[Cut, QueryParameter(description="What each day is divided by.")] = "all",
        limit: ReportLimit = 100,
        cursor: CursorQuery = "",
        form: Format = None,
    ) -> Response[QualityReport]:
        """Quality of experience, day by day: startup, rebuffering, failures."""
        asked = Asked("quality", days, limit, cursor, _wants_csv(request, form), cut)
        return await _answer(reports, asked, QualityReport, QualityItem)

    @get("/failures", opt=SEES_REPORTS, operation_class=ReportOperation, responses=documented(401, 403))
    async def failures(
        self,
        request: ApiRequest,
        reports: NamedDependency[ReportService],
        days: Days = 28,
        by: Annotated[
            Literal["cause", "day"], QueryParameter(description="One row a cause, or a cause and day.")
        ] = "cause",
        limit: ReportLimit = 100,
        cursor: CursorQuery = "",
        form: Format = None,
    ) -> Response[FailureReport]:
        """Failures by their cause, the most frequent first."""
        name: ReportName = "failures_by_day" if by == "day" else "failures"
        asked = Asked(name, days, limit, cursor, _wants_csv(request, form))
        return await _answer(reports, asked, FailureReport, FailureItem)

    @get("/searches", opt=SEES_REPORTS, operation_class=ReportOperation, responses=documented(401, 403))
    async def searches(
        self,
        request: ApiRequest,
        reports: NamedDependency[ReportService],
        days: Days = 28,
        by: Annotated[
            Literal["query", "day"], QueryParameter(description="One row a query, or a query and day.")
        ] = "query",
        limit: ReportLimit = 100,
        cursor: CursorQuery = "",
        form: Format = None,
    ) -> Response[SearchReport]:
        """Searches by their query, those that most often found nothing first."""
        name: ReportName = "searches_by_day" if by == "day" else "searches"
        asked = Asked(name, days, limit, cursor, _wants_csv(request, form))
        return await _answer(reports, asked, SearchReport, SearchItem)

    @get("/retention", opt=SEES_REPORTS, operation_class=ReportOperation, responses=documented(401, 403))
    async def retention(
        self,
        request: ApiRequest,
        reports: NamedDependency[ReportService],
        days: Days = 90,
        limit: ReportLimit = 100,
        cursor: CursorQuery = "",
        form: Format = None,
    ) -> Response[RetentionReport]:
        """Weekly retention of the profiles that watched first within the last days."""
        asked = Asked("retention", days, limit, cursor, _wants_csv(request, form))
        return await _answer(reports, asked, RetentionReport, RetentionItem)

    @get("/costs", opt=SEES_REPORTS, operation_class=ReportOperation, responses=documented(401, 403))
    async def costs(
        self,
        request: ApiRequest,
        reports: NamedDependency[ReportService],
        limit: ReportLimit = 100,
        cursor: CursorQuery = "",
        form: Format = None,
    ) -> Response[CostReport]:
        """What each version of a title cost to encode and to store, the dearest first."""
        asked = Asked("costs", 1, limit, cursor, _wants_csv(request, form))
        return await _answer(reports, asked, CostReport, CostItem)


def _wants_csv(request: ApiRequest, form: Literal["json", "csv"] | None) -> bool:
    if form is not None:
        return form == "csv"
    return request.accept.best_match(["application/json", CSV]) == CSV


async def _answer(
    reports: ReportService, asked: Asked, form: type[Report], item: type[msgspec.Struct]
) -> Response[Any]:
    found = await reports.report(asked, form, item)
    if not isinstance(found, CsvFile):
        return Response(found, headers={"Vary": "Accept"})
    headers = {"Content-Disposition": f'attachment; filename="{found.name}"', "Vary": "Accept"}
    if found.next_cursor is not None:
        headers["X-Next-Cursor"] = found.next_cursor
    return Response(found.body, media_type=CSV, headers=headers)
