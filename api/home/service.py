"""The home page: all of a page's rows are asked at once. An empty row is left out; a row that fails is named in `degraded`.

So the page never fails because of one row, and an outage never looks like an empty platform: a page that has no row to
show, and lacks one, is `StoreUnavailable`. A row that is not there when `ROWS_SHARE` of the request's time has passed is
missing. Missing rows are counted in `marquee_api_degraded_rows_total`, by row and reason. `limit` counts the items of a
row. A page has `ROWS_ON_PAGE` rows of `ROWS`, and its cursor names the last of them. So each page has the same rows for
every profile; their order on the page is the profile's (`personal_order`). The first page also has the profile's own
rows, "Because you watched ...".
"""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from prometheus_client import Counter

from api.auth.tokens import Caller
from api.home.schemas import Home, MissingRow, Reason
from api.paging import Cursors, cursor_refusal
from api.rows.personal import because_rows
from api.rows.schemas import Row
from api.rows.service import Positions, RowService
from marquee import deadlines
from marquee.domain.rows import (
    BECAUSE_PREFIX,
    BECAUSE_TITLE,
    ROWS,
    ROWS_BY_ID,
    RowDefinition,
    personal_order,
)
from marquee.errors import StoreUnavailable
from marquee.logs import get_logger
from marquee.settings import Settings

ROWS_ON_PAGE: Final = 24
ROWS_SHARE: Final = 0.8
"""Share of the request's time in which its rows must be there: the page is sent in the rest."""
BECAUSE_ROWS: Final = f"{BECAUSE_PREFIX}you-watched"
"""Names the rows "Because you watched ..." where it is not known which ones there would be."""
_BECAUSE: Final = RowDefinition(BECAUSE_ROWS, BECAUSE_TITLE, "because")
DEGRADED_ROWS: Final = Counter(
    "marquee_api_degraded_rows", "Rows that a home page lacked because they could not be read.", ("row", "reason")
)

log = get_logger()
Answer = TypeVar("Answer")


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
        positions = self._rows.positions(caller)
        at_hand = {row.row_id: ready for row in wanted if (ready := self._rows.at_hand(row, limit=limit)) is not None}
        (order, own), answers = await asyncio.gather(
            self._personal(caller, positions, limit=limit, with_rows=start == 0),
            asyncio.gather(*(self._row(row, caller, limit, positions) for row in wanted if row.row_id not in at_hand)),
        )
        by_id: dict[str, Row | MissingRow] = {**at_hand, **{answer.id: answer for answer in answers}}
        laid_out = [by_id[row.row_id] for row in order if row.row_id in by_id]
        genres = [place for place, one in enumerate(laid_out) if ROWS_BY_ID[one.id].genre is not None]
        before_genres = genres[0] if genres else len(laid_out)
        laid_out[before_genres:before_genres] = own
        rows = [answer for answer in laid_out if isinstance(answer, Row) and answer.items]
        missing = [answer for answer in laid_out if isinstance(answer, MissingRow)]
        for one in missing if is_counted else ():
            # One label for all rows of this kind: there are as many as titles.
            row_id = BECAUSE_ROWS if one.id.startswith(BECAUSE_PREFIX) else one.id
            DEGRADED_ROWS.labels(row_id, one.reason).inc()
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

    async def _personal(
        self, caller: Caller, positions: Positions, *, limit: int, with_rows: bool
    ) -> tuple[tuple[RowDefinition, ...], list[Row | MissingRow]]:
        """The profile's order of `ROWS`, and its own rows. Where nothing is known of it, the default order and no row."""
        found = await self._answer(_BECAUSE, self._rows.findings(caller))
        if isinstance(found, MissingRow):
            return ROWS, [found] if with_rows else []
        order = personal_order(found.genre_shares, found.watched_seconds)
        if not found.suggestions or not with_rows:
            return order, []
        stopped = await self._answer(_BECAUSE, self._rows.stopped_at(positions))
        if isinstance(stopped, MissingRow):
            return order, [
                MissingRow(id=one.row.row_id, title=one.row.title, reason=stopped.reason)
                for one in because_rows(found.suggestions, ())
            ]
        rows = because_rows(found.suggestions, stopped)
        return order, [self._rows.because_page(one, limit=limit) for one in rows]

    async def _row(self, row: RowDefinition, caller: Caller, limit: int, positions: Positions) -> Row | MissingRow:
        return await self._answer(row, self._rows.row(row, caller, limit=limit, cursor=None, positions=positions))

    async def _answer(self, row: RowDefinition, work: Awaitable[Answer]) -> Answer | MissingRow:
        """The answer of a row's service, or the row as a missing one."""
        remaining = deadlines.remaining_seconds()
        reason: Reason = "store-unavailable"
        try:
            async with asyncio.timeout(None if remaining is None else ROWS_SHARE * remaining):
                return await work
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
