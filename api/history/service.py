"""The watch history of a profile, newest first.

A page is one read of the history and one read of its titles' cards. A title that can no longer be played has no card
and is left out, so a page may hold fewer items than its limit. The cursor is the time and the title of the page's last
entry.
"""

from datetime import datetime

from api.auth.tokens import Caller
from api.history.schemas import HistoryItem, HistoryPage
from api.paging import Cursors, split_page
from marquee.cdn.addresses import EdgeAddresses
from marquee.settings import Settings
from marquee.stores.catalogue.contract import HomeRows
from marquee.stores.history.contract import WatchHistory


class HistoryService:
    """What `/history` does."""

    def __init__(self, history: WatchHistory, rows: HomeRows, settings: Settings) -> None:
        self._history = history
        self._rows = rows
        self._addresses = EdgeAddresses(settings)
        self._cursors = Cursors(settings.cursor_secret.get_secret_value())

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> HistoryPage:
        """At most `limit` entries. Raises `CursorInvalid`, `StoreUnavailable`."""
        kind = f"history:{caller.profile_id}"
        before = self._cursors.read(kind, cursor, tuple[datetime, str])
        found = await self._history.page(caller.profile_id, limit=limit + 1, before=before)
        page, more = split_page(found, limit)
        cards = {card.movie_id: card for card in await self._rows.cards([one.movie_id for one in page])}
        return HistoryPage(
            items=[
                HistoryItem(
                    movie_id=card.movie_id,
                    title=card.title,
                    year=card.year,
                    poster_url=self._addresses.image(card.movie_id, card.poster),
                    duration_seconds=card.duration_seconds,
                    first_watched_at=one.first_watched_at,
                    last_watched_at=one.last_watched_at,
                )
                for one in page
                if (card := cards.get(one.movie_id)) is not None
            ],
            next_cursor=self._cursors.sign(kind, [page[-1].last_watched_at.isoformat(), page[-1].movie_id])
            if more
            else None,
        )
