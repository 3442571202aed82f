"""Response body of the home page."""

from typing import Literal

import msgspec

from api.rows.schemas import Row
from api.wire import Output

Reason = Literal["store-unavailable", "internal-error"]


class MissingRow(Output, frozen=True, kw_only=True):
    """A row that could not be read. `reason` is a problem's `code`."""

    id: str
    title: str
    reason: Reason


class Home(Output, frozen=True, kw_only=True, omit_defaults=True):
    """Rows in their order. An empty row is left out. `degraded` names the rows that could not be read, if there are any."""

    rows: list[Row]
    next_cursor: str | None
    degraded: list[MissingRow] = msgspec.field(default_factory=list)
