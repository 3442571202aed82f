"""The home page: all of a page's rows are asked at once, and a row that fails or is empty is left out.

So the page never fails because of one row. `limit` counts the items of a row. A page has `ROWS_ON_PAGE` rows, and its
cursor names the page's last row.
"""

import asyncio
from typing import Final

from api.auth.tokens import Caller
from api.home.schemas import Home
from api.paging import Cursors, cursor_refusal
from api.rows.schemas import Row
from api.rows.service import RowService
from marquee.domain.rows import ROWS, ROWS_BY_ID, RowDefinition
from marquee.errors import StoreUnavailable
from marquee.logs import get_logger
from marquee.settings import Settings

ROWS_ON_PAGE: Final = 24

log = get_logger()


class HomeService:
    """What `/home` does. `rows_on_page` is smaller in tests only."""

    def __init__(self, rows: RowService, settings: Settings, *, rows_on_page: int = ROWS_ON_PAGE) -> None:
        self._rows = rows
        self._cursors = Cursors(settings.cursor_secret.get_secret_value())
        self._rows_on_page = rows_on_page

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Home:
        """One page of rows. Raises `CursorInvalid` and nothing else: an error in a row is logged."""
        start = self._start(cursor)
        wanted = ROWS[start : start + self._rows_on_page]
        rows = await asyncio.gather(*(self._row(row, caller, limit) for row in wanted))
        more = start + self._rows_on_page < len(ROWS)
        return Home(
            rows=[row for row in rows if row is not None and row.items],
            next_cursor=self._cursors.sign("home", wanted[-1].row_id) if more else None,
        )

    async def _row(self, row: RowDefinition, caller: Caller, limit: int) -> Row | None:
        try:
            return await self._rows.row(row, caller, limit=limit, cursor=None)
        except StoreUnavailable as error:
            log.warning("a row is left out", row=row.row_id, reason=error.detail)
        except Exception as error:
            log.error("a row is left out by a fault", row=row.row_id, exc_info=error)
        return None

    def _start(self, cursor: str | None) -> int:
        row_id = self._cursors.read("home", cursor, str)
        if row_id is None:
            return 0
        if row_id not in ROWS_BY_ID:
            raise cursor_refusal("has an older format")
        return ROWS.index(ROWS_BY_ID[row_id]) + 1
