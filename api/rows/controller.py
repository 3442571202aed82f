"""`/rows/{row_id}`: one row, page by page."""

from litestar import Controller, get
from litestar.di import NamedDependency

from api.auth.tokens import Caller
from api.guards import BEARER
from api.problems import documented
from api.rows.schemas import Row
from api.rows.service import RowService
from api.wire import CursorQuery, LimitQuery, RowIdPath


class RowController(Controller):
    """One row of the home page."""

    path = "/rows"
    tags = ("Home",)
    security = BEARER

    @get("/{row_id:str}", responses=documented(401, 403, 404))
    async def row(
        self,
        row_id: RowIdPath,
        caller: NamedDependency[Caller],
        rows: NamedDependency[RowService],
        limit: LimitQuery = 10,
        cursor: CursorQuery = "",
    ) -> Row:
        """One row: `continue-watching`, `new-releases`, `genre-drama` and its like."""
        return await rows.row_by_id(row_id, caller, limit=limit, cursor=cursor)
