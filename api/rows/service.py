"""One page of a row for one viewer.

The first page of a shared row comes from the shared rows (`shared`); later pages come from the catalogue. Continue
watching is read for each viewer and never cached: one read of the newest `MAX_WATCHING_ITEMS` positions and one of
their cards. A cursor is the position of the page's last item, signed for its row; a shared row's cursor holds nothing
about the viewer.
"""

from collections.abc import Sequence
from typing import Final, cast

from purgatory import AsyncCircuitBreakerFactory

from api.auth.tokens import Caller
from api.paging import Cursors, split_page
from api.rows.bulkhead import Bulkhead
from api.rows.queries import CACHED_ITEMS
from api.rows.schemas import Row, RowItem, SharedItem
from api.rows.shared import SharedRows
from marquee.cdn.addresses import EdgeAddresses
from marquee.domain.playback import resume_position, watched_percent
from marquee.domain.rows import ROWS_BY_ID, RowDefinition
from marquee.errors import RowUnknown
from marquee.settings import Settings
from marquee.stores.catalogue.contract import HomeRows
from marquee.stores.catalogue.values import RowPosition
from marquee.stores.resume_positions.contract import ResumePositions

MAX_WATCHING_ITEMS: Final = 50


class RowService:
    """Pages of rows, for `/rows` and for the home page."""

    def __init__(
        self,
        shared: SharedRows,
        rows: HomeRows,
        resume_positions: ResumePositions,
        breakers: AsyncCircuitBreakerFactory,
        settings: Settings,
    ) -> None:
        self._shared = shared
        self._rows = rows
        self._resume_positions = resume_positions
        self._addresses = EdgeAddresses(settings)
        self._cursors = Cursors(settings.cursor_secret.get_secret_value())
        self._watching = Bulkhead(
            "continue-watching",
            breakers,
            concurrency=settings.row_concurrency,
            timeout_seconds=settings.row_timeout_seconds,
        )

    async def row_by_id(self, row_id: str, caller: Caller, *, limit: int, cursor: str | None) -> Row:
        """A page of the row with this id. Raises `RowUnknown`, `CursorInvalid`, `StoreUnavailable`."""
        row = ROWS_BY_ID.get(row_id)
        if row is None:
            raise RowUnknown(f"There is no row {row_id}: GET /home lists the rows.", field="row_id")
        return await self.row(row, caller, limit=limit, cursor=cursor)

    async def row(self, row: RowDefinition, caller: Caller, *, limit: int, cursor: str | None) -> Row:
        """A page of at most `limit` items. Raises `CursorInvalid`, `StoreUnavailable`."""
        after = self._read_cursor(row, cursor)
        if row.kind == "continue_watching":
            return await self._watching.call(lambda: self._continue_watching(row, caller, limit, after))
        items, more = await self._shared_page(row, limit, after)
        return Row(
            id=row.row_id,
            title=row.title,
            # The items are raw bytes: msgspec copies them into the response unchanged.
            items=cast("list[RowItem]", [one.body for one in items]),
            next_cursor=self._sign_cursor(row, items[-1].sort_value, items[-1].movie_id) if more and items else None,
        )

    async def _shared_page(
        self, row: RowDefinition, limit: int, after: RowPosition | None
    ) -> tuple[Sequence[SharedItem], bool]:
        if after is None and limit <= CACHED_ITEMS:
            shared = await self._shared.beginning(row)
            return shared.items[:limit], shared.more or len(shared.items) > limit
        return split_page(await self._shared.page(row, limit=limit + 1, after=after), limit)

    async def _continue_watching(
        self, row: RowDefinition, caller: Caller, limit: int, after: RowPosition | None
    ) -> Row:
        positions = await self._resume_positions.continue_watching(caller.profile_id, limit=MAX_WATCHING_ITEMS)
        if after is not None:
            # The store's order: newest first, and by id among positions of the same moment.
            positions = [
                one for one in positions if (-one.event_time_ms, one.movie_id) > (-after.sort_value, after.movie_id)
            ]
        cards = {card.movie_id: card for card in await self._rows.cards([one.movie_id for one in positions])}
        items: list[tuple[RowItem, int]] = []
        for position in positions:
            card = cards.get(position.movie_id)
            duration = card.duration_seconds if card else None
            seconds = resume_position(position.position_ms, duration or 0.0)
            if card is None or duration is None or seconds <= 0:
                continue
            item = RowItem(
                movie_id=card.movie_id,
                title=card.title,
                year=card.year,
                poster_url=self._addresses.image(card.movie_id, card.poster),
                duration_seconds=duration,
                genres=list(card.genres),
                resume_position_seconds=seconds,
                watched_percent=watched_percent(position.position_ms, duration),
            )
            items.append((item, position.event_time_ms))
        page, more = split_page(items, limit)
        return Row(
            id=row.row_id,
            title=row.title,
            items=[item for item, _ in page],
            next_cursor=self._sign_cursor(row, page[-1][1], page[-1][0].movie_id) if more else None,
        )

    def _sign_cursor(self, row: RowDefinition, sort_value: float, movie_id: str) -> str:
        return self._cursors.sign(f"row:{row.row_id}", [sort_value, movie_id])

    def _read_cursor(self, row: RowDefinition, cursor: str | None) -> RowPosition | None:
        position = self._cursors.read(f"row:{row.row_id}", cursor, tuple[float, str])
        return None if position is None else RowPosition(*position)
