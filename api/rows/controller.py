"""`/rows/{row_id}`: one row, page by page; and taking a title out of continue watching."""

from litestar import Controller, delete, get
from litestar.di import NamedDependency

from api.auth.tokens import Caller
from api.guards import BEARER
from api.history.removal import RemovalService
from api.history.schemas import Removed
from api.problems import documented
from api.rows.schemas import Row
from api.rows.service import RowService
from api.wire import CursorQuery, LimitQuery, MovieIdPath, RowIdPath
from marquee.domain.rows import CONTINUE_WATCHING
from marquee.errors import RowUnknown


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
        """One row: `continue-watching`, `new-releases`, `trending`, `genre-drama` and its like, the profile's `because-m_...`."""
        return await rows.row_by_id(row_id, caller, limit=limit, cursor=cursor)

    @delete("/{row_id:str}/{movie_id:str}", status_code=200, responses=documented(401, 403, 404))
    async def hide(
        self,
        row_id: RowIdPath,
        movie_id: MovieIdPath,
        caller: NamedDependency[Caller],
        removals: NamedDependency[RemovalService],
    ) -> Removed:
        """Take a title out of `continue-watching`. History and position stay; playing it again brings it back.

        Other rows are the same for all viewers: 404.
        """
        if row_id != CONTINUE_WATCHING.row_id:
            raise RowUnknown(f"Titles can be taken out of {CONTINUE_WATCHING.row_id} only.", field="row_id")
        return await removals.hide(caller, movie_id)
