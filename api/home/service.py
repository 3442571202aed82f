"""The home page: all of a page's rows are asked at once. An empty row is left out; a row that fails is named in `degraded`.

So the page never fails because of one row, and an outage never looks like an empty platform: a page that has no row to
show, and lacks one, is `StoreUnavailable`. A row that is not there when `ROWS_SHARE` of the request's time has passed is
missing. Missing rows are counted in `marquee_api_degraded_rows_total`, by row and reason. `limit` counts the items of a
row. A page has `ROWS_ON_PAGE` rows, and its cursor names the page's last row.
"""

import asyncio
from typing import Final

from prometheus_client import Counter

from api.auth.tokens import Caller
from api.home.schemas import Home, MissingRow, Reason
from api.paging import Cursors, cursor_refusal
from api.rows.schemas import Row
from api.rows.service import RowService
from marquee import deadlines
from marquee.domain.rows import ROWS, ROWS_BY_ID, RowDefinition
from marquee.errors import StoreUnavailable
from marquee.logs import get_logger
from marquee.settings import Settings

ROWS_ON_PAGE: Final = 24
ROWS_SHARE: Final = 0.8
"""Share of the request's time in which its rows must be there: the page is sent in the rest."""
DEGRADED_ROWS: Final = Counter(
    "marquee_api_degraded_rows", "Rows that a home page lacked because they could not be read.", ("row", "reason")
)

log = get_logger()


class HomeService:
    """What `/home` does. `rows_on_page` is smaller in tests only."""

    def __init__(self, rows: RowService, settings: Settings, *, rows_on_page: int = ROWS_ON_PAGE) -> None:
        self._rows = rows
        self._cursors = Cursors(settings.cursor_secret.get_secret_value())
        self._rows_on_page = rows_on_page

    async def page(self, caller: Caller, *, limit: int, cursor: str | None, is_counted: bool = True) -> Home:
        """One page of rows. Raises `CursorInvalid`, and `StoreUnavailable` if there is nothing to show and rows are missing.

        `is_counted` is false for a page that no viewer asked for: its missing rows are not in the metric.
        """
        start = self._start(cursor)
        wanted = ROWS[start : start + self._rows_on_page]
        answers = await asyncio.gather(*(self._row(row, caller, limit) for row in wanted))
        rows = [answer for answer in answers if isinstance(answer, Row) and answer.items]
        missing = [answer for answer in answers if isinstance(answer, MissingRow)]
        for one in missing if is_counted else ():
            DEGRADED_ROWS.labels(one.id, one.reason).inc()
        if missing and not rows:
            raise StoreUnavailable(
                f"{len(missing)} of {len(wanted)} rows could not be read, and there is no other row to show: try again soon."
            )
        more = start + self._rows_on_page < len(ROWS)
        return Home(
            rows=rows,
            next_cursor=self._cursors.sign("home", wanted[-1].row_id) if more else None,
            degraded=missing,
        )

    async def _row(self, row: RowDefinition, caller: Caller, limit: int) -> Row | MissingRow:
        remaining = deadlines.remaining_seconds()
        reason: Reason = "store-unavailable"
        try:
            async with asyncio.timeout(None if remaining is None else ROWS_SHARE * remaining):
                return await self._rows.row(row, caller, limit=limit, cursor=None)
        except StoreUnavailable as error:
            log.warning("a row is left out", row=row.row_id, reason=error.detail)
        except TimeoutError:
            log.warning("a row is left out", row=row.row_id, reason="the request's time is over")
        except Exception as error:
            log.error("a row is left out by a fault", row=row.row_id, exc_info=error)
            reason = "internal-error"
        return MissingRow(id=row.row_id, title=row.title, reason=reason)

    def _start(self, cursor: str | None) -> int:
        row_id = self._cursors.read("home", cursor, str)
        if row_id is None:
            return 0
        if row_id not in ROWS_BY_ID:
            raise cursor_refusal("has an older format")
        return ROWS.index(ROWS_BY_ID[row_id]) + 1
