"""Response bodies of the watch history. Times are UTC; durations are seconds."""

from datetime import datetime

from api.wire import Output


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
