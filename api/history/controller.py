"""`/history`: the watch history of the token's profile, newest first, page by page; and removing from it."""

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from api.auth.tokens import Caller
from api.guards import BEARER
from api.history.removal import RemovalService
from api.history.schemas import HistoryPage, Removed, UndoRemoval
from api.history.service import HistoryService
from api.problems import documented
from api.request_deadline import LONG
from api.wire import CursorQuery, LimitQuery, MovieIdPath


class HistoryController(Controller):
    """The watch history."""

    path = "/history"
    tags = ("Playing",)
    security = BEARER

    @get("/", responses=documented(401, 403))
    async def history(
        self,
        caller: NamedDependency[Caller],
        history: NamedDependency[HistoryService],
        limit: LimitQuery = 20,
        cursor: CursorQuery = "",
    ) -> HistoryPage:
        """What the profile watched, newest first."""
        return await history.page(caller, limit=limit, cursor=cursor)

    @delete("/{movie_id:str}", status_code=200, responses=documented(401, 403, 404))
    async def forget(
        self, movie_id: MovieIdPath, caller: NamedDependency[Caller], removals: NamedDependency[RemovalService]
    ) -> Removed:
        """Remove a title from the history and forget where the profile stopped. Playing it later lists it again."""
        return await removals.forget(caller, movie_id)

    @delete("/", opt=LONG, responses=documented(401, 403))
    async def forget_all(self, caller: NamedDependency[Caller], removals: NamedDependency[RemovalService]) -> None:
        """Empty the history and forget every position. This cannot be undone."""
        await removals.forget_all(caller)

    @post("/undo", status_code=204, responses=documented(401, 403, 413, 415))
    async def undo(
        self,
        data: JSONBody[UndoRemoval],
        caller: NamedDependency[Caller],
        removals: NamedDependency[RemovalService],
    ) -> None:
        """Undo a removal from the history or from continue watching."""
        await removals.undo(caller, data.undo)
