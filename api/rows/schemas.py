"""The wire of rows."""

import msgspec

from api.wire import Output


class RowItem(Output, omit_defaults=True):
    """A playable title on a row. The resume fields stand only in continue watching."""

    movie_id: str
    title: str
    year: int | None = None
    poster_url: str | None = None
    duration_seconds: float | None = None
    genres: list[str] = msgspec.field(default_factory=list)
    resume_position_seconds: float | None = None
    watched_percent: float | None = None


class Row(Output):
    id: str
    title: str
    items: list[RowItem]
    next_cursor: str | None


class SharedItem(msgspec.Struct, frozen=True, array_like=True):
    """An item inside the cache: its wire bytes and its place in the row's order, from which cursors are signed."""

    item: RowItem
    sort_value: float


class SharedRow(msgspec.Struct, frozen=True, array_like=True):
    """The cached bytes of a row's beginning: the same for everybody. `more` says that the row goes on behind them."""

    items: list[SharedItem]
    more: bool
