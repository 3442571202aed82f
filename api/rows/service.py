"""One page of a row for one viewer.

The first page of a shared row comes from the shared rows (`shared`); later pages come from the catalogue. Continue
watching is read for each viewer and never cached: one read of the newest positions and one of the cards of
`MAX_WATCHING_ITEMS` of them. The rows "Because you watched ..." (`personal`) are never cached either. A cursor is the
position of the page's last item, signed for its row; a shared row's cursor holds nothing about the viewer.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, cast

from purgatory import AsyncCircuitBreakerFactory

from api.auth.tokens import Caller
from api.paging import Cursors, split_page
from api.rows.bulkhead import Bulkhead
from api.rows.once import Once
from api.rows.personal import BecauseRow, PersonalRows, because_rows
from api.rows.queries import CACHED_ITEMS
from api.rows.schemas import Row, RowItem, SharedItem
from api.rows.shared import SharedRows
from marquee.cdn.addresses import EdgeAddresses
from marquee.domain.playback import resume_position, watched_percent
from marquee.domain.rows import BECAUSE_PREFIX, BECAUSE_TITLE, ROWS_BY_ID, RowDefinition
from marquee.errors import RowUnknown
from marquee.settings import Settings
from marquee.stores.analytics.findings.contract import Findings, ProfileFindings
from marquee.stores.catalogue.contract import HomeRows
from marquee.stores.catalogue.values import RowPosition, TitleCard
from marquee.stores.resume_positions.contract import ResumePosition, ResumePositions

MAX_WATCHING_ITEMS: Final = 50
MAX_POSITIONS: Final = 200
"""Newest positions that are read of a profile: a title that was watched to its end before them may be suggested again until
the next batch, which leaves it out.
"""
MAX_SIGNED: Final = 2048
"""Cursors that are remembered."""
Positions = Once[Sequence[ResumePosition]]


class RowService:
    """Pages of rows, for `/rows` and for the home page."""

    def __init__(
        self,
        shared: SharedRows,
        rows: HomeRows,
        findings: Findings,
        resume_positions: ResumePositions,
        breakers: AsyncCircuitBreakerFactory,
        settings: Settings,
    ) -> None:
        self._shared = shared
        self._rows = rows
        self._personal = PersonalRows(findings, breakers, settings)
        self._resume_positions = resume_positions
        self._addresses = EdgeAddresses(settings)
        self._cursors = Cursors(settings.cursor_secret.get_secret_value())
        # Twenty rows of a home page have the cursors that they had a moment ago, and to sign costs 0.1 ms each.
        self._signed = lru_cache(MAX_SIGNED)(self._cursors.sign)
        # Two sets of places, one breaker: a row that waits for the other's read must not hold the place that it needs.
        self._watching, self._watching_reads = (
            Bulkhead(
                "continue-watching",
                breakers,
                concurrency=settings.row_concurrency,
                timeout_seconds=settings.row_timeout_seconds,
            )
            for _ in range(2)
        )

    async def row_by_id(self, row_id: str, caller: Caller, *, limit: int, cursor: str | None) -> Row:
        """A page of the row with this id. Raises `RowUnknown`, `CursorInvalid`, `StoreUnavailable`."""
        if row_id.startswith(BECAUSE_PREFIX):
            return await self._because_by_id(row_id, caller, limit=limit, cursor=cursor)
        row = ROWS_BY_ID.get(row_id)
        if row is None:
            raise RowUnknown(f"There is no row {row_id}: GET /home lists the rows.", field="row_id")
        return await self.row(row, caller, limit=limit, cursor=cursor)

    async def row(
        self, row: RowDefinition, caller: Caller, *, limit: int, cursor: str | None, positions: Positions | None = None
    ) -> Row:
        """A page of at most `limit` items. `positions`: a read of the caller's that other rows share.

        Raises `CursorInvalid`, `StoreUnavailable`.
        """
        after = self._read_cursor(row, cursor)
        if row.kind == "continue_watching":
            read = positions or self.positions(caller)
            return await self._watching.call(lambda: self._continue_watching(row, read, limit, after))
        return self._shared_row(row, *await self._shared_page(row, limit, after))

    def at_hand(self, row: RowDefinition, *, limit: int) -> Row | None:
        """The first page of a shared row that this process read a moment ago; None: ask for it by `row`.

        A home page has twenty rows, and most of them are at hand: a task and a time-out each would cost more than the rest.
        """
        if limit > CACHED_ITEMS or (shared := self._shared.just_read(row)) is None:
            return None
        return self._shared_row(row, shared.items[:limit], shared.more or len(shared.items) > limit)

    def _shared_row(self, row: RowDefinition, items: Sequence[SharedItem], more: bool) -> Row:
        return Row(
            id=row.row_id,
            title=row.title,
            # The items are raw bytes: msgspec copies them into the response unchanged.
            items=cast("list[RowItem]", [one.body for one in items]),
            next_cursor=self._sign_cursor(row, items[-1].sort_value, items[-1].movie_id) if more and items else None,
        )

    def positions(self, caller: Caller) -> Positions:
        """The caller's newest positions, read once however many rows ask for them."""
        return Once(lambda: self._newest_positions(caller))

    async def stopped_at(self, positions: Positions) -> Sequence[ResumePosition]:
        """The positions, for rows beside continue watching. Raises `StoreUnavailable`."""
        return await self._watching_reads.call(positions.get)

    async def findings(self, caller: Caller) -> ProfileFindings:
        """What analytics knows of the caller's profile. Raises `StoreUnavailable`."""
        return await self._personal.findings(caller.profile_id)

    def because_page(self, because: BecauseRow, *, limit: int, after: RowPosition | None = None) -> Row:
        """A page of a row "Because you watched ..."."""
        left = [item for item in because.items if after is None or item.rank > after.sort_value]
        page, more = split_page(left, limit)
        return Row(
            id=because.row.row_id,
            title=because.row.title,
            items=[self._item(item.card) for item in page],
            next_cursor=self._sign_cursor(because.row, page[-1].rank, page[-1].card.movie_id) if more else None,
        )

    async def _because_by_id(self, row_id: str, caller: Caller, *, limit: int, cursor: str | None) -> Row:
        asked = RowDefinition(row_id, BECAUSE_TITLE, "because")
        after = self._read_cursor(asked, cursor)
        found = await self.findings(caller)
        lists = [one for one in found.suggestions if BECAUSE_PREFIX + one.because_movie_id == row_id]
        rows = because_rows(lists, await self.stopped_at(self.positions(caller))) if lists else []
        if rows:
            return self.because_page(rows[0], limit=limit, after=after)
        if after is not None:  # The row was there, and a newer batch has none: its page has an end.
            return Row(id=row_id, title=BECAUSE_TITLE, items=[], next_cursor=None)
        raise RowUnknown(f"There is no row {row_id}: GET /home lists the rows.", field="row_id")

    async def _shared_page(
        self, row: RowDefinition, limit: int, after: RowPosition | None
    ) -> tuple[Sequence[SharedItem], bool]:
        if after is None and limit <= CACHED_ITEMS:
            shared = await self._shared.beginning(row)
            return shared.items[:limit], shared.more or len(shared.items) > limit
        return split_page(await self._shared.page(row, limit=limit + 1, after=after), limit)

    async def _newest_positions(self, caller: Caller) -> Sequence[ResumePosition]:
        return await self._resume_positions.continue_watching(caller.profile_id, limit=MAX_POSITIONS)

    async def _continue_watching(
        self, row: RowDefinition, read: Positions, limit: int, after: RowPosition | None
    ) -> Row:
        positions = (await read.get())[:MAX_WATCHING_ITEMS]
        if after is not None:
            # The store's order: newest first, and by id among positions of the same moment.
            positions = [
                one for one in positions if (-one.event_time_ms, one.movie_id) > (-after.sort_value, after.movie_id)
            ]
        ids = [one.movie_id for one in positions]
        cards = {card.movie_id: card for card in await self._rows.cards(ids)} if ids else {}
        items: list[tuple[RowItem, int]] = []
        for position in positions:
            card = cards.get(position.movie_id)
            duration = card.duration_seconds if card else None
            seconds = resume_position(position.position_ms, duration or 0.0)
            if card is None or duration is None or seconds <= 0:
                continue
            percent = watched_percent(position.position_ms, duration)
            items.append((self._item(card, seconds=seconds, percent=percent), position.event_time_ms))
        page, more = split_page(items, limit)
        return Row(
            id=row.row_id,
            title=row.title,
            items=[item for item, _ in page],
            next_cursor=self._sign_cursor(row, page[-1][1], page[-1][0].movie_id) if more else None,
        )

    def _item(self, card: TitleCard, *, seconds: float | None = None, percent: float | None = None) -> RowItem:
        return RowItem(
            movie_id=card.movie_id,
            title=card.title,
            year=card.year,
            poster_url=self._addresses.image(card.movie_id, card.poster),
            duration_seconds=card.duration_seconds,
            genres=list(card.genres),
            resume_position_seconds=seconds,
            watched_percent=percent,
        )

    def _sign_cursor(self, row: RowDefinition, sort_value: float, movie_id: str) -> str:
        return self._signed(f"row:{row.row_id}", (sort_value, movie_id))

    def _read_cursor(self, row: RowDefinition, cursor: str | None) -> RowPosition | None:
        position = self._cursors.read(f"row:{row.row_id}", cursor, tuple[float, str])
        return None if position is None else RowPosition(*position)
