"""Response bodies of rows, and the form of a row in the cache.

A cached row is the same for all viewers, so it holds no cursor and no resume position.
"""

import msgspec

from api.wire import Output, PictureOut


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
    backdrop: list[PictureOut] = msgspec.field(default_factory=list)
    """The wide picture, the smallest size first. Only a shared row's first item has it: a page may feature that one."""


class Row(Output, frozen=True, kw_only=True):
    """`next_cursor` goes to `GET /rows/{id}`."""

    id: str
    title: str
    items: list[RowItem]
    next_cursor: str | None


class SharedItem(msgspec.Struct, frozen=True, array_like=True):
    """An item in the cache: a `RowItem` as response bytes, and its position in the row's order.

    The bytes are never decoded.
    """

    body: msgspec.Raw
    sort_value: float
    movie_id: str


class SharedRow(msgspec.Struct, frozen=True, array_like=True):
    """The beginning of a row in the cache, the same for all viewers. `more`: the row has items after these."""

    items: list[SharedItem]
    more: bool
