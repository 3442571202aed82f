"""The wire of rows, and the form of a cached row."""

import msgspec

from api.wire import Output


class RowItem(Output, frozen=True, kw_only=True, omit_defaults=True):
    """A playable title on a row. The resume fields stand only in continue watching."""

    movie_id: str
    title: str
    year: int | None = None
    poster_url: str | None = None
    duration_seconds: float | None = None
    genres: list[str] = msgspec.field(default_factory=list)
    resume_position_seconds: float | None = None
    watched_percent: float | None = None


class Row(Output, frozen=True, kw_only=True):
    """`next_cursor` goes to `GET /rows/{id}`."""

    id: str
    title: str
    items: list[RowItem]
    next_cursor: str | None


class SharedItem(msgspec.Struct, frozen=True, array_like=True):
    """An item in the cache: the wire bytes of a `RowItem`, never decoded again, and its place in the row's order."""

    body: msgspec.Raw
    sort_value: float
    movie_id: str


class SharedRow(msgspec.Struct, frozen=True, array_like=True):
    """A row's beginning as it is cached: the same for everybody. `more`: the row goes on behind these items."""

    items: list[SharedItem]
    more: bool
