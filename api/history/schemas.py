"""Response bodies of the watch history. Times are UTC; durations are seconds."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from api.wire import Input, Output


class HistoryItem(Output, frozen=True, kw_only=True):
    movie_id: str
    title: str
    year: int | None
    poster_url: str | None
    duration_seconds: float | None
    first_watched_at: datetime
    last_watched_at: datetime


class HistoryPage(Output, frozen=True, kw_only=True):
    items: list[HistoryItem]
    next_cursor: str | None


class Removed(Output, frozen=True, kw_only=True):
    """A title was removed. `undo` goes to `POST /history/undo`, within 15 minutes."""

    undo: str


class UndoRemoval(Input, frozen=True, kw_only=True):
    undo: Annotated[str, Meta(min_length=1, max_length=1000)]
