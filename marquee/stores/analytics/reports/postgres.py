"""Reports over dbt's marts in PostgreSQL: two statements a page, the mart's build and a range of its rows.

A mart that is not there (the warehouse was never built), or lacks a column (another release built it), is no error: the
report has no source. With PostgreSQL down a call is repeated for some seconds, then raises `StoreUnavailable`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import psycopg
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError

from marquee.logs import get_logger
from marquee.stores.analytics.reports.contract import Cut, Key, ReportName, ReportPage, Reports, ReportSource
from marquee.stores.analytics.reports.postgres_views import VIEWS
from marquee.stores.connections.postgres import Database

_BUILD: Final = text(
    """
    SELECT CAST(built_at AS timestamptz) AS built_at, CAST(through AS timestamptz) AS through, CAST(rows AS bigint) AS rows
    FROM marts.mart_build WHERE name = :mart ORDER BY built_at DESC LIMIT 1
    """
)
_STATEMENTS: Final[Mapping[tuple[ReportName, bool], TextClause]] = {
    (name, is_first): view.statement(is_first=is_first) for name, view in VIEWS.items() for is_first in (True, False)
}
_NOT_BUILT: Final = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)
_OTHER_RELEASE: Final = (psycopg.errors.UndefinedColumn, psycopg.errors.CannotCoerce)

log = get_logger()


class PostgresReports(Reports):
    def __init__(self, url: str) -> None:
        self._database = Database(url)

    async def page(
        self, name: ReportName, *, since: date, limit: int, after: Sequence[Key] | None = None, cut: Cut = "all"
    ) -> ReportPage:
        view = VIEWS[name]
        keys = {f"key_{number}": key for number, key in enumerate(after or ())}
        parameters = {"since": since, "cut": cut, "limit": limit + 1, **keys}
        statement = _STATEMENTS[name, after is None]
        try:
            builds = await self._database.statement(_BUILD, {"mart": view.mart})
            found = await self._database.statement(statement, parameters) if builds else ()
        except DBAPIError as error:
            if not isinstance(error.orig, (*_NOT_BUILT, *_OTHER_RELEASE)):
                raise
            if isinstance(error.orig, _OTHER_RELEASE):
                log.warning("a mart is not of this release", mart=view.mart, reason=str(error.orig).splitlines()[0])
            return ReportPage(None, (), None)
        if not builds:
            return ReportPage(None, (), None)
        rows = [dict(row) for row in found[:limit]]
        more = len(found) > limit
        return ReportPage(
            ReportSource(view.mart, **builds[0]),
            rows,
            [_key(rows[-1][key]) for key in view.keys] if more else None,
        )

    async def close(self) -> None:
        await self._database.close()


def _key(value: object) -> Key:
    return value.isoformat() if isinstance(value, date) else value  # type: ignore[return-value]
