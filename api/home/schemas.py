"""Response body of the home page."""

from api.rows.schemas import Row
from api.wire import Output


class Home(Output, frozen=True, kw_only=True):
    """Rows in their order; a row that is empty or cannot be had now is left out."""

    rows: list[Row]
    next_cursor: str | None
